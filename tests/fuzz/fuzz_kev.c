// Any bytes as CISA KEV.
#include "report_promises.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return report_promises(&kev_reader, data, size);
}
