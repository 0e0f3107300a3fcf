// The `hosts` section of a target: its field table and its inventory.
#include "deploy/targets/hosts_config.h"

#include "deploy/targets/hosts_artifact.h"
#include "gate/base/limits.h"
#include "gate/base/moment.h"

static const char *const transports[] = {"ssh", "local", NULL};

static const struct shape_field health_fields[] = {
    {.key = "url",
     .kind = SHAPE_STR,
     .offset = offsetof(struct hosts_health, url),
     .required = true,
     .doc = "Asked on every host after a change: `${host}`, the inventory's variables, "
            "`${revision}`."},
    {.key = "status",
     .kind = SHAPE_INT,
     .offset = offsetof(struct hosts_health, status),
     .min = 100,
     .max = 599,
     .fallback = "200",
     .doc = "The status that means healthy."},
    {.key = "contains",
     .kind = SHAPE_STR,
     .offset = offsetof(struct hosts_health, contains),
     .doc = "Words that the answer must hold, such as `${revision}`: then an old process is not "
            "taken for the new."},
    {.key = "timeout",
     .kind = SHAPE_DURATION,
     .offset = offsetof(struct hosts_health, timeout_ms),
     .fallback = "1m",
     .doc = "How long a host may take to become healthy."},
    {.kind = SHAPE_END},
};
static const struct shape health_shape = {.name = "health",
                                          .size_bytes = sizeof(struct hosts_health),
                                          .fields = health_fields,
                                          .shorthand = "url",
                                          .doc = "When a host counts as healthy."};

static const struct shape_field migrate_fields[] = {
    {.key = "run",
     .kind = SHAPE_STR,
     .offset = offsetof(struct hosts_migrate, run),
     .required = true,
     .doc = "Run on the first host, in the folder of the new release, once it is on all of them. "
            "It must do no harm when it is run twice; exit status 75 means: later, try again."},
    {.key = "files",
     .kind = SHAPE_LIST,
     .offset = offsetof(struct hosts_migrate, files),
     .shape = &shape_of_str,
     .min = 1,
     .max = 50,
     .doc = "Patterns of the files that hold migrations, Django's or SQL; "
            "`**/migrations/*.py` and `**/migrations/*.sql` when absent."},
    {.kind = SHAPE_END},
};

static const struct shape migrate_shape = {
    .name = "migrate",
    .size_bytes = sizeof(struct hosts_migrate),
    .fields = migrate_fields,
    .shorthand = "run",
    .position_offset = offsetof(struct hosts_migrate, at) + 1,
    .doc = "Database migrations.",
};

