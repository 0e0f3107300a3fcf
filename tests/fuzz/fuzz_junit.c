// Any bytes as JUnit XML.
#include "report_promises.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return report_promises(&junit_reader, data, size);
}
