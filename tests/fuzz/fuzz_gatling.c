// Any bytes as Gatling's statistics.
#include "report_promises.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return report_promises(&gatling_reader, data, size);
}
