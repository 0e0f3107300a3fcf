// The section of a `hosts` target: what it becomes, and what is said about what is wrong in it.
#include "../expect.h"
#include "deploy/targets/hosts_config.h"
#include "gate/doc/yaml.h"

struct bound {
    struct arena arena;
    struct hosts_config config;
    struct problems problems;
};

static void bind(struct bound *bound, const char *yaml)
{
    const struct node *node;
    struct error err;
    *bound = (struct bound){0};
    bound->problems.arena = &bound->arena;
    cr_assert(yaml_parse(&bound->arena, "h.yml", str_of(yaml), &node, &err), "%s", err.message);
    (void)shape_bind(&bound->arena, &hosts_shape, node, &bound->config, &bound->problems);
}

Test(hosts_config, what_is_not_said_has_its_usual_value)
{
    struct bound b;
    bind(&b, "inventory: [app1, {host: app2, port: 8001, address: 10.0.0.2, ssh_port: 2222}]\n"
             "path: /srv/${host}\n");
    cr_assert_eq(b.problems.count, 0, "%s", b.problems.items[0].message);
    cr_expect_eq(b.config.transport, TRANSPORT_SSH);
    cr_expect_eq(b.config.port, 22);
    cr_expect_eq(b.config.keep, 5);
    cr_expect_eq(b.config.parallel, 1);
    cr_expect_eq(b.config.timeout_ms, 300000);
    cr_expect_null(b.config.health);
    cr_assert_eq(b.config.host_count, 2);
    expect_str(b.config.hosts[0].address, "app1");
    cr_expect_eq(b.config.hosts[0].port, 0);
    expect_str(b.config.hosts[1].address, "10.0.0.2");
    cr_expect_eq(b.config.hosts[1].port, 2222);
    cr_expect_eq(b.config.hosts[1].variable_count, 3);
    cr_expect_str_eq(b.config.hosts[1].variables[0].name, "port");
    expect_str(b.config.hosts[1].variables[0].value, "8001");
    arena_done(&b.arena);
}

Test(hosts_config, one_host_may_stand_alone_and_environment_names_are_left_for_later)
{
    struct bound b;
    bind(&b, "inventory: app1\npath: \"${env.ROOT}/app\"\n"
             "health: {url: \"${env.BASE}/${host}?r=${revision}\", contains: \"${commit}\"}\n");
    cr_expect_eq(b.problems.count, 0, "whether it is absolute is seen when it is opened");
    arena_done(&b.arena);
    bind(&b, "inventory: app1\npath: \"/srv/${env.ROOT}\"\n"
             "health: {url: \"${env.BASE}/${host}?r=${revision}\", contains: \"${commit}\"}\n");
    cr_expect_eq(b.problems.count, 0, "%s", b.problems.items[0].message);
    cr_expect_eq(b.config.host_count, 1);
    arena_done(&b.arena);
}

#define REST "path: /srv\n"

