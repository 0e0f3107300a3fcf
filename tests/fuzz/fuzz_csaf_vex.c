// Any bytes as CSAF VEX.
#include "report_promises.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return report_promises(&csaf_vex_reader, data, size);
}
