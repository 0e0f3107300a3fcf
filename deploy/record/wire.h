// The binary encoding of ssh: numbers of 4 bytes, most significant first, and strings that their
// length precedes. Private to this folder's signatures.
//
//     struct wire in = {blob, size};
//     str kind = wire_str(&in);
//     if (in.bad) ...                 // once, at the end
#ifndef DEPLOY_RECORD_WIRE_H
#define DEPLOY_RECORD_WIRE_H

#include "gate/base/text.h"

#include <stdint.h>

struct wire {
    const unsigned char *at;
    size_t left;
    bool bad; // it ended early; everything read since is empty
};

static inline const unsigned char *wire_bytes(struct wire *in, size_t size)
{
    if (in->bad || in->left < size) {
        in->bad = true;
        return NULL;
    }
    const unsigned char *at = in->at;
    in->at += size;
    in->left -= size;
    return at;
}

static inline uint32_t wire_u32(struct wire *in)
{
    const unsigned char *p = wire_bytes(in, 4);
    return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

static inline str wire_str(struct wire *in)
{
    uint32_t size = wire_u32(in);
    const unsigned char *p = wire_bytes(in, size);
    return p ? str_make((const char *)p, size) : (str){NULL, 0};
}

static inline void wire_add_u32(struct text *out, uint32_t value)
{
    text_addc(out, (char)(value >> 24));
    text_addc(out, (char)(value >> 16));
    text_addc(out, (char)(value >> 8));
    text_addc(out, (char)value);
}

static inline void wire_add_str(struct text *out, str s)
{
    wire_add_u32(out, (uint32_t)s.len);
    text_add(out, s);
}

#endif
