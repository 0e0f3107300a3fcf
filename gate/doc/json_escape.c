#include "gate/doc/json_escape.h"

#include "gate/doc/json_token.h"

void json_escape_begin(struct json_escape *escape)
{
    *escape = (struct json_escape){.state = JSON_ESCAPE_FIRST};
}

static bool begin_hex(struct json_escape *escape)
{
    escape->state = JSON_ESCAPE_HEX;
    escape->digits = escape->unit = 0;
    return true;
}

static bool take_first(struct json_escape *escape, char c, struct text *token, bool *ret_ended,
                       const char **ret_why)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (c == 'u')
        return begin_hex(escape);
    const char *found = c ? strchr(from, c) : NULL;
    *ret_why = "this escape is not known in JSON";
    if (!found)
        return false;
    text_addc(token, to[found - from]);
    *ret_ended = true;
    return true;
}

static bool end_hex(struct json_escape *escape, struct text *token, bool *ret_ended,
                    const char **ret_why)
{
    unsigned unit = escape->unit, high = escape->high;
    bool is_high = unit >= 0xD800 && unit < 0xDC00, is_low = unit >= 0xDC00 && unit < 0xE000;
    *ret_why = unit ? "half of a surrogate pair (`\\uD800` to `\\uDFFF`) stands alone"
                    : "a text may not hold a NUL character (`\\u0000`)";
    if (unit == 0 || is_low != (high != 0))
        return false;
    if (is_high) {
        escape->high = unit;
        escape->state = JSON_ESCAPE_SLASH;
        return true;
    }
    json_add_utf8(token, is_low ? 0x10000 + ((high - 0xD800) << 10) + (unit - 0xDC00) : unit);
    *ret_ended = true;
    return true;
}

static bool take_hex(struct json_escape *escape, char c, struct text *token, bool *ret_ended,
                     const char **ret_why)
{
    unsigned digit;
    *ret_why = "four hexadecimal digits must follow `\\u`";
    if (c >= '0' && c <= '9')
        digit = (unsigned)(c - '0');
    else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
        digit = (unsigned)((c | 0x20) - 'a' + 10);
    else
        return false;
    escape->unit = escape->unit << 4 | digit;
    return ++escape->digits < 4 || end_hex(escape, token, ret_ended, ret_why);
}

bool json_escape_take(struct json_escape *escape, char c, struct text *token, bool *ret_ended,
                      const char **ret_why)
{
    *ret_ended = false;
    switch (escape->state) {
    case JSON_ESCAPE_FIRST:
        return take_first(escape, c, token, ret_ended, ret_why);
    case JSON_ESCAPE_HEX:
        return take_hex(escape, c, token, ret_ended, ret_why);
    case JSON_ESCAPE_SLASH: // the other half of the pair
    case JSON_ESCAPE_U:
        break;
    }
    bool slash = escape->state == JSON_ESCAPE_SLASH;
    *ret_why = "half of a surrogate pair (`\\uD800` to `\\uDFFF`) stands alone";
    if (c != (slash ? '\\' : 'u'))
        return false;
    escape->state = JSON_ESCAPE_U;
    return slash || begin_hex(escape);
}