static const struct {
    const char *yaml, *problem;
} bad[] = {
    {"path: /srv\n", "h.yml:1:1: `inventory` is missing from `hosts`: add it"},
    {"inventory: [a]\n", "h.yml:1:1: `path` is missing from `hosts`: add it"},
    {"inventory: []\n" REST, "h.yml:1:12: `inventory` must name between 1 and 4096 hosts"},
    {"inventory: hosts.yml\n" REST,
     "h.yml:1:12: an inventory file is not built yet in this version "
     "of sluice: list the hosts here"},
    {"inventory: [a, b, a]\n" REST, "h.yml:1:19: host `a` stands twice in `inventory`"},
    {"inventory: [a b]\n" REST, "h.yml:1:13: a host of `inventory` is a name such as "
                                "`app1.example`, or a map with `host`"},
    {"inventory: [-oProxyCommand=x]\n" REST,
     "h.yml:1:13: a host of `inventory` is a name such as `app1.example`, or a map with `host`"},
    {"inventory: [..]\n" REST,
     "h.yml:1:13: a host of `inventory` is a name such as `app1.example`, "
     "or a map with `host`"},
    {"inventory: [{port: 1}]\n" REST, "h.yml:1:13: a host of `inventory` is a name such as "
                                      "`app1.example`, or a map with `host`"},
    {"inventory: [{host: a, PATH: /x}]\n" REST,
     "h.yml:1:23: `PATH` cannot be a variable of a host: use a-z, 0-9 and `_`, and do not begin "
     "with `sluice_`"},
    {"inventory: [{host: a, sluice_live: x}]\n" REST,
     "h.yml:1:23: `sluice_live` cannot be a variable of a host: use a-z, 0-9 and `_`, and do not "
     "begin with `sluice_`"},
    {"inventory: [{host: a, ports: [1]}]\n" REST,
     "h.yml:1:30: `ports` must be a text or a number, not a list"},
    {"inventory: [{host: a, address: \"x y\"}]\n" REST,
     "h.yml:1:32: `address` must be a host name or an IP address"},
    {"inventory: [{host: a, address: \"${env.A}.example\", zone: \"${hots}\"}]\n" REST,
     "h.yml:1:58: `zone`: `${hots}` is not known here; only `${env.NAME}` may stand in it"},
    {"inventory: [a]\npath: /srv\nuser: \"${host}\"\n",
     "h.yml:3:7: `user`: `${host}` is not known here; only `${env.NAME}` may stand in it"},
    {"inventory: [a]\npath: /srv\nkey_file: \"/keys/${host}\"\n",
     "h.yml:3:11: `key_file`: `${host}` is not known here; only `${env.NAME}` may stand in it"},
    {"inventory: [{host: a, ssh_port: 0}]\n" REST,
     "h.yml:1:33: `ssh_port` must be between 1 and 65535"},
    {"inventory: [a]\npath: srv/app\n", "h.yml:2:7: `path` must be absolute, such as `/srv/app`"},
    {"inventory: [a]\npath: /srv/${hots}\n",
     "h.yml:2:7: `path` on host `a`: `${hots}` is not known here; known are ${host}"},
    {"inventory: [{host: a, port: 1}, b]\npath: /srv/${port}\n",
     "h.yml:2:7: `path` on host `b`: `${port}` is not known here; known are ${host}"},
    {"inventory: [a]\npath: \"/srv/${host\"\n",
     "h.yml:2:7: `path` on host `a`: `${` is not closed in `/srv/${host`"},
    {"inventory: [a, b]\ntransport: local\npath: /srv\n",
     "h.yml:3:7: with `transport: local` every host needs a path of its own: put `${host}` in it"},
    {"inventory: [a]\ntransport: telnet\npath: /srv\n",
     "h.yml:2:12: `transport` must be `ssh` or `local`, not `telnet`"},
    {"inventory: [a]\nhealth: localhost/health\npath: /srv\n",
     "h.yml:2:9: `url` must begin with `http://` or `https://`"},
    {"inventory: [a]\nhealth: \"http://${host}/${release}\"\npath: /srv\n",
     "h.yml:2:9: `url` on host `a`: `${release}` is not known here; known are ${host}, "
     "${revision}"},
    {"inventory: [a]\nhealth: {url: \"http://a/\", contains: \"${version}\"}\npath: /srv\n",
     "h.yml:2:38: `contains` on host `a`: `${version}` is not known here; known are ${host}, "
     "${release}, ${revision}, ${commit}"},
    {"inventory: [a]\nhealth: {url: \"http://a/\", status: 99}\npath: /srv\n",
     "h.yml:2:36: `status` must be between 100 and 599, not `99`"},
    {"inventory: [a]\nservice: [gunicorn, \"x; rm -rf /\"]\npath: /srv\n",
     "h.yml:2:10: `x; rm -rf /` cannot be the name of a service"},
    {"inventory: [a]\nfingerprint: \"ab:cd\"\npath: /srv\n",
     "h.yml:2:14: `fingerprint` must begin with `SHA256:`, as `ssh-keygen -lf` prints it"},
    {"inventory: [a]\ntimeout: 0s\npath: /srv\n", "h.yml:2:10: `timeout` must be a second or more"},
    {"inventory: [a]\nkeep: 1\npath: /srv\n",
     "h.yml:2:7: `keep` must be between 2 and 100, not `1`"},
    {"inventory: [a]\nparallel: 0\npath: /srv\n",
     "h.yml:2:11: `parallel` must be between 1 and 500, not `0`"},
    {"inventory: [a]\nruntime: docker\npath: /srv\n",
     "h.yml:2:1: `runtime` is not built yet in this version of sluice: remove it"},
    {"inventory: [a]\nartifact: {bundle: wheel}\npath: /srv\n",
     "h.yml:2:20: `bundle` must be `git-archive` or an object in a bucket, such as "
     "`s3://releases/web-${release}.tar.zst`"},
    {"inventory: [a]\nartifact: {bundle: \"s3://b/web.tar\"}\npath: /srv\n",
     "h.yml:2:20: `bundle` is the same for every release: name what differs, such as "
     "`s3://releases/web-${release}.tar.zst`"},
    {"inventory: [a]\nartifact: {bundle: \"gs://b/${revision}\"}\npath: /srv\n",
     "h.yml:2:20: `bundle`: `${revision}` is not known here; there are `${release}`, `${commit}`, "
     "`${digest}` and `${env.NAME}`"},
    {"inventory: [a]\nartifact: {bundle: \"gs://b/${commit}\", compression: gzip}\npath: /srv\n",
     "h.yml:2:53: `compression` is of bundles made here: what lies in a bucket stays as it is"},
};

