// What the files about the register share.
#ifndef GATE_RISK_REGISTER_PARTS_H
#define GATE_RISK_REGISTER_PARTS_H

#define RISK_WEIGHT_MOST 5 // of a business flow

#endif
