#include "gate/reports/dotnet_name.h"

#include <strings.h>

enum { FIXTURE_BYTES = 1000 }; // a longer one is not looked for

static size_t last_separator(str path)
{
    for (size_t i = path.len; i > 0; i--)
        if (path.data[i - 1] == '/' || path.data[i - 1] == '\\')
            return i - 1;
    return STR_NONE;
}

str dotnet_stem(str path)
{
    size_t at = last_separator(path);
    str name = at == STR_NONE ? path : str_from(path, at + 1);
    if (name.len > 4) {
        const char *end = name.data + (name.len - 4);
        if (strncasecmp(end, ".dll", 4) == 0 || strncasecmp(end, ".exe", 4) == 0)
            name.len -= 4;
    }
    return name;
}

str dotnet_folder(str path)
{
    size_t at = last_separator(path);
    return at == STR_NONE ? (str){NULL, 0} : str_first(path, at);
}

str dotnet_class(str qualified)
{
    size_t brackets = 0; // of generic arguments, which are qualified themselves
    for (size_t i = 0; i < qualified.len; i++) {
        char c = qualified.data[i];
        if (c == ',' && brackets == 0)
            return str_trim(str_first(qualified, i));
        if (c == '[')
            brackets++;
        else if (c == ']' && brackets)
            brackets--;
    }
    return str_trim(qualified);
}

str dotnet_split(str full, str fixture, str *ret_class)
{
    *ret_class = fixture;
    if (fixture.len == 0 || fixture.len > FIXTURE_BYTES)
        return full;
    for (size_t at = 0; at + fixture.len + 1 < full.len; at++) {
        size_t step = str_search(str_from(full, at), fixture);
        if (step == STR_NONE)
            return full;
        at += step;
        size_t end = at + fixture.len;
        bool begins = at == 0 || full.data[at - 1] == '.' || full.data[at - 1] == '+';
        if (!begins || end + 1 >= full.len || full.data[end] != '.')
            continue;
        *ret_class = str_first(full, end);
        return str_from(full, end + 1);
    }
    return full;
}
