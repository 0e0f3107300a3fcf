// Any bytes as OpenCover XML.
#include "report_promises.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return report_promises(&opencover_reader, data, size);
}
