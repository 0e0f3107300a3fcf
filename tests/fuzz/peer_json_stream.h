// What jansson makes of the same bytes.
#ifndef TESTS_FUZZ_PEER_JSON_STREAM_H
#define TESTS_FUZZ_PEER_JSON_STREAM_H

#include "gate/base/text.h"

enum peer_verdict {
    PEER_REFUSES,
    PEER_NUMBER_TOO_LARGE, // it reads numbers, and cannot hold this one
    PEER_DUPLICATES,       // accepted, but its tree has lost a key
    PEER_ACCEPTS,          // `values` holds the tree: { } [ ] k<key> s<string> n t f 0
};

enum peer_verdict peer_read(str bytes, struct text *values);

#endif
