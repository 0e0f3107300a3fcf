// Any bytes as OpenVEX.
#include "report_promises.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return report_promises(&openvex_reader, data, size);
}
