// Any bytes as a report of Lighthouse.
#include "report_promises.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return report_promises(&lighthouse_reader, data, size);
}
