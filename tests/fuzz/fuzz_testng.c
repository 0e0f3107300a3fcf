// Any bytes as a TestNG report.
#include "report_promises.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return report_promises(&testng_reader, data, size);
}
