// Any bytes as wrk's output.
#include "report_promises.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return report_promises(&wrk_reader, data, size);
}
