// Any bytes as Cucumber's JSON.
#include "report_promises.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return report_promises(&cucumber_json_reader, data, size);
}
