#include "deploy/artifact/docker_config.h"

#include "deploy/world/files.h"
#include "gate/base/limits.h"
#include "gate/doc/json.h"

enum { FILE_MOST = 1 << 20 };

static const str hub = STR_INIT("registry-1.docker.io");

static const char *path_of(struct arena *arena, const struct cloud *cloud)
{
    const char *folder = cloud_variable(cloud, "DOCKER_CONFIG");
    const char *home = cloud_variable(cloud, "HOME");
    if (folder)
        return arena_format(arena, "%s/config.json", folder).data;
    return home ? arena_format(arena, "%s/.docker/config.json", home).data : NULL;
}

// Keys are "ghcr.io", "https://ghcr.io" or "https://index.docker.io/v1/".
static bool is_of(str key, str host)
{
    size_t scheme = str_search(key, STR("://"));
    str rest = scheme == STR_NONE ? key : str_from(key, scheme + 3);
    str name = str_cut(&rest, '/');
    if (str_is(name, "index.docker.io") || str_is(name, "docker.io"))
        name = hub;
    return str_cmp_any_case(name, host) == 0;
}

static const struct node *entry_of(const struct node *map, str host)
{
    for (const struct node *n = map && map->kind == NODE_MAP ? map->first : NULL; n; n = n->next)
        if (is_of(n->key, host))
            return n;
    return NULL;
}

static bool is_base64(str s)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
    for (size_t i = 0; i < s.len; i++)
        if (str_find(str_of(digits), s.data[i]) == STR_NONE)
            return false;
    return true;
}

static bool read_tree(const struct node *tree, const char *path, str host, struct secret *ret,
                      struct error *err)
{
    const struct node *entry = entry_of(node_get(tree, "auths"), host);
    const struct node *program = entry_of(node_get(tree, "credHelpers"), host);
    str basic = node_text(entry, "auth"), name = program ? program->text : (str){NULL, 0};
    if (!name.len && entry && !basic.len)
        name = node_text(tree, "credsStore");
    if (node_text(entry, "identitytoken").len)
        return error_set(err, ERROR_INPUT,
                         "%s has an identity token for " STR_FMT
                         ", which sluice cannot use: log in "
                         "with a user's name and a password or an access token",
                         path, STR_ARG(host));
    if (basic.len && !is_base64(basic))
        return error_set(err, ERROR_INPUT, "%s: `auth` of " STR_FMT " is no base64", path,
                         STR_ARG(host));
    if (!basic.len && name.len)
        return error_set(err, ERROR_INPUT,
                         "%s keeps the password of " STR_FMT
                         " with the program docker-credential-" STR_FMT
                         ", which sluice does not run: name a folder in DOCKER_CONFIG where "
                         "`docker login " STR_FMT "` was done without it",
                         path, STR_ARG(host), STR_ARG(str_shorten(name, 60)), STR_ARG(host));
    if (basic.len)
        secret_take(ret, basic);
    return true;
}

bool docker_config_read(struct cloud *cloud, str host, struct secret *ret, struct error *err)
{
    struct arena arena = {0};
    struct error unread = {0};
    const struct node *tree = NULL;
    str bytes = {NULL, 0};
    const char *path = path_of(&arena, cloud);
    bool ok = true;
    if (path && !file_read(&arena, path, FILE_MOST, &bytes, &unread)) {
        ok = unread.kind == ERROR_ABSENT;
        if (!ok)
            *err = unread;
    } else if (path) {
        ok = json_parse(&arena, path, bytes, &tree, err) && read_tree(tree, path, host, ret, err);
    }
    if (bytes.len)
        secret_wipe((void *)(uintptr_t)bytes.data, bytes.len);
    cloud_wipe_tree(tree);
    arena_done(&arena);
    return ok;
}
