// Any bytes as a summary of k6.
#include "report_promises.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return report_promises(&k6_reader, data, size);
}
