// Any bytes as TAP.
#include "report_promises.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return report_promises(&tap_reader, data, size);
}
