// Any bytes as CycloneDX.
#include "report_promises.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return report_promises(&cyclonedx_reader, data, size);
}
