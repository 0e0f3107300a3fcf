// Any bytes as a TRX report.
#include "report_promises.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return report_promises(&trx_reader, data, size);
}
