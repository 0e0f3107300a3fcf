// Any bytes as Clover XML.
#include "report_promises.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return report_promises(&clover_reader, data, size);
}
