// Any bytes as JMeter CSV.
#include "report_promises.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return report_promises(&jmeter_csv_reader, data, size);
}
