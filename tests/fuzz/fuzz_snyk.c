// Any bytes as Snyk's JSON.
#include "report_promises.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return report_promises(&snyk_reader, data, size);
}
