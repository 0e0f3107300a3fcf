// Any bytes as OSV-Scanner JSON.
#include "report_promises.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return report_promises(&osv_reader, data, size);
}
