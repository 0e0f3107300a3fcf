// Any bytes as Cobertura XML.
#include "report_promises.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return report_promises(&cobertura_reader, data, size);
}
