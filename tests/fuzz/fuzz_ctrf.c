// Any bytes as CTRF.
#include "report_promises.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return report_promises(&ctrf_reader, data, size);
}
