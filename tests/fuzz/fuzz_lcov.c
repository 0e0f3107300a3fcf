// Any bytes as LCOV.
#include "report_promises.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return report_promises(&lcov_reader, data, size);
}
