#include "gate/risk/version.h"

#include "gate/base/number.h"

bool version_parse(str text, struct version *ret)
{
    struct version version = {.rest = str_trim(text)};
    if (version.rest.len > 1 && (version.rest.data[0] == 'v' || version.rest.data[0] == 'V'))
        version.rest = str_from(version.rest, 1);
    while (version.count < VERSION_PARTS) {
        bool dotted = version.count > 0;
        str rest = version.rest;
        if (dotted && (rest.len == 0 || rest.data[0] != '.'))
            break;
        rest = dotted ? str_from(rest, 1) : rest;
        size_t digits = 0;
        while (digits < rest.len && rest.data[digits] >= '0' && rest.data[digits] <= '9')
            digits++;
        if (!number_u32(str_first(rest, digits), &version.parts[version.count]))
            break;
        version.count++;
        version.rest = str_from(rest, digits);
    }
    if (version.count == 0)
        return false;
    *ret = version;
    return true;
}

int version_cmp(const struct version *a, const struct version *b)
{
    for (size_t i = 0; i < VERSION_PARTS; i++)
        if (a->parts[i] != b->parts[i])
            return a->parts[i] < b->parts[i] ? -1 : 1;
    return 0;
}

bool version_within(const struct version *version, const struct version *series)
{
    if (version->count < series->count)
        return false;
    for (size_t i = 0; i < series->count; i++)
        if (version->parts[i] != series->parts[i])
            return false;
    return true;
}
