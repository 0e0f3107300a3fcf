// Any bytes as coverage.py's JSON.
#include "report_promises.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return report_promises(&coveragepy_reader, data, size);
}