Test(hosts_config, what_is_wrong_is_said_once_with_its_place)
{
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct bound b;
        char text[1024];
        bind(&b, bad[i].yaml);
        cr_expect_eq(b.problems.count, 1, "row %zu: %zu problems for %s", i, b.problems.count,
                     bad[i].problem);
        if (b.problems.count)
            cr_expect_str_eq(error_text(&b.problems.items[0], text, sizeof text), bad[i].problem);
        arena_done(&b.arena);
    }
}

Test(hosts_config, a_host_with_too_many_variables_is_refused)
{
    struct bound b;
    struct text yaml = text_of(1 << 16);
    text_adds(&yaml, "path: /srv\ninventory: [{host: a");
    for (int i = 0; i < HOST_VARIABLES; i++)
        text_addf(&yaml, ", v%d: x", i);
    text_adds(&yaml, "}]\n");
    bind(&b, text_c(&yaml));
    cr_assert_eq(b.problems.count, 1);
    cr_expect_not_null(strstr(b.problems.items[0].message, "a host may have 64 variables, not 65"),
                       "%s", b.problems.items[0].message);
    text_done(&yaml);
    arena_done(&b.arena);
}

// ---- what the environment says ------------------------------------------------------------------

static const struct template_value variables[] = {{"env.KEYS", STR_INIT("/keys")},
                                                  {"env.WHO", STR_INIT("deploy")},
                                                  {"env.APP1", STR_INIT("10.0.0.1")},
                                                  {"env.ODD", STR_INIT("a b")},
                                                  {"env.ROOT", STR_INIT("/srv")},
                                                  {"env.BARE", STR_INIT("srv")},
                                                  {NULL, {NULL, 0}}};

Test(hosts_config, logins_and_addresses_come_from_the_environment)
{
    struct bound b;
    struct error err;
    const struct hosts_config *made;
    bind(&b, "inventory: [{host: a, address: \"${env.APP1}\", zone: \"${env.WHO}-1\"}, b]\n"
             "user: \"${env.WHO}\"\nkey_file: \"${env.KEYS}/id\"\n"
             "known_hosts: \"${env.KEYS}/known\"\npath: \"${env.ROOT}/$${app}\"\n");
    cr_assert_eq(b.problems.count, 0, "%s", b.problems.items[0].message);
    cr_assert(hosts_resolve(&b.arena, &b.config, variables, &made, &err), "%s", err.message);
    expect_str(made->user, "deploy");
    expect_str(made->key_file, "/keys/id");
    expect_str(made->known_hosts, "/keys/known");
    expect_str(made->hosts[0].address, "10.0.0.1");
    expect_str(made->hosts[0].variables[0].value, "10.0.0.1");
    expect_str(made->hosts[0].variables[1].value, "deploy-1");
    expect_str(made->hosts[1].address, "b");
    expect_str(b.config.user, "${env.WHO}");
    arena_done(&b.arena);
}

Test(hosts_config, what_the_environment_makes_wrong_is_named)
{
    static const struct {
        const char *yaml, *message;
    } cases[] = {
        {"inventory: [a]\npath: /srv\nuser: \"${env.NOBODY}\"\n",
         "`user`: `${env.NOBODY}` is not set: name it in the list `env:`, and give it a value in "
         "the environment"},
        {"inventory: [{host: a, address: \"${env.ODD}\"}]\npath: /srv\n",
         "host a: `address` must be a host name or an IP address, not `a b`"},
        {"inventory: [{host: a, zone: \"${env.NONE}\"}]\npath: /srv\n",
         "host a: `zone`: `${env.NONE}` is not set: name it in the list `env:`, and give it a "
         "value in the environment"},
        {"inventory: [a]\npath: /srv\nfingerprint: \"${env.WHO}\"\n",
         "`fingerprint` must begin with `SHA256:`, as `ssh-keygen -lf` prints it"},
        {"inventory: [a]\npath: \"${env.BARE}/app\"\n",
         "`path` must be absolute, such as `/srv/app`, not `srv/app`"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bound b;
        struct error err = {0};
        const struct hosts_config *made;
        bind(&b, cases[i].yaml);
        cr_assert_eq(b.problems.count, 0, "%s", b.problems.items[0].message);
        cr_expect_not(hosts_resolve(&b.arena, &b.config, variables, &made, &err));
        cr_expect_eq(err.kind, ERROR_INPUT);
        cr_expect_str_eq(err.message, cases[i].message);
        arena_done(&b.arena);
    }
}
