#include "gate/doc/xml_place.h"

static const char *find(const char *from, const char *end, char c)
{
    return from < end ? memchr(from, c, (size_t)(end - from)) : NULL;
}

void xml_place_pass(struct xml_place *place, str bytes)
{
    if (bytes.len == 0)
        return;
    const char *end = bytes.data + bytes.len, *line = bytes.data, *at = bytes.data;
    place->offset += bytes.len;
    while ((at = find(at, end, '\n'))) {
        place->line++;
        line = ++at;
    }
    for (at = bytes.data; (at = find(at, end, '\r')); at++) {
        bool alone = at + 1 == end || at[1] != '\n';
        place->line += alone;
        if (alone && at >= line)
            line = at + 1;
    }
    if (line != bytes.data)
        place->column = 0;
    for (; line < end; line++)
        place->column += ((unsigned char)*line & 0xC0) != 0x80;
}
