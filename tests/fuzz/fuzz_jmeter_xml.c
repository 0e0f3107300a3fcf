// Any bytes as JMeter XML.
#include "report_promises.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return report_promises(&jmeter_xml_reader, data, size);
}
