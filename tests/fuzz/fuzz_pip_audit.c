// Any bytes as pip-audit JSON.
#include "report_promises.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return report_promises(&pip_audit_reader, data, size);
}
