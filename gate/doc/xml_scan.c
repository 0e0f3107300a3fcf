#include "gate/doc/xml_scan.h"

#include "gate/base/arena.h"

// ---- kinds of bytes ----------------------------------------------------------------------------
enum {
    SPACE = 1,
    START = 2,  // begins a name
    NAME = 4,   // goes on in one
    TEXT = 8,   // stands for itself in text
    VALUE = 16, // stands for itself in a value between either quotes
    PLAIN = TEXT | VALUE,
    INNER = NAME | PLAIN,
    FIRST = START | INNER,
};

// ASCII only: a byte that is 0 here ends every run and is looked at more closely. NUL is one, so
// that a run ends where the bytes end.
// clang-format off
static const unsigned char kinds[256] = {
    ['\t'] = TEXT | SPACE, ['\n'] = TEXT | SPACE, ['\r'] = SPACE, [' '] = TEXT | VALUE | SPACE,
    ['"'] = TEXT, ['\''] = TEXT, [']'] = VALUE, ['!'] = PLAIN, ['#'] = PLAIN, ['$'] = PLAIN,
    ['%'] = PLAIN, ['('] = PLAIN, [')'] = PLAIN, ['*'] = PLAIN, ['+'] = PLAIN, [','] = PLAIN,
    ['/'] = PLAIN, [';'] = PLAIN, ['='] = PLAIN, ['>'] = PLAIN, ['?'] = PLAIN, ['@'] = PLAIN,
    ['['] = PLAIN, ['\\'] = PLAIN, ['^'] = PLAIN, ['`'] = PLAIN, ['{'] = PLAIN, ['|'] = PLAIN,
    ['}'] = PLAIN, ['~'] = PLAIN, [0x7f] = PLAIN, ['-'] = INNER, ['.'] = INNER, ['0'] = INNER,
    ['1'] = INNER, ['2'] = INNER, ['3'] = INNER, ['4'] = INNER, ['5'] = INNER, ['6'] = INNER,
    ['7'] = INNER, ['8'] = INNER, ['9'] = INNER, [':'] = FIRST, ['_'] = FIRST, ['A'] = FIRST,
    ['B'] = FIRST, ['C'] = FIRST, ['D'] = FIRST, ['E'] = FIRST, ['F'] = FIRST, ['G'] = FIRST,
    ['H'] = FIRST, ['I'] = FIRST, ['J'] = FIRST, ['K'] = FIRST, ['L'] = FIRST, ['M'] = FIRST,
    ['N'] = FIRST, ['O'] = FIRST, ['P'] = FIRST, ['Q'] = FIRST, ['R'] = FIRST, ['S'] = FIRST,
    ['T'] = FIRST, ['U'] = FIRST, ['V'] = FIRST, ['W'] = FIRST, ['X'] = FIRST, ['Y'] = FIRST,
    ['Z'] = FIRST, ['a'] = FIRST, ['b'] = FIRST, ['c'] = FIRST, ['d'] = FIRST, ['e'] = FIRST,
    ['f'] = FIRST, ['g'] = FIRST, ['h'] = FIRST, ['i'] = FIRST, ['j'] = FIRST, ['k'] = FIRST,
    ['l'] = FIRST, ['m'] = FIRST, ['n'] = FIRST, ['o'] = FIRST, ['p'] = FIRST, ['q'] = FIRST,
    ['r'] = FIRST, ['s'] = FIRST, ['t'] = FIRST, ['u'] = FIRST, ['v'] = FIRST, ['w'] = FIRST,
    ['x'] = FIRST, ['y'] = FIRST, ['z'] = FIRST,
};
// clang-format on

static const char *skip(const char *at, unsigned kind)
{
    while (kinds[(unsigned char)*at] & kind)
        at++;
    return at;
}

static bool is_more(char c) // of a character of several bytes
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

