// Any bytes as Dependabot's alerts.
#include "report_promises.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return report_promises(&dependabot_reader, data, size);
}
