// Any bytes as the events of go test -json.
#include "report_promises.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return report_promises(&go_test_json_reader, data, size);
}
