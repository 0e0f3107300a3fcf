// A process that writes to a ledger, for the races of test_ledger_race.py and the rates of the
// benchmark: the real ledger, the real world, without a rollout around it.
//
//     ledger_writer FOLDER REMOTE NAME COUNT [batch] [flush] [every=N] [key=FILE] [hosts=FILE]
//                   [ssh=FILE]
//
// REMOTE "-" is none. Appends COUNT events of rollout NAME, one after another, pushing in the
// background all the while; ends when all of them are on the remote. `every=N` waits for that after
// each N. A token for HTTP comes from LEDGER_TOKEN. Prints one line of JSON.
#include "deploy/record/ledger.h"
#include "gate/base/moment.h"
#include "gate/base/number.h"

#include <stdio.h>
#include <stdlib.h>

struct settings {
    const char *folder, *remote, *name;
    uint32_t count, every;
    bool batch, flush;
    const char *key, *hosts, *ssh;
};

static bool read_settings(int argc, char **argv, struct settings *ret)
{
    if (argc < 5 || !number_u32(str_of(argv[4]), &ret->count))
        return false;
    ret->folder = argv[1];
    ret->remote = strcmp(argv[2], "-") == 0 ? NULL : argv[2];
    ret->name = argv[3];
    for (int i = 5; i < argc; i++) {
        str word = str_of(argv[i]), value = word;
        str name = str_cut(&value, '=');
        if (str_is(name, "batch"))
            ret->batch = true;
        else if (str_is(name, "flush"))
            ret->flush = true;
        else if (str_is(name, "key"))
            ret->key = value.data;
        else if (str_is(name, "hosts"))
            ret->hosts = value.data;
        else if (str_is(name, "ssh"))
            ret->ssh = value.data;
        else if (!str_is(name, "every") || !number_u32(value, &ret->every))
            return false;
    }
    return true;
}

static bool write_all(struct ledger *ledger, const struct settings *settings, struct error *err)
{
    if (settings->batch && !ledger_batch_begin(ledger, err))
        return false;
    for (uint32_t i = 0; i < settings->count; i++) {
        char body[64];
        (void)snprintf(body, sizeof body, "{\"number\": %u}", i);
        struct event event = {.stream = STREAM_ROLLOUT,
                              .type = STR("note.made"),
                              .rollout = str_of(settings->name),
                              .body = str_of(body)};
        if (!ledger_append(ledger, &event, NULL, err))
            return false;
        if (settings->every && i % settings->every == settings->every - 1 &&
            !ledger_sync(ledger, 10 * MS_MINUTE, err))
            return false;
        if (!settings->batch && !settings->every)
            (void)ledger_turn(ledger, ledger_now(ledger));
        if (settings->batch && i % 1000 == 999 &&
            (!ledger_batch_end(ledger, err) || !ledger_batch_begin(ledger, err)))
            return false;
    }
    return (!settings->batch || ledger_batch_end(ledger, err)) &&
           ledger_sync(ledger, 10 * MS_MINUTE, err);
}

static bool run(const struct settings *settings, struct world *world, struct error *err)
{
    struct secret token = {0};
    struct sign_key *key = NULL;
    struct ledger *ledger = NULL;
    if (getenv("LEDGER_TOKEN"))
        secret_take(&token, str_of(getenv("LEDGER_TOKEN")));
    bool ok = !settings->key || sign_key_open(str_of(settings->key), &key, err);
    struct ledger_options options = {
        .folder = settings->folder,
        .remote = settings->remote,
        .key = key,
        .actor = {.local_user = str_of(settings->name)},
        .clock = world_clock(world),
        .entropy = world_entropy(world),
        .world = world,
        .login = {.token = &token, .known_hosts = settings->hosts, .key_file = settings->ssh},
        .flush = settings->flush};
    ok = ok && ledger_open(&options, &ledger, err);
    int64_t begun = ok ? ledger_now(ledger) : 0;
    ok = ok && write_all(ledger, settings, err);
    if (ok) {
        int64_t took = ledger_now(ledger) - begun;
        (void)printf("{\"appended\": %u, \"entries\": %zu, \"ms\": %lld, \"per_second\": %.0f}\n",
                     settings->count, ledger_count(ledger), (long long)took,
                     settings->count * 1000.0 / (double)(took ? took : 1));
    }
    ledger_close(ledger);
    sign_key_close(key);
    secret_done(&token);
    return ok;
}

int main(int argc, char **argv)
{
    struct settings settings = {0};
    struct world *world;
    struct error err;
    if (!read_settings(argc, argv, &settings)) {
        (void)fprintf(stderr, "usage: ledger_writer FOLDER REMOTE NAME COUNT [batch] [flush] "
                              "[every=N] [key=FILE] [hosts=FILE] [ssh=FILE]\n");
        return 2;
    }
    bool ok = world_open(&(struct world_options){.user_agent = "ledger_writer"}, &world, &err);
    if (ok) {
        ok = run(&settings, world, &err);
        world_close(world);
    }
    if (!ok)
        (void)fprintf(stderr, "ledger_writer: %s\n", err.message);
    return ok ? 0 : 1;
}
