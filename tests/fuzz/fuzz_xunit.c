// Any bytes as an xUnit.net report.
#include "report_promises.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return report_promises(&xunit_reader, data, size);
}