#define AT(member) offsetof(struct hosts_config, member)
static const struct shape_field hosts_fields[] = {
    {.key = "inventory",
     .kind = SHAPE_NODE,
     .offset = AT(inventory_node),
     .required = true,
     .doc = "The hosts, in the order in which they are changed: names, or maps with `host`, "
            "variables such as `port`, and for SSH `address` and `ssh_port`. `${env.NAME}` may "
            "stand in the variables and in `address`."},
    {.key = "transport",
     .kind = SHAPE_CHOICE,
     .offset = AT(transport),
     .choices = transports,
     .fallback = "ssh",
     .doc = "`local` runs the same steps as child processes on this machine."},
    {.key = "user",
     .kind = SHAPE_STR,
     .offset = AT(user),
     .doc = "Login name for SSH; `${env.NAME}` may stand in it."},
    {.key = "port",
     .kind = SHAPE_INT,
     .offset = AT(port),
     .min = 1,
     .max = 65535,
     .fallback = "22",
     .doc = "SSH port, where the inventory has no `ssh_port` for the host."},
    {.key = "known_hosts",
     .kind = SHAPE_STR,
     .offset = AT(known_hosts),
     .doc = "File with the host keys; `~/.ssh/known_hosts` when absent. `${env.NAME}` may stand "
            "in it."},
    {.key = "fingerprint",
     .kind = SHAPE_STR,
     .offset = AT(fingerprint),
     .doc = "A pinned host key, `SHA256:…`, instead of known_hosts. `${env.NAME}` may stand in "
            "it."},
    {.key = "key_file",
     .kind = SHAPE_STR,
     .offset = AT(key_file),
     .doc = "Private key, ed25519 or ECDSA; the agent and the usual files when absent. "
            "`${env.NAME}` may stand in the file's name."},
    {.key = "path",
     .kind = SHAPE_STR,
     .offset = AT(path),
     .required = true,
     .doc = "Where releases live on a host; `${host}`, the inventory's variables and `${env.NAME}` "
            "may stand in it."},
    {.key = "artifact",
     .kind = SHAPE_STRUCT,
     .offset = AT(artifact),
     .shape = &hosts_artifact_shape,
     .doc = "What is brought there."},
    {.key = "prepare",
     .kind = SHAPE_STR,
     .offset = AT(prepare),
     .doc = "Run in the new release's folder before it serves: virtual environment, static files."},
    {.key = "drain",
     .kind = SHAPE_STR,
     .offset = AT(drain),
     .doc = "Takes the host out of the balancer and waits until it is idle."},
    {.key = "service",
     .kind = SHAPE_LIST,
     .offset = AT(services),
     .shape = &shape_of_str,
     .doc = "systemd services restarted after the flip."},
    {.key = "restart",
     .kind = SHAPE_STR,
     .offset = AT(restart),
     .doc = "Run after the flip: starts the new code."},
    {.key = "restore",
     .kind = SHAPE_STR,
     .offset = AT(restore),
     .doc = "Puts the host back behind the balancer, once it is healthy."},
    {.key = "health",
     .kind = SHAPE_OPTIONAL,
     .offset = AT(health),
     .shape = &health_shape,
     .doc = "When a host counts as healthy; it is also watched during the rollout."},
    {.key = "keep",
     .kind = SHAPE_INT,
     .offset = AT(keep),
     .min = 2,
     .max = 100,
     .fallback = "5",
     .doc = "Releases kept on a host; the live and the known good one always are."},
    {.key = "parallel",
     .kind = SHAPE_INT,
     .offset = AT(parallel),
     .min = 1,
     .max = 500,
     .fallback = "1",
     .doc = "Hosts changed at the same time inside a step."},
    {.key = "timeout",
     .kind = SHAPE_DURATION,
     .offset = AT(timeout_ms),
     .fallback = "5m",
     .doc = "Limit of one command on one host."},
    {.key = "migrate",
     .kind = SHAPE_OPTIONAL,
     .offset = AT(migrate),
     .shape = &migrate_shape,
     .doc = "How the database is migrated, before the release serves anywhere."},
    {.key = "runtime", .kind = SHAPE_LATER, .doc = "Containers instead of bundles."},
    {.kind = SHAPE_END},
};

// ---- inventory ---------------------------------------------------------------------------------

static bool is_made_of(str s, const char *more, bool capitals)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!plain && !(capitals && c >= 'A' && c <= 'Z') && str_find(str_of(more), c) == STR_NONE)
            return false;
    }
    return s.len > 0 && s.len <= HOST_NAME_MOST && s.data[0] != '-' && s.data[0] != '.';
}

// Variables become environment variables of the scripts and `${…}` of templates: lower case only,
// so that none of them can be PATH or LD_PRELOAD.
static bool is_variable(str name)
{
    return is_made_of(name, "_", false) && !(name.data[0] >= '0' && name.data[0] <= '9') &&
           !str_starts(name, STR("sluice_"));
}

bool hosts_is_address(str address)
{
    return is_made_of(address, ".-:", true);
}

struct environment_check {
    struct problems *problems;
    struct position at;
    const char *key;
};

static bool is_environment(void *context, str name)
{
    const struct environment_check *check = context;
    if (str_starts(name, STR("env.")) && name.len > 4)
        return true;
    problem_at(check->problems, check->at,
               "`%s`: `${" STR_FMT "}` is not known here; only `${env.NAME}` may stand in it",
               check->key, STR_ARG(str_first(name, 120)));
    return false;
}

// What the environment says is known only when it runs. True when nothing else stands in it.
static bool check_environment(const char *key, str value, struct position at,
                              struct problems *problems)
{
    struct environment_check check = {problems, at, key};
    return template_names(value, is_environment, &check);
}

static bool has_template(str value)
{
    return str_search(value, STR("${")) != STR_NONE;
}

static void read_variable(struct arena *arena, const struct node *node, struct host *host,
                          struct problems *problems)
{
    if (!is_variable(node->key))
        problem_at(problems, node->key_at,
                   "`" STR_FMT "` cannot be a variable of a host: use a-z, 0-9 and `_`, and do not "
                   "begin with `sluice_`",
                   STR_ARG(str_first(node->key, 120)));
    else if (node->kind == NODE_LIST || node->kind == NODE_MAP || node->kind == NODE_NULL)
        problem_at(problems, node->at, "`" STR_FMT "` must be a text or a number, not %s",
                   STR_ARG(node->key), node_kind_name(node->kind));
    else if (check_environment(arena_copy(arena, node->key), node->text, node->at, problems))
        host->variables[host->variable_count++] =
            (struct exec_variable){arena_copy(arena, node->key), node->text};
}

