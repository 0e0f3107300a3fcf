#include "deploy/cloud/url_parts.h"

static bool is_plain(str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.data[i] <= ' ' || s.data[i] == 0x7f)
            return false;
    return true;
}

static str without_port(str host)
{
    size_t colon = str_find_last(host, ':');
    bool in_brackets = host.len && host.data[host.len - 1] == ']';
    return colon == STR_NONE || in_brackets ? host : str_first(host, colon);
}

bool url_split(str url, struct url_parts *ret, struct error *err)
{
    struct url_parts parts = {0};
    str rest = url;
    parts.secure = str_starts(url, STR("https://"));
    if (!parts.secure && !str_starts(url, STR("http://")))
        return error_set(err, ERROR_INPUT, "`" STR_FMT "` is not a URL of http or https",
                         STR_ARG(str_shorten(url, 200)));
    parts.scheme = str_first(url, parts.secure ? 5 : 4);
    rest = str_from(rest, parts.scheme.len + 3);
    size_t end = 0;
    while (end < rest.len && rest.data[end] != '/' && rest.data[end] != '?')
        end++;
    parts.host = str_first(rest, end);
    rest = str_from(rest, end);
    parts.path = str_cut(&rest, '?');
    parts.query = rest;
    if (!is_plain(parts.host) || str_find(parts.host, '@') != STR_NONE ||
        str_find(url, '#') != STR_NONE || !without_port(parts.host).len)
        return error_set(err, ERROR_INPUT, "`" STR_FMT "` cannot be asked: its host is not plain",
                         STR_ARG(str_shorten(parts.host, 100)));
    parts.name = without_port(parts.host);
    if (str_ends(parts.host, parts.secure ? STR(":443") : STR(":80")) &&
        parts.name.len < parts.host.len)
        parts.host = parts.name;
    *ret = parts;
    return true;
}

static bool is_unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '~';
}

void url_encode(struct text *out, str s, enum url_encoding encoding)
{
    for (size_t i = 0; i < s.len; i++)
        if (is_unreserved(s.data[i]) || (encoding == URL_PATH && s.data[i] == '/'))
            text_addc(out, s.data[i]);
        else
            text_addf(out, "%%%02X", (unsigned)(unsigned char)s.data[i]);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = char_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void url_decode(struct text *out, str s)
{
    for (size_t i = 0; i < s.len; i++) {
        int high = i + 2 < s.len && s.data[i] == '%' ? hex_digit(s.data[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(s.data[i + 2]) : -1;
        if (low >= 0) {
            text_addc(out, (char)(high * 16 + low));
            i += 2;
        } else {
            text_addc(out, s.data[i]);
        }
    }
}

bool url_is_loopback(str name)
{
    return str_is(name, "localhost") || str_starts(name, STR("127.")) || str_is(name, "[::1]");
}
