// Any bytes as Trivy's JSON.
#include "report_promises.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return report_promises(&trivy_reader, data, size);
}