static void read_variables(struct arena *arena, const struct node *map, struct host *host,
                           struct problems *problems)
{
    host->variables = ARENA_ARRAY(arena, struct exec_variable, map->count + 1);
    if (map->count > HOST_VARIABLES) {
        problem_at(problems, map->at, "a host may have %d variables, not %zu", HOST_VARIABLES,
                   map->count);
        return;
    }
    for (const struct node *n = map->first; n; n = n->next)
        if (!str_is(n->key, "host"))
            read_variable(arena, n, host, problems);
    const struct node *address = node_get(map, "address"), *port = node_get(map, "ssh_port");
    uint32_t number = 0;
    if (address && !has_template(address->text) && !hosts_is_address(address->text))
        problem_at(problems, address->at, "`address` must be a host name or an IP address");
    else if (address)
        host->address = address->text;
    if (port && (!number_u32(port->text, &number) || number < 1 || number > 65535))
        problem_at(problems, port->at, "`ssh_port` must be between 1 and 65535");
    host->port = number;
}

static void read_host(struct arena *arena, const struct node *node, struct hosts_config *config,
                      struct problems *problems)
{
    static const struct node no_variables = {.kind = NODE_MAP};
    struct host *host = &config->hosts[config->host_count];
    const struct node *name = node->kind == NODE_MAP ? node_get(node, "host") : node;
    if (!name || !is_made_of(name->text, ".-:_", true)) {
        problem_at(problems, name ? name->at : node->at,
                   "a host of `inventory` is a name such as `app1.example`, or a map with `host`");
        return;
    }
    *host = (struct host){.name = name->text, .address = name->text, .at = node->at};
    read_variables(arena, node->kind == NODE_MAP ? node : &no_variables, host, problems);
    for (size_t i = 0; i < config->host_count; i++)
        if (str_eq(config->hosts[i].name, host->name)) {
            problem_at(problems, name->at, "host `" STR_FMT "` stands twice in `inventory`",
                       STR_ARG(host->name));
            return;
        }
    config->host_count++;
}

static void read_inventory(struct arena *arena, const struct node *node,
                           struct hosts_config *config, struct problems *problems)
{
    if (node->kind == NODE_STRING &&
        (str_ends(node->text, STR(".yml")) || str_ends(node->text, STR(".yaml")))) {
        problem_at(problems, node->at,
                   "an inventory file is not built yet in this version of "
                   "sluice: list the hosts here");
        return;
    }
    bool list = node->kind == NODE_LIST;
    size_t count = list ? node->count : 1;
    if (count == 0 || count > LIMIT_HOSTS) {
        problem_at(problems, node->at, "`inventory` must name between 1 and %u hosts", LIMIT_HOSTS);
        return;
    }
    config->hosts = ARENA_ARRAY(arena, struct host, count);
    for (const struct node *n = list ? node->first : node; n; n = list ? n->next : NULL)
        read_host(arena, n, config, problems);
}

// ---- templates ---------------------------------------------------------------------------------

struct template_check {
    struct arena *arena;

    struct template_value *values;
    size_t count, room;
};

static void know(struct template_check *check, const char *name, str value)
{
    check->values = arena_grow(check->arena, check->values, check->count + 1, &check->room,
                               sizeof *check->values); // room for the end of the list as well
    check->values[check->count++] = (struct template_value){name, value};
    check->values[check->count] = (struct template_value){NULL, {NULL, 0}};
}

// Which environment names may be read is known only when it runs.
static bool add_environment(void *context, str name)
{
    struct template_check *check = context;
    if (str_starts(name, STR("env.")) && name.len > 4)
        know(check, arena_copy(check->arena, name), STR("x"));
    return true;
}

// What `source` becomes on a host, for comparing; empty after a problem.
static str check_template(struct arena *arena, const struct host *host, const char *key,
                          const char *const *known, str source, const struct node *at,
                          struct problems *problems)
{
    struct template_check check = {
        .arena = arena, .values = ARENA_ARRAY(arena, struct template_value, 8), .room = 8};
    struct text out = text_of(LIMIT_PATH);
    struct error err;
    str made = {NULL, 0};
    know(&check, "host", host->name);
    for (; *known; known++)
        know(&check, *known, STR("x"));
    for (size_t i = 0; i < host->variable_count; i++)
        know(&check, host->variables[i].name, host->variables[i].value);
    (void)template_names(source, add_environment, &check);
    if (template_expand(source, check.values, TEMPLATE_PLAIN, &out, &err))
        made = arena_str(arena, text_str(&out));
    else
        problem_at(problems, at->at, "`%s` on host `" STR_FMT "`: %s", key, STR_ARG(host->name),
                   err.message);
    text_done(&out);
    return made;
}

