// Any bytes as an NUnit report.
#include "report_promises.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return report_promises(&nunit_reader, data, size);
}
