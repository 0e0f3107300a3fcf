#include "deploy/artifact/image.h"

#include "deploy/artifact/image_parts.h"
#include "deploy/artifact/registry.h"
#include "deploy/cloud/url_parts.h"
#include "gate/base/sha256.h"

enum { TAG_MOST = 128, REPOSITORY_MOST = 255, HOST_MOST = 255 };

#define SMALL "abcdefghijklmnopqrstuvwxyz0123456789"

// ---- names --------------------------------------------------------------------------------------

static bool is_made_of(str s, const char *letters, size_t most)
{
    for (size_t i = 0; i < s.len; i++)
        if (str_find(str_of(letters), s.data[i]) == STR_NONE)
            return false;
    return s.len > 0 && s.len <= most;
}

static bool is_repository(str s)
{
    bool ok = is_made_of(s, SMALL "._-/", REPOSITORY_MOST);
    for (bool more = ok; more && ok;) {
        more = str_find(s, '/') != STR_NONE;
        str part = str_cut(&s, '/');
        ok = part.len > 0 && str_find(STR("._-"), part.data[0]) == STR_NONE;
    }
    return ok;
}

static bool is_tag(str s)
{
    return is_made_of(s, SMALL "ABCDEFGHIJKLMNOPQRSTUVWXYZ._-", TAG_MOST) && s.data[0] != '.' &&
           s.data[0] != '-';
}

static bool is_host(str s)
{
    struct url_parts parts;
    struct error ignored;
    char url[HOST_MOST + 16];
    struct text text = text_of(sizeof url);
    text_addf(&text, "https://" STR_FMT "/", STR_ARG(s));
    bool ok = s.len <= HOST_MOST && url_split(text_str(&text), &parts, &ignored) &&
              str_is(parts.path, "/");
    text_done(&text);
    return ok;
}

// What stands before the first `/` is a host when it cannot be the name of a user of Docker Hub.
static void split_host(struct arena *arena, str path, struct image_name *name)
{
    size_t slash = str_find(path, '/');
    str first = slash == STR_NONE ? (str){NULL, 0} : str_first(path, slash);
    bool host = str_find(first, '.') != STR_NONE || str_find(first, ':') != STR_NONE ||
                str_is(first, "localhost");
    name->host = host ? first : STR("docker.io");
    name->repository = host ? str_from(path, slash + 1) : path;
    if (str_is(name->host, "docker.io") || str_is(name->host, "index.docker.io"))
        name->host = STR("registry-1.docker.io");
    if (str_is(name->host, "registry-1.docker.io") && str_find(name->repository, '/') == STR_NONE)
        name->repository = arena_format(arena, "library/" STR_FMT, STR_ARG(name->repository));
}

bool image_parse(struct arena *arena, str image, struct image_name *ret, struct error *err)
{
    struct image_name name = {0};
    size_t at = str_find(image, '@');
    str path = at == STR_NONE ? image : str_first(image, at);
    if (at != STR_NONE)
        name.digest = str_from(image, at + 1);
    size_t slash = str_find_last(path, '/'), colon = str_find_last(path, ':');
    if (colon != STR_NONE && (slash == STR_NONE || colon > slash)) {
        name.tag = str_from(path, colon + 1);
        path = str_first(path, colon);
    } else if (at == STR_NONE) {
        name.tag = STR("latest");
    }
    split_host(arena, path, &name);
    bool ok = is_host(name.host) && is_repository(name.repository) &&
              (at == STR_NONE || sha256_is_named(name.digest)) &&
              ((at != STR_NONE && !name.tag.len) || is_tag(name.tag));
    if (!ok)
        return error_set(err, ERROR_INPUT,
                         "`" STR_FMT
                         "` is no name of an image, such as `ghcr.io/learn/web:v812` or "
                         "`ghcr.io/learn/web@sha256:…` with 64 digits",
                         STR_ARG(str_shorten(image, 200)));
    if (at != STR_NONE) // a tag beside it says nothing more
        name.tag = (str){NULL, 0};
    *ret = name;
    return true;
}

// ---- looking up ---------------------------------------------------------------------------------

bool image_resolve(const struct artifact_access *access, str image, struct arena *arena,
                   str *ret_digest, struct error *err)
{
    struct registry_look look = {.access = access, .image = image};
    struct url_parts parts;
    str url;
    bool ok = image_parse(&look.arena, image, &look.name, err);
    if (ok) {
        url = arena_format(&look.arena, "https://" STR_FMT "/", STR_ARG(look.name.host));
        ok = url_split(url, &parts, err);
    }
    if (ok) {
        look.local = url_is_loopback(parts.name);
        look.origin = arena_format(&look.arena, "%s://" STR_FMT, look.local ? "http" : "https",
                                   STR_ARG(look.name.host))
                          .data;
        chain_begin(&look.chain, access->cloud, &look);
        registry_login(&look);
        ok = chain_finish(&look.chain, err);
        chain_drop(&look.chain);
    }
    if (ok)
        *ret_digest = arena_str(arena, look.digest);
    secret_done(&look.basic);
    secret_done(&look.bearer);
    arena_done(&look.arena);
    return ok;
}
