// Any bytes as npm, pnpm and Yarn audits.
#include "report_promises.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return report_promises(&npm_audit_reader, data, size);
}
