// Any bytes as JaCoCo XML.
#include "report_promises.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return report_promises(&jacoco_reader, data, size);
}
