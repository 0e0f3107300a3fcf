// Any bytes as Gatling's log.
#include "report_promises.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return report_promises(&gatling_log_reader, data, size);
}
