#include "actions/cli/ledger_facts.h"

#include "gate/doc/json.h"
#include "gate/git/authors.h"

bool facts_all_open(struct deployment *d, struct rollout_record **ret, size_t *ret_count)
{
    struct error *err = &d->call->error;
    str *names = NULL;
    size_t count = 0;
    if (!rollouts_open(d->ledger, d->arena, &names, &count, err))
        return false;
    struct rollout_record *records = ARENA_ARRAY(d->arena, struct rollout_record, count);
    for (size_t i = 0; i < count; i++)
        if (!rollout_load(d->ledger, d->arena, names[i], &records[i], err))
            return error_wrap(err, "reading rollout " STR_FMT, STR_ARG(names[i]));
    *ret = records;
    *ret_count = count;
    return true;
}

bool facts_find_named(struct deployment *d, const char *name, const char *otherwise,
                      struct rollout_record *ret)
{
    struct rollout_record *open;
    size_t count;
    if (!facts_all_open(d, &open, &count))
        return false;
    for (size_t i = 0; i < count; i++)
        if (str_is(open[i].plan->rollout, name) || str_is(open[i].plan->release, name)) {
            *ret = open[i];
            return true;
        }
    return error_set(&d->call->error, ERROR_ABSENT, "no rollout %s %s", name, otherwise);
}

bool facts_find_open(struct deployment *d, str release, str environment, struct rollout_record *ret,
                     bool *ret_found)
{
    struct rollout_record *records = NULL;
    size_t count = 0;
    *ret_found = false;
    if (!facts_all_open(d, &records, &count))
        return false;
    for (size_t i = 0; i < count; i++)
        if (str_eq(records[i].plan->environment, environment) &&
            (release.len == 0 || str_eq(records[i].plan->release, release))) {
            *ret = records[i];
            *ret_found = true;
        }
    return true;
}

bool facts_known_good(struct deployment *d, str environment, str target, str except,
                      struct placement *ret, bool *ret_found)
{
    struct error err;
    struct placement good;
    *ret_found = release_known_good(d->ledger, d->arena, environment, target, except, &good, &err);
    if (*ret_found)
        *ret = good;
    else if (err.kind != ERROR_ABSENT)
        d->call->error = err;
    return *ret_found || err.kind == ERROR_ABSENT;
}

bool facts_is_done(struct deployment *d, const struct stage_settings *stage, str release,
                   str commit, bool *ret)
{
    bool all = true;
    for (size_t i = 0; all && i < stage->targets.count; i++) {
        struct placement live;
        bool found;
        if (!facts_known_good(d, stage_environment(stage), ((const str *)stage->targets.items)[i],
                              (str){NULL, 0}, &live, &found))
            return false;
        all = found && str_eq(live.release, release) && str_eq(live.commit, commit);
    }
    *ret = all;
    return true;
}

bool facts_commit_is_bad(struct deployment *d, str commit, size_t after, bool *ret)
{
    struct arena arena = {0};
    bool bad = false, ok = true;
    for (size_t i = after + 1; ok && i < ledger_count(d->ledger); i++) {
        const struct ledger_entry *entry = ledger_at(d->ledger, i);
        struct event event;
        if (!str_is(entry->type, "release.marked-bad"))
            continue;
        ok = ledger_read(d->ledger, &arena, entry, &event, &d->call->error);
        bad |= ok && str_eq(node_text(event.fields, "commit"), commit);
    }
    arena_done(&arena);
    *ret = bad;
    return ok;
}

enum { WAYS = 10, READ_MOST = 100 };

// The middle one, or the longer of the two in the middle.
static int64_t median_of(int64_t took_ms[WAYS], size_t count)
{
    for (size_t i = 1; i < count; i++)
        for (size_t k = i; k > 0 && took_ms[k - 1] > took_ms[k]; k--) {
            int64_t swap = took_ms[k];
            took_ms[k] = took_ms[k - 1];
            took_ms[k - 1] = swap;
        }
    return count ? took_ms[count / 2] : 0;
}

