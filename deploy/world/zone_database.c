#include "deploy/world/zone_database.h"

#include "deploy/world/files.h"
#include "gate/base/limits.h"
#include "gate/base/text.h"

#include <dirent.h>
#include <stdlib.h>

enum { ZONE_BYTES = 1 << 16, NAME_MAX_BYTES = 64 };

static const char *folder_of_database(void)
{
    static const char *const usual[] = {"/usr/share/zoneinfo", "/usr/lib/zoneinfo",
                                        "/usr/share/lib/zoneinfo", "/etc/zoneinfo"};
    const char *named = getenv("TZDIR");
    if (named && *named)
        return named;
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
        if (file_exists(usual[i]))
            return usual[i];
    return usual[0];
}

// "America/Argentina/Ushuaia": a path that stays below the folder.
static bool is_name(str name)
{
    if (name.len == 0 || name.len > NAME_MAX_BYTES)
        return false;
    while (name.len) {
        str part = str_cut(&name, '/');
        if (part.len == 0 || part.data[0] == '.')
            return false;
        for (size_t i = 0; i < part.len; i++) {
            char c = char_lower(part.data[i]);
            bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
                         c == '+';
            if (!plain)
                return false;
        }
    }
    return true;
}

// The entry of the same region whose name is most like it; empty when none is.
static str nearest(struct arena *arena, const char *folder, str name)
{
    size_t slash = str_find_last(name, '/');
    str region = slash == STR_NONE ? (str){"", 0} : str_first(name, slash + 1);
    str city = slash == STR_NONE ? name : str_from(name, slash + 1), found = {NULL, 0};
    size_t best = city.len / 3 > 2 ? city.len / 3 : 2;
    str path = arena_format(arena, "%s/" STR_FMT, folder, STR_ARG(region));
    DIR *list = opendir(path.data);
    if (!list)
        return found;
    for (const struct dirent *entry = readdir(list); entry; entry = readdir(list)) {
        str other = str_of(entry->d_name);
        size_t distance = str_distance(other, city);
        if (other.data[0] == '.' || distance > best || distance >= city.len ||
            (distance == best && found.len))
            continue;
        best = distance;
        found = arena_format(arena, STR_FMT STR_FMT, STR_ARG(region), STR_ARG(other));
    }
    (void)closedir(list);
    return found;
}

static bool unknown(struct arena *arena, const char *folder, str name, struct error *err)
{
    if (!file_exists(folder))
        return error_set(err, ERROR_ABSENT,
                         "time zone `" STR_FMT "` cannot be looked up: there is no time-zone "
                         "database in %s; install the package tzdata, or let TZDIR name its folder",
                         STR_ARG(name), folder);
    str other = nearest(arena, folder, name);
    if (other.len)
        return error_set(err, ERROR_INPUT,
                         "`" STR_FMT "` is no time zone; did you mean `" STR_FMT "`?",
                         STR_ARG(name), STR_ARG(other));
    return error_set(err, ERROR_INPUT,
                     "`" STR_FMT "` is no time zone of the database in %s: write one such as "
                     "`Europe/Amsterdam` or `UTC`",
                     STR_ARG(name), folder);
}

bool zone_find(struct arena *arena, str name, const struct zone **ret, struct error *err)
{
    const char *folder = folder_of_database();
    struct error why;
    struct arena bytes_arena = {0};
    str bytes = {NULL, 0};
    if (str_is(name, "UTC")) {
        *ret = zone_utc();
        return true;
    }
    if (!is_name(name))
        return error_set(err, ERROR_INPUT,
                         "`" STR_FMT "` is no time zone: write one such as `Europe/Amsterdam` or "
                         "`UTC`",
                         STR_ARG(str_first(name, 80)));
    str path = arena_format(arena, "%s/" STR_FMT, folder, STR_ARG(name));
    bool ok = file_read(&bytes_arena, path.data, ZONE_BYTES, &bytes, &why);
    if (!ok && why.kind == ERROR_ABSENT) {
        (void)unknown(arena, folder, name, err);
    } else if (!ok || !(ok = zone_parse(arena, bytes, ret, &why))) {
        *err = why;
        err->kind = ERROR_INPUT;
        (void)error_wrap(err, "time zone `" STR_FMT "`", STR_ARG(name));
    }
    arena_done(&bytes_arena);
    return ok;
}
