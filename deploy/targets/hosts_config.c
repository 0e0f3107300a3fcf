// The `hosts` section of a target: its field table and its inventory.
#include "deploy/targets/hosts_config.h"

#include "gate/base/limits.h"

static const char *const transports[] = {"ssh", "local", NULL};
static const char *const bundles[] = {"git-archive", NULL};
static const char *const compressions[] = {"zstd", "gzip", NULL};

static const struct shape_field health_fields[] = {
    {.key = "url", .kind = SHAPE_STR, .offset = offsetof(struct hosts_health, url),
     .required = true, .doc = "Asked on every host after a change; `${host}` and the inventory's variables."},
    {.key = "status", .kind = SHAPE_INT, .offset = offsetof(struct hosts_health, status),
     .min = 100, .max = 599, .fallback = "200", .doc = "The status that means healthy."},
    {.key = "contains", .kind = SHAPE_STR, .offset = offsetof(struct hosts_health, contains),
     .doc = "Words that the answer must hold, such as `${revision}`: then an old process is not taken for the new."},
    {.key = "timeout", .kind = SHAPE_DURATION, .offset = offsetof(struct hosts_health, timeout_ms),
     .fallback = "1m", .doc = "How long a host may take to become healthy."},
    {.kind = SHAPE_END},
};
static const struct shape health_shape = {.name = "health",
                                          .size_bytes = sizeof(struct hosts_health),
                                          .fields = health_fields,
                                          .shorthand = "url",
                                          .doc = "When a host counts as healthy."};

static const struct shape_field artifact_fields[] = {
    {.key = "bundle", .kind = SHAPE_CHOICE, .offset = offsetof(struct hosts_artifact, bundle),
     .choices = bundles, .fallback = "git-archive", .doc = "The files of the release's commit."},
    {.key = "compression", .kind = SHAPE_CHOICE,
     .offset = offsetof(struct hosts_artifact, compression), .choices = compressions,
     .fallback = "zstd", .doc = "gzip for hosts without zstd."},
    {.kind = SHAPE_END},
};
static const struct shape artifact_shape = {
    .name = "artifact", .size_bytes = sizeof(struct hosts_artifact), .fields = artifact_fields};

#define AT(member) offsetof(struct hosts_config, member)
static const struct shape_field hosts_fields[] = {
    {.key = "inventory", .kind = SHAPE_NODE, .offset = AT(inventory_node), .required = true,
     .doc = "The hosts, in the order in which they are changed: names, or maps with `host` and variables such as `port`."},
    {.key = "transport", .kind = SHAPE_CHOICE, .offset = AT(transport), .choices = transports,
     .fallback = "ssh", .doc = "`local` runs the same steps as child processes on this machine."},
    {.key = "user", .kind = SHAPE_STR, .offset = AT(user), .doc = "Login name for SSH."},
    {.key = "port", .kind = SHAPE_INT, .offset = AT(port), .min = 1, .max = 65535,
     .fallback = "22", .doc = "SSH port."},
    {.key = "known_hosts", .kind = SHAPE_STR, .offset = AT(known_hosts),
     .doc = "File with the host keys; `~/.ssh/known_hosts` when absent."},
    {.key = "fingerprint", .kind = SHAPE_STR, .offset = AT(fingerprint),
     .doc = "A pinned host key, `SHA256:…`, instead of known_hosts."},
    {.key = "key_file", .kind = SHAPE_STR, .offset = AT(key_file),
     .doc = "Private key, ed25519 or ECDSA; the agent and the usual files when absent."},
    {.key = "path", .kind = SHAPE_STR, .offset = AT(path), .required = true,
     .doc = "Where releases live on a host; `${host}` may stand in it."},
    {.key = "artifact", .kind = SHAPE_STRUCT, .offset = AT(artifact), .shape = &artifact_shape,
     .doc = "What is brought there."},
    {.key = "prepare", .kind = SHAPE_STR, .offset = AT(prepare),
     .doc = "Run in the new release's folder before it serves: virtual environment, static files."},
    {.key = "drain", .kind = SHAPE_STR, .offset = AT(drain),
     .doc = "Takes the host out of the balancer and waits until it is idle."},
    {.key = "service", .kind = SHAPE_LIST, .offset = AT(services), .shape = &shape_of_str,
     .doc = "systemd services restarted after the flip."},
    {.key = "restart", .kind = SHAPE_STR, .offset = AT(restart),
     .doc = "Run after the flip: starts the new code."},
    {.key = "restore", .kind = SHAPE_STR, .offset = AT(restore),
     .doc = "Puts the host back behind the balancer, once it is healthy."},
    {.key = "health", .kind = SHAPE_OPTIONAL, .offset = AT(health), .shape = &health_shape,
     .doc = "When a host counts as healthy; it is also watched during the rollout."},
    {.key = "keep", .kind = SHAPE_INT, .offset = AT(keep), .min = 2, .max = 100, .fallback = "5",
     .doc = "Releases kept on a host; the live and the known good one always are."},
    {.key = "parallel", .kind = SHAPE_INT, .offset = AT(parallel), .min = 1, .max = 500,
     .fallback = "1", .doc = "Hosts changed at the same time inside a step."},
    {.key = "timeout", .kind = SHAPE_DURATION, .offset = AT(timeout_ms), .fallback = "5m",
     .doc = "Limit of one command on one host."},
    {.key = "migrate", .kind = SHAPE_LATER, .doc = "Database migrations."},
    {.key = "runtime", .kind = SHAPE_LATER, .doc = "Containers instead of bundles."},
    {.kind = SHAPE_END},
};