static const struct node *key_node(const struct node *map, const char *key)
{
    const struct node *node = node_get(map, key);
    return node ? node : map;
}

// One problem a template is enough: what is wrong on one host mostly is on all.
static bool check_health(struct arena *arena, const struct hosts_config *config,
                         const struct host *host, const struct node *node,
                         struct problems *problems)
{
    static const char *const in_url[] = {"revision", NULL};
    static const char *const in_words[] = {"release", "revision", "commit", NULL};
    const struct hosts_health *health = config->health;
    const struct node *map = key_node(node, "health");
    str url =
        check_template(arena, host, "url", in_url, health->url, key_node(map, "url"), problems);
    bool ok = url.len > 0;
    if (ok && !str_starts(url, STR("http://")) && !str_starts(url, STR("https://")) &&
        !str_starts(health->url, STR("${"))) {
        problem_at(problems, key_node(map, "url")->at,
                   "`url` must begin with `http://` or `https://`");
        ok = false;
    }
    return ok && (health->contains.len == 0 ||
                  check_template(arena, host, "contains", in_words, health->contains,
                                 key_node(map, "contains"), problems)
                          .len > 0);
}

static bool stands_before(const str *paths, size_t count, str path)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(paths[i], path))
            return true;
    return false;
}

static void check_templates(const struct hosts_config *config, const struct node *node,
                            struct problems *problems)
{
    static const char *const none[] = {NULL};
    struct arena arena = {0};
    str *paths = ARENA_ARRAY(&arena, str, config->host_count);
    const struct node *at = key_node(node, "path");
    bool ok = true, alone = true;
    for (size_t h = 0; h < config->host_count && ok; h++) {
        const struct host *host = &config->hosts[h];
        paths[h] = check_template(&arena, host, "path", none, config->path, at, problems);
        ok = paths[h].len > 0;
        if (ok && config->health)
            ok = check_health(&arena, config, host, node, problems);
        if (ok && paths[h].data[0] != '/' && !str_starts(config->path, STR("${env."))) {
            problem_at(problems, at->at, "`path` must be absolute, such as `/srv/app`");
            ok = false;
        }
        if (config->transport == TRANSPORT_LOCAL)
            alone = alone && !stands_before(paths, h, paths[h]);
    }
    if (ok && !alone)
        problem_at(
            problems, at->at,
            "with `transport: local` every host needs a path of its own: put `${host}` in it");
    arena_done(&arena);
}

// ---- the section -------------------------------------------------------------------------------

static void check_services(const struct hosts_config *config, const struct node *node,
                           struct problems *problems)
{
    for (size_t i = 0; i < config->services.count; i++) {
        str name = ((const str *)config->services.items)[i];
        if (!is_made_of(name, "._-@:", true))
            problem_at(problems, key_node(node, "service")->at,
                       "`" STR_FMT "` cannot be the name of a service",
                       STR_ARG(str_first(name, 120)));
    }
}

static void check_hosts(void *value, const struct node *node, struct problems *problems)
{
    struct hosts_config *config = value;
    size_t before = problems->count + problems->dropped;
    read_inventory(problems->arena, config->inventory_node, config, problems);
    check_services(config, node, problems);
    (void)(check_environment("user", config->user, key_node(node, "user")->at, problems) &&
           check_environment("known_hosts", config->known_hosts, key_node(node, "known_hosts")->at,
                             problems) &&
           check_environment("key_file", config->key_file, key_node(node, "key_file")->at,
                             problems) &&
           check_environment("fingerprint", config->fingerprint, key_node(node, "fingerprint")->at,
                             problems));
    if (config->fingerprint.len && !has_template(config->fingerprint) &&
        !str_starts(config->fingerprint, STR("SHA256:")))
        problem_at(problems, key_node(node, "fingerprint")->at,
                   "`fingerprint` must begin with `SHA256:`, as `ssh-keygen -lf` prints it");
    if (config->timeout_ms < MS_SECOND)
        problem_at(problems, key_node(node, "timeout")->at, "`timeout` must be a second or more");
    if (problems->count + problems->dropped == before)
        check_templates(config, node, problems);
}

const struct shape hosts_shape = {
    .name = "hosts",
    .size_bytes = sizeof(struct hosts_config),
    .fields = hosts_fields,
    .position_offset = AT(at) + 1,
    .check = check_hosts,
    .doc = "Application servers over SSH, or folders on this machine.",
};
