// Any bytes as a Go cover profile.
#include "report_promises.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return report_promises(&go_cover_reader, data, size);
}