static bool is_name(str s, const char *more)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
        if (!plain && !(more && ((c >= 'A' && c <= 'Z') || strchr(more, c))))
            return false;
    }
    return s.len > 0 && s.data[0] != '-' && s.data[0] != '.';
}

// Variables become environment variables of the scripts and `${…}` of templates: lower case only, so
// that none of them can be PATH or LD_PRELOAD.
static void read_variables(struct arena *arena, const struct node *map, struct host *host,
                           struct problems *problems)
{
    host->variables = ARENA_ARRAY(arena, struct exec_variable, map->count + 1);
    for (const struct node *n = map->first; n; n = n->next) {
        if (str_is(n->key, "host"))
            continue;
        if (!is_name(n->key, NULL) || (n->key.data[0] >= '0' && n->key.data[0] <= '9'))
            problem_at(problems, n->key_at,
                       "`" STR_FMT "` cannot be a variable of a host: use a-z, 0-9 and `_`",
                       STR_ARG(n->key));
        else if (n->kind == NODE_LIST || n->kind == NODE_MAP || n->kind == NODE_NULL)
            problem_at(problems, n->at, "`" STR_FMT "` must be a text or a number",
                       STR_ARG(n->key));
        else
            host->variables[host->variable_count++] =
                (struct exec_variable){arena_copy(arena, n->key), n->text};
    }
}

static void read_host(struct arena *arena, const struct node *node, struct hosts_config *config,
                      struct problems *problems)
{
    struct host *host = &config->hosts[config->host_count];
    const struct node *name = node->kind == NODE_MAP ? node_get(node, "host") : node;
    if (!name || name->text.len == 0 || !is_name(name->text, ".-:[]")) {
        problem_at(problems, node->at,
                   "a host of `inventory` is a name such as `app1.example`, or a map with `host`");
        return;
    }
    *host = (struct host){.name = name->text, .at = node->at};
    static const struct node none = {.kind = NODE_MAP};
    read_variables(arena, node->kind == NODE_MAP ? node : &none, host, problems);
    for (size_t i = 0; i < config->host_count; i++)
        if (str_eq(config->hosts[i].name, host->name)) {
            problem_at(problems, node->at, "host `" STR_FMT "` stands twice in `inventory`",
                       STR_ARG(host->name));
            return;
        }
    config->host_count++;
}

static void read_inventory(struct arena *arena, const struct node *node,
                           struct hosts_config *config, struct problems *problems)
{
    if (node->kind == NODE_STRING && (str_ends(node->text, STR(".yml")) ||
                                      str_ends(node->text, STR(".yaml")))) {
        problem_at(problems, node->at, "an inventory file is not built yet in this version of "
                                       "sluice: list the hosts here");
        return;
    }
    bool list = node->kind == NODE_LIST;
    size_t count = list ? node->count : 1;
    if (count == 0 || count > LIMIT_HOSTS) {
        problem_at(problems, node->at, "`inventory` must name 1 to %u hosts", LIMIT_HOSTS);
        return;
    }
    config->hosts = ARENA_ARRAY(arena, struct host, count);
    for (const struct node *n = list ? node->first : node; n; n = list ? n->next : NULL)
        read_host(arena, n, config, problems);
}

static void check_templates(const struct hosts_config *config, struct problems *problems)
{
    static const struct target_release any = {STR_INIT("r"), STR_INIT("c"), STR_INIT("d"),
                                              STR_INIT("r"), {NULL, 0}};
    const struct hosts_health *health = config->health;
    const str sources[] = {config->path, health ? health->url : config->path,
                           health ? health->contains : config->path};
    for (size_t h = 0; h < config->host_count; h++)
        for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
            struct text out = text_of(LIMIT_PATH);
            struct error err;
            if (!hosts_expand(config, &config->hosts[h], &any, NULL, sources[i], TEMPLATE_PLAIN,
                              &out, &err)) {
                problem_at(problems, config->hosts[h].at, "%s", err.message);
                text_done(&out);
                return;
            }
            text_done(&out);
        }
}

static void check_hosts(void *value, const struct node *node, struct problems *problems)
{
    struct hosts_config *config = value;
    if (config->inventory_node)
        read_inventory(problems->arena, config->inventory_node, config, problems);
    if (config->path.len && config->path.data[0] != '/' && config->path.data[0] != '$')
        problem_at(problems, node->at, "`path` must be absolute, such as `/srv/app`");
    if (config->transport == TRANSPORT_LOCAL && config->host_count > 1 && config->path.len &&
        str_search(config->path, STR("${host}")) == STR_NONE)
        problem_at(problems, node->at,
                   "with `transport: local` every host needs a path of its own: put `${host}` in it");
    if (config->path.len)
        check_templates(config, problems);
}

const struct shape hosts_shape = {
    .name = "hosts",
    .size_bytes = sizeof(struct hosts_config),
    .fields = hosts_fields,
    .position_offset = AT(at) + 1,
    .check = check_hosts,
    .doc = "Application servers over SSH, or folders on this machine.",
};
