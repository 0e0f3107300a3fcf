// Any bytes as SARIF.
#include "report_promises.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return report_promises(&sarif_reader, data, size);
}