// How many bytes the character of several bytes has that stands here; 0: it is not whole, or is
// none that XML allows.
static size_t character_length(const char *at, const char *end)
{
    unsigned char first = (unsigned char)at[0], second = (unsigned char)at[1]; // NUL at the end
    size_t left = (size_t)(end - at);
    if (!is_more(at[1]) || first < 0xC2 || first > 0xF4)
        return 0;
    if (first < 0xE0)
        return 2;
    if (left < 3 || !is_more(at[2]) || (first == 0xE0 && second < 0xA0) ||
        (first == 0xED && second > 0x9F))
        return 0;
    if (first < 0xF0) // not U+FFFE and U+FFFF
        return first == 0xEF && second == 0xBF && (unsigned char)at[2] > 0xBD ? 0 : 3;
    if (left < 4 || !is_more(at[3]) || (first == 0xF0 && second < 0x90) ||
        (first == 0xF4 && second > 0x8F))
        return 0;
    return 4;
}

// What ends a run: the end of the bytes, a character that they cut, or something odd.
static enum xml_piece stopped(const char *at, const char *end)
{
    unsigned char c = (unsigned char)*at;
    return at == end || (c >= 0x80 && end - at < 4) ? XML_MORE : XML_ODD;
}

// ---- references --------------------------------------------------------------------------------
enum { REFERENCE_BYTES = 12 }; // a longer one is odd

static size_t encode(uint32_t number, char out[4])
{
    bool allowed = number >= 0x20 || number == '\t' || number == '\n' || number == '\r';
    if (!allowed || (number >= 0xD800 && number < 0xE000) || number == 0xFFFE || number == 0xFFFF ||
        number > 0x10FFFF)
        return 0;
    if (number < 0x80) {
        out[0] = (char)number;
        return 1;
    }
    size_t len = number < 0x800 ? 2 : number < 0x10000 ? 3 : 4;
    for (size_t i = len; i-- > 1; number >>= 6)
        out[i] = (char)(0x80 | (number & 0x3F));
    out[0] = (char)(0xFFu << (8 - len) | number);
    return len;
}

static uint32_t number_of(str digits)
{
    bool hex = digits.len && digits.data[0] == 'x';
    uint32_t number = 0;
    if (hex)
        digits = str_from(digits, 1);
    if (digits.len == 0)
        return UINT32_MAX;
    for (size_t i = 0; i < digits.len && number < 0x110000; i++) {
        char c = digits.data[i], low = char_lower(c);
        if (c >= '0' && c <= '9')
            number = number * (hex ? 16 : 10) + (uint32_t)(c - '0');
        else if (hex && low >= 'a' && low <= 'f')
            number = number * 16 + (uint32_t)(low - 'a' + 10);
        else
            return UINT32_MAX;
    }
    return number;
}

