// What comes from the environment where a target is opened: `${env.NAME}` in what names hosts and
// logins. The other templates (path, health) are expanded host by host, when they are used.
#include "deploy/targets/hosts_config.h"

#include "gate/base/limits.h"
#include "gate/base/text.h"

static bool resolve(struct arena *arena, const struct template_value *variables, const char *key,
                    str *value, struct error *err)
{
    static const struct template_value none[] = {{NULL, {NULL, 0}}};
    if (str_search(*value, STR("${")) == STR_NONE)
        return true;
    struct text out = text_of(LIMIT_PATH);
    bool ok = template_expand(*value, variables ? variables : none, TEMPLATE_PLAIN, &out, err);
    if (ok && out.len == 0)
        ok = error_set(err, ERROR_INPUT, "nothing is left of it");
    if (ok)
        *value = arena_str(arena, text_str(&out));
    else
        (void)error_wrap(err, "`%s`", key);
    text_done(&out);
    return ok;
}

static bool resolve_host(struct arena *arena, const struct template_value *variables,
                         const struct host *from, struct host *ret, struct error *err)
{
    *ret = *from;
    ret->variables = ARENA_ARRAY(arena, struct exec_variable, from->variable_count + 1);
    for (size_t i = 0; i < from->variable_count; i++) {
        ret->variables[i] = from->variables[i];
        if (!resolve(arena, variables, from->variables[i].name, &ret->variables[i].value, err))
            return error_wrap(err, "host " STR_FMT, STR_ARG(from->name));
    }
    if (!resolve(arena, variables, "address", &ret->address, err))
        return error_wrap(err, "host " STR_FMT, STR_ARG(from->name));
    return hosts_is_address(ret->address) ||
           error_set(err, ERROR_INPUT,
                     "host " STR_FMT ": `address` must be a host name or an IP address, not "
                     "`" STR_FMT "`",
                     STR_ARG(from->name), STR_ARG(str_first(ret->address, 120)));
}

// A path is absolute on every host, whatever the environment put into it.
static bool check_path(const struct host *host, const struct template_value *variables, str path,
                       struct error *err)
{
    struct text out = text_of(LIMIT_PATH);
    bool ok = hosts_expand(host, NULL, variables, path, TEMPLATE_PLAIN, &out, err);
    if (!ok)
        (void)error_wrap(err, "`path`");
    else if (out.len == 0 || out.data[0] != '/')
        ok = error_set(err, ERROR_INPUT, "`path` must be absolute, such as `/srv/app`, not `%s`",
                       text_c(&out));
    text_done(&out);
    return ok;
}

bool hosts_resolve(struct arena *arena, const struct hosts_config *config,
                   const struct template_value *variables, const struct hosts_config **ret,
                   struct error *err)
{
    struct hosts_config *made = ARENA_NEW(arena, struct hosts_config);
    *made = *config;
    made->hosts = ARENA_ARRAY(arena, struct host, config->host_count);
    bool ok = resolve(arena, variables, "user", &made->user, err) &&
              resolve(arena, variables, "known_hosts", &made->known_hosts, err) &&
              resolve(arena, variables, "fingerprint", &made->fingerprint, err) &&
              resolve(arena, variables, "key_file", &made->key_file, err);
    if (ok && made->fingerprint.len && !str_starts(made->fingerprint, STR("SHA256:")))
        ok = error_set(err, ERROR_INPUT,
                       "`fingerprint` must begin with `SHA256:`, as `ssh-keygen -lf` prints it");
    for (size_t i = 0; ok && i < config->host_count; i++)
        ok = resolve_host(arena, variables, &config->hosts[i], &made->hosts[i], err) &&
             check_path(&made->hosts[i], variables, config->path, err);
    if (ok)
        *ret = made;
    return ok;
}
