// Any bytes as llvm-cov's JSON.
#include "report_promises.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return report_promises(&llvm_cov_json_reader, data, size);
}
