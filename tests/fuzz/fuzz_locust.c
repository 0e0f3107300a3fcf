// Any bytes as Locust CSV.
#include "report_promises.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return report_promises(&locust_reader, data, size);
}