// Decodes "&…;" at the start of `text`: how many bytes it becomes; 0: none that is known here.
static size_t decode(str text, char out[4], size_t *ret_used)
{
    static const struct {
        const char *name;
        char character;
    } entities[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
    size_t end = str_find(str_first(text, REFERENCE_BYTES), ';');
    if (end == STR_NONE)
        return 0;
    str name = str_make(text.data + 1, end - 1);
    *ret_used = end + 1;
    if (name.len && name.data[0] == '#')
        return encode(number_of(str_from(name, 1)), out);
    for (size_t i = 0; i < sizeof entities / sizeof *entities; i++) {
        if (str_is(name, entities[i].name)) {
            out[0] = entities[i].character;
            return 1;
        }
    }
    return 0;
}

// ---- tags --------------------------------------------------------------------------------------
struct attribute { // offsets from the '<'
    uint32_t name, name_end, value, value_end;
    bool replace; // white space or references in the value
};

struct tag {
    struct attribute attributes[XML_SCAN_ATTRIBUTES];
    size_t count;
    uint64_t names; // a bit for each kind of name that there was: most are told apart by it
    bool replace;
};

static bool is_repeated(struct tag *tag, const char *from, struct attribute *one)
{
    size_t len = one->name_end - one->name;
    const char *name = from + one->name;
    uint64_t bit = UINT64_C(1) << ((len * 7 + (size_t)(unsigned char)name[0] * 5 +
                                    (unsigned char)name[len - 1]) %
                                   64);
    bool again = false;
    if (tag->names & bit)
        for (size_t i = 0; i < tag->count; i++) {
            const struct attribute *other = &tag->attributes[i];
            again |=
                other->name_end - other->name == len && memcmp(from + other->name, name, len) == 0;
        }
    tag->names |= bit;
    return again;
}

// The closing quote of a value, or what stopped on the way there.
static const char *scan_value(const char *at, const char *end, char quote, bool *ret_replace)
{
    for (;; at++) {
        at = skip(at, VALUE);
        size_t more;
        if (*at == quote)
            return at;
        if (*at == '&' || *at == '\t' || *at == '\n' || *at == '\r')
            *ret_replace = true;
        else if (((unsigned char)*at & 0x80) && (more = character_length(at, end)) > 0)
            at += more - 1;
        else if (*at != '"' && *at != '\'')
            return at;
    }
}

// One attribute, from its first byte; *at moves behind it. XML_OPEN when it is well.
static enum xml_piece scan_attribute(struct tag *tag, const char *from, const char **at,
                                     const char *end)
{
    struct attribute *one = &tag->attributes[tag->count];
    const char *name = *at, *name_end = skip(name, NAME), *equals = skip(name_end, SPACE);
    *at = equals;
    if (tag->count == XML_SCAN_ATTRIBUTES || !(kinds[(unsigned char)*name] & START) ||
        *equals != '=')
        return stopped(*at, end);
    const char *quote = skip(equals + 1, SPACE);
    *at = quote;
    if (*quote != '"' && *quote != '\'')
        return stopped(*at, end);
    bool replace = false;
    const char *value_end = scan_value(quote + 1, end, *quote, &replace);
    *at = value_end;
    if (*value_end != *quote)
        return stopped(*at, end);
    *at = value_end + 1;
    *one = (struct attribute){(uint32_t)(name - from), (uint32_t)(name_end - from),
                              (uint32_t)(quote + 1 - from), (uint32_t)(value_end - from), replace};
    // A NUL in place of a line's end would move all places behind it.
    tag->replace |= replace || *name_end == '\n' || *name_end == '\r';
    if (is_repeated(tag, from, one))
        return XML_ODD;
    tag->count++;
    return XML_OPEN;
}

// Decodes the value in its place: it never becomes longer.
static bool replace(char *value, size_t len)
{
    char *out = value;
    str rest = str_make(value, len);
    while (rest.len) {
        char c = rest.data[0], decoded[4];
        size_t used = 1, made = 1;
        decoded[0] = c;
        if (c == '&')
            made = decode(rest, decoded, &used);
        else if (c == '\t' || c == '\n' || c == '\r')
            decoded[0] = ' ';
        if (made == 0)
            return false;
        if (c == '\r' && rest.len > 1 && rest.data[1] == '\n')
            used = 2;
        rest = str_from(rest, used);
        memcpy(out, decoded, made);
        out += made;
    }
    *out = '\0';
    return true;
}

static char *copy_of(struct xml_scan *scan, const char *from, size_t len)
{
    if (scan->copy_room < len) {
        scan->copy_room = len * 2;
        scan->copy = memory_grow(scan->copy, scan->copy_room);
    }
    memcpy(scan->copy, from, len);
    return scan->copy;
}

// Names and values become NUL-terminated where they stand, or in a copy.
static enum xml_piece hand_out(struct xml_scan *scan, const struct tag *tag, char *from)
{
    size_t len = scan->to - scan->from;
    char after = from[1 + scan->name_len];
    bool copied = tag->replace || after == '\n' || after == '\r';
    char *out = copied ? copy_of(scan, from, len) : from;
    for (size_t i = 0; i < tag->count; i++) {
        const struct attribute *one = &tag->attributes[i];
        if (one->replace && !replace(out + one->value, one->value_end - one->value))
            return XML_ODD;
    }
    for (size_t i = 0; i < tag->count; i++) {
        const struct attribute *one = &tag->attributes[i];
        out[one->name_end] = '\0';
        if (!one->replace)
            out[one->value_end] = '\0';
        scan->attributes[2 * i] = out + one->name;
        scan->attributes[2 * i + 1] = out + one->value;
    }
    scan->attributes[2 * tag->count] = NULL;
    out[1 + scan->name_len] = '\0';
    scan->name = out + 1;
    return XML_OPEN;
}

static enum xml_piece scan_open(struct xml_scan *scan)
{
    char *from = scan->data + scan->at;
    const char *end = scan->data + scan->len, *name_end = skip(from + 1, NAME), *at = name_end;
    struct tag tag;
    tag.count = 0;
    tag.names = 0;
    tag.replace = false;
    if (!(kinds[(unsigned char)from[1]] & START) || name_end - from - 1 > XML_SCAN_NAME)
        return stopped(from + 1, end);
    for (;;) {
        const char *before = at;
        at = skip(at, SPACE);
        if (*at == '>' || *at == '/')
            break;
        if (at == before)
            return stopped(at, end);
        enum xml_piece piece = scan_attribute(&tag, from, &at, end);
        if (piece != XML_OPEN)
            return piece;
    }
    bool empty = *at == '/';
    if (empty && *++at != '>')
        return stopped(at, end);
    scan->to = (size_t)(at + 1 - scan->data);
    scan->name_len = (size_t)(name_end - from - 1);
    enum xml_piece piece = hand_out(scan, &tag, from);
    return piece == XML_OPEN && empty ? XML_EMPTY : piece;
}

static enum xml_piece scan_close(struct xml_scan *scan, str innermost)
{
    const char *at = scan->data + scan->at + 2, *end = scan->data + scan->len;
    if (innermost.len == 0)
        return XML_ODD;
    if ((size_t)(end - at) <= innermost.len)
        return XML_MORE;
    if (memcmp(at, innermost.data, innermost.len) != 0)
        return XML_ODD;
    at = skip(at + innermost.len, SPACE);
    scan->to = (size_t)(at + 1 - scan->data);
    return *at == '>' ? XML_CLOSE : stopped(at, end);
}

// ---- text --------------------------------------------------------------------------------------
static enum xml_piece take_text(struct xml_scan *scan, str text, size_t passed)
{
    scan->text = text;
    scan->to = scan->at + passed;
    return XML_TEXT;
}

// What is no plain character of text.
static enum xml_piece scan_special(struct xml_scan *scan)
{
    str rest = xml_scan_rest(scan);
    char c = rest.data[0];
    size_t used;
    if (c == '\r') // its '\n' belongs to it
        return rest.len == 1 ? XML_MORE : take_text(scan, STR("\n"), rest.data[1] == '\n' ? 2 : 1);
    if (c == ']' && rest.len < 3)
        return XML_MORE;
    if (c == ']' && scan->in_cdata) {
        scan->in_cdata = false;
        return take_text(scan, STR(""), 3);
    }
    if (c == '&') {
        size_t len = decode(rest, scan->character, &used);
        if (len)
            return take_text(scan, str_make(scan->character, len), used);
        return rest.len < REFERENCE_BYTES ? XML_MORE : XML_ODD;
    }
    return stopped(rest.data, rest.data + rest.len);
}

static enum xml_piece scan_text(struct xml_scan *scan)
{
    const char *from = scan->data + scan->at, *at = from, *end = scan->data + scan->len;
    for (;; at++) {
        at = skip(at, TEXT);
        size_t more;
        if (((unsigned char)*at & 0x80) && (more = character_length(at, end)) > 0)
            at += more - 1;
        else if (*at == ']' ? end - at < 2 || (at[1] == ']' && (end - at < 3 || at[2] == '>'))
                            : !scan->in_cdata || (*at != '<' && *at != '&'))
            break;
    }
    if (*at == ']' && end - at > 2 && !scan->in_cdata) // none of the text is told before "]]>"
        return XML_ODD;
    size_t len = (size_t)(at - from);
    return len ? take_text(scan, str_make(from, len), len) : scan_special(scan);
}

static enum xml_piece scan_comment(struct xml_scan *scan)
{
    const char *at = scan->data + scan->at + 4, *end = scan->data + scan->len;
    for (;; at++) {
        size_t more;
        bool plain = kinds[(unsigned char)*at] & (TEXT | VALUE | SPACE);
        if (*at == '-') {
            if (end - at < 3)
                return XML_MORE;
            if (at[1] != '-')
                continue;
            return at[2] != '>'
                       ? XML_ODD
                       : take_text(scan, STR(""), (size_t)(at + 3 - scan->data) - scan->at);
        }
        if (((unsigned char)*at & 0x80) && (more = character_length(at, end)) > 0)
            at += more - 1;
        else if (!plain && *at != '<' && *at != '&')
            return stopped(at, end);
    }
}

// "<!": a comment or CDATA.
static enum xml_piece scan_mark(struct xml_scan *scan)
{
    static const str comment = STR_INIT("<!--"), cdata = STR_INIT("<![CDATA[");
    str rest = xml_scan_rest(scan);
    if (str_starts(rest, comment))
        return scan_comment(scan);
    if (str_starts(rest, cdata)) {
        scan->in_cdata = true;
        return take_text(scan, STR(""), cdata.len);
    }
    return str_starts(comment, rest) || str_starts(cdata, rest) ? XML_MORE : XML_ODD;
}

// ---- the scan ----------------------------------------------------------------------------------
void xml_scan_open(struct xml_scan *scan, struct xml_place place, bool text_wanted)
{
    *scan = (struct xml_scan){.place = place, .text_wanted = text_wanted};
}

enum xml_piece xml_scan_next(struct xml_scan *scan, str innermost)
{
    for (;;) {
        size_t left = scan->len - scan->at;
        scan->from = scan->at;
        if (left == 0 || left < scan->patience)
            return XML_MORE;
        enum xml_piece piece;
        const char *at = scan->data + scan->at;
        if (scan->in_cdata || *at != '<')
            piece = scan_text(scan);
        else if (at[1] == '/')
            piece = scan_close(scan, innermost);
        else
            piece = at[1] == '!' ? scan_mark(scan) : scan_open(scan);
        if (piece == XML_MORE) // so that a long token in small pieces is not scanned for each
            scan->patience = left + left / 2;
        if (piece <= XML_ODD)
            return piece;
        scan->patience = 0;
        scan->at = scan->to;
        if (piece != XML_TEXT || (scan->text_wanted && scan->text.len))
            return piece;
    }
}

void xml_scan_add(struct xml_scan *scan, str bytes)
{
    (void)xml_scan_place(scan, scan->at);
    size_t left = scan->len - scan->at, need = left + bytes.len + 1;
    if (left && scan->at)
        memmove(scan->data, scan->data + scan->at, left);
    if (need > scan->room) {
        scan->room = need * 2;
        scan->data = memory_grow(scan->data, scan->room);
    }
    if (bytes.len)
        memcpy(scan->data + left, bytes.data, bytes.len);
    scan->len = left + bytes.len;
    scan->data[scan->len] = '\0';
    scan->at = scan->place_at = 0;
}

uint64_t xml_scan_offset(const struct xml_scan *scan, size_t at)
{
    return scan->place.offset + at - scan->place_at;
}

str xml_scan_rest(const struct xml_scan *scan)
{
    return str_make(scan->data + scan->at, scan->len - scan->at);
}

void xml_scan_done(struct xml_scan *scan)
{
    memory_free(scan->data);
    memory_free(scan->copy);
    *scan = (struct xml_scan){0};
}

struct xml_place xml_scan_place(struct xml_scan *scan, size_t at)
{
    if (at > scan->place_at)
        xml_place_pass(&scan->place, str_make(scan->data + scan->place_at, at - scan->place_at));
    scan->place_at = at;
    return scan->place;
}