bool facts_way_back(struct deployment *d, str environment, struct way_back *ret)
{
    struct arena arena = {0};
    struct way_back way = {0};
    bool ok = true;
    size_t count = 0, read = 0;
    int64_t all_ms[WAYS];
    for (size_t i = ledger_count(d->ledger); ok && i-- > 0 && count < WAYS && read < READ_MOST;) {
        const struct ledger_entry *entry = ledger_at(d->ledger, i);
        struct event event;
        int64_t since_ms = 0;
        if (!str_is(entry->type, record_name(RECORD_ROLLED_BACK)))
            continue;
        read++;
        ok = ledger_read(d->ledger, &arena, entry, &event, &d->call->error);
        if (!ok || !str_eq(node_text(event.fields, "environment"), environment) ||
            !record_reverting_since(&event, &since_ms) || event.time_ms <= since_ms)
            continue;
        int64_t took_ms = event.time_ms - since_ms;
        way.newest_ms = count == 0 ? took_ms : way.newest_ms;
        way.newest_at_ms = count == 0 ? event.time_ms : way.newest_at_ms;
        way.shortest_ms = count == 0 || took_ms < way.shortest_ms ? took_ms : way.shortest_ms;
        all_ms[count++] = took_ms;
    }
    way.count = count;
    way.median_ms = median_of(all_ms, count);
    arena_done(&arena);
    if (ok)
        *ret = way;
    return ok;
}

bool facts_release_name(str release, struct error *err)
{
    bool ok =
        release.len > 0 && release.len <= 64 && release.data[0] != '.' && release.data[0] != '-';
    for (size_t i = 0; i < release.len; i++) {
        char c = release.data[i];
        ok &= (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              (c != '\0' && strchr("._-+", c));
    }
    if (ok)
        return true;
    return error_set(err, ERROR_INPUT,
                     "`" STR_FMT
                     "` cannot be a release's name: use letters, digits and . _ - +, at "
                     "most 64, and begin with a letter or digit",
                     STR_ARG(str_first(release, 80)));
}

str facts_new_rollout(struct deployment *d, str release, str stage)
{
    for (unsigned n = 1;; n++) {
        str name =
            arena_format(d->arena, STR_FMT "-" STR_FMT "-%u", STR_ARG(release), STR_ARG(stage), n);
        size_t i = ledger_count(d->ledger);
        while (i > 0 && !str_eq(ledger_at(d->ledger, i - 1)->rollout, name))
            i--;
        if (i == 0)
            return name;
    }
}

struct event_actor facts_actor(const struct ledger *ledger, str login)
{
    return (struct event_actor){.login = login, .run_url = ledger_actor(ledger)->run_url};
}

str facts_person(const struct event_actor *actor)
{
    if (actor->login.len)
        return actor->login;
    size_t at = str_find(actor->local_user, '@');
    return at == STR_NONE ? actor->local_user : str_first(actor->local_user, at);
}

// ---- who made it --------------------------------------------------------------------------------

struct people_list {
    struct arena *arena;
    str *names;
    size_t count, room;
    bool whole;
};

static void add_name(struct people_list *list, str name)
{
    if (!name.len)
        return;
    list->names =
        arena_grow(list->arena, list->names, list->count, &list->room, sizeof *list->names);
    list->names[list->count++] = name;
}

// "ada" of "ada@example.org" and of "7+ada@users.noreply.github.com".
static void add_person(struct people_list *list, const struct author *author)
{
    str local = str_first(author->email, str_find(author->email, '@')), login = local;
    (void)str_cut(&login, '+');
    add_name(list, author->name);
    add_name(list, local);
    add_name(list, login);
}

// Of the commits behind `good`; where nobody knows what is good, of the released one and what it
// merges.
static void add_authors(struct deployment *d, struct people_list *list, str good,
                        const char *commit)
{
    struct authors authors = {0};
    struct error ignored;
    char parent[COMMIT_HEX];
    bool has = false;
    const char *base = good.len ? arena_copy(d->arena, good) : NULL;
    if (!base && repository_first_parent(d->repository, commit, parent, &has, &ignored) && has)
        base = parent;
    bool ok = authors_between(d->arena, d->repository, base, commit, &authors, &ignored);
    list->whole &= ok && authors.all;
    for (size_t i = 0; i < authors.count; i++)
        add_person(list, &authors.items[i]);
}

static bool is_seen(const struct plan *plan, uint32_t i)
{
    for (uint32_t k = 0; k < i; k++)
        if (str_eq(plan->targets[k].good.commit, plan->targets[i].good.commit))
            return true;
    return false;
}

void facts_authors(struct deployment *d, const struct plan *plan, struct release_people *ret)
{
    struct people_list list = {.arena = d->arena, .whole = true};
    struct rollout_record record;
    struct error ignored;
    const char *commit = arena_copy(d->arena, plan->commit);
    if (rollout_load(d->ledger, d->arena, plan->rollout, &record, &ignored))
        add_name(&list, facts_person(&record.planned_by));
    else
        add_name(&list, d->me);
    for (uint32_t i = 0; i < plan->target_count && plan->mode == PLAN_FORWARD; i++)
        if (!is_seen(plan, i))
            add_authors(d, &list, plan->targets[i].good.commit, commit);
    *ret = (struct release_people){list.names, list.count, list.whole};
}
