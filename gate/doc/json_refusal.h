// Why a document is no JSON, in the words and with the place of the streaming reader: jansson
// quotes the input in its messages, which may be neither text nor short. (Its names clash with
// those of json_stream.h, hence a file between the two.)
//
//     if (json_refusal(file, bytes, err)) return false;   // *err says why
#ifndef GATE_DOC_JSON_REFUSAL_H
#define GATE_DOC_JSON_REFUSAL_H

#include "gate/base/error.h"

bool json_refusal(const char *file, str bytes, struct error *err); // false: it finds nothing wrong

#endif
