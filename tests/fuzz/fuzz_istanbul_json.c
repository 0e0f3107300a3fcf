// Any bytes as Istanbul's JSON.
#include "report_promises.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return report_promises(&istanbul_json_reader, data, size);
}
