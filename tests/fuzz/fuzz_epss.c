// Any bytes as EPSS.
#include "report_promises.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return report_promises(&epss_reader, data, size);
}
