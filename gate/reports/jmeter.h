// What JMeter's two report formats have in common.
#ifndef GATE_REPORTS_JMETER_H
#define GATE_REPORTS_JMETER_H

#include "gate/reports/timing_samples.h"

// Is the sample with this response message a transaction controller's, which sums up others?
static inline bool jmeter_is_transaction(str message)
{
    return str_starts(message, STR("Number of samples in transaction :"));
}

#endif
