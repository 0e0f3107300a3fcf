#include "actions/github/github_place.h"

// Host and path of ssh://user@host:22/path, https://host/path and user@host:path.
static bool split(str address, str *ret_host, str *ret_path)
{
    size_t scheme = str_search(address, STR("://"));
    bool has_scheme = scheme != STR_NONE;
    str rest = has_scheme ? str_from(address, scheme + 3) : address;
    size_t end = str_find(rest, has_scheme ? '/' : ':');
    if (end == STR_NONE || end == 0 || (has_scheme && str_starts(address, STR("file:"))))
        return false;
    str host = str_first(rest, end);
    size_t at = str_find_last(host, '@');
    if (at != STR_NONE)
        host = str_from(host, at + 1);
    else if (!has_scheme)
        return false; // "C:/path", "./x:y"
    *ret_host = str_first(host, str_find(host, ':'));
    *ret_path = str_from(rest, end + 1);
    return ret_host->len > 0;
}

bool github_place_of(struct arena *arena, str address, struct github_place *ret)
{
    str host, path;
    if (!split(str_trim(address), &host, &path))
        return false;
    while (str_ends(path, STR("/")))
        path.len--;
    if (str_ends(path, STR(".git")))
        path.len -= 4;
    str name = path, owner = str_cut(&name, '/');
    if (!owner.len || !name.len || str_find(name, '/') != STR_NONE)
        return false;
    bool public = str_cmp_any_case(host, STR("github.com")) == 0 ||
                  str_cmp_any_case(host, STR("ssh.github.com")) == 0;
    ret->api_url = public ? "https://api.github.com"
                          : arena_format(arena, "https://" STR_FMT "/api/v3", STR_ARG(host)).data;
    ret->repository = arena_copy(arena, path);
    return true;
}
