#include "actions/cli/way_back.h"

#include "deploy/record/releases.h"
#include "gate/base/glob.h"
#include "gate/base/limits.h"
#include "gate/git/changes.h"
#include "gate/risk/migrations.h"

#include <string.h>

struct search {
    struct deployment *d;
    const struct target_settings *target;
    const struct placement *good;
    const char *commit;
    str environment;
};

struct found {
    struct migration worst; // that known good may not live with
    size_t count;           // of such files
    bool unknown;           // which came between: nobody recorded the commit of known good
    const char *why_since;  // why the author's word does not hold; null when there is none
};

// The author says from which release on the code lives with it. Known good is that release or has
// it behind it.
static bool lives_with(const struct search *search, str since, const char **ret_why, bool *ret)
{
    struct deployment *d = search->d;
    struct error *err = &d->call->error;
    struct placement placement;
    char base[COMMIT_HEX];
    *ret = str_eq(since, search->good->release);
    if (*ret)
        return true;
    if (!release_good_named(d->ledger, d->arena, search->environment, search->target->name, since,
                            &placement, err)) {
        if (err->kind != ERROR_ABSENT && err->kind != ERROR_DENIED)
            return false;
        *ret_why = arena_copy(d->arena, str_of(err->message));
        *err = (struct error){0};
        return true;
    }
    const char *then = arena_copy(d->arena, placement.commit);
    const char *now = arena_copy(d->arena, search->good->commit);
    if (!repository_merge_base(d->repository, then, now, base, err))
        return false;
    *ret = strcmp(base, then) == 0;
    if (!*ret)
        *ret_why = "known good is older than that";
    return true;
}

static bool read_file(const struct search *search, const char *path, struct found *found)
{
    struct deployment *d = search->d;
    struct migration migration;
    bool there = false, lives = false;
    const char *why = NULL;
    str bytes;
    if (!repository_file(d->arena, d->repository, search->commit, path, LIMIT_CONFIG_BYTES, &bytes,
                         &there, &d->call->error))
        return false;
    if (!there)
        return true;
    if (!migration_read(d->arena, path, bytes, &migration, &d->call->error))
        return false;
    if (migration.kind == MIGRATION_ADDITIVE)
        return true;
    if (migration.since.len && !lives_with(search, migration.since, &why, &lives))
        return false;
    if (lives)
        return true;
    found->count++;
    if (found->count == 1 || migration.kind > found->worst.kind) {
        found->worst = migration;
        found->why_since = why;
    }
    return true;
}

static bool is_migration(const struct file_patterns *files, str path)
{
    for (size_t i = 0; i < files->count; i++)
        if (glob_match(files->items[i], path))
            return true;
    return false;
}

static bool search_target(const struct search *search, struct found *found)
{
    struct deployment *d = search->d;
    const struct target_kind *kind = search->target->kind;
    struct file_patterns files = {NULL, 0};
    struct file_kinds no_lines = {0};
    struct changes changes;
    if (kind->migrations)
        files = kind->migrations(search->target->config);
    if (files.count == 0 || search->good->release.len == 0)
        return true;
    if (search->good->commit.len == 0) {
        found->count = 1;
        found->unknown = true;
        return true;
    }
    if (!changes_between(d->arena, d->repository, arena_copy(d->arena, search->good->commit),
                         search->commit, &no_lines, &changes, &d->call->error))
        return error_wrap(&d->call->error,
                          "looking for the migrations since " STR_FMT
                          ", known good on target " STR_FMT,
                          STR_ARG(search->good->release), STR_ARG(search->target->name));
    for (size_t i = 0; i < changes.count; i++)
        if (is_migration(&files, changes.items[i].path) &&
            !read_file(search, arena_copy(d->arena, changes.items[i].path), found))
            return false;
    return true;
}

static str words_of(struct arena *arena, const struct found *found)
{
    const struct migration *worst = &found->worst;
    if (found->unknown)
        return STR("which migrations came since known good cannot be told, for the record does not "
                   "have its commit");
    return arena_format(
        arena, "%s:%u: " STR_FMT " is %s%s", worst->path, (unsigned)worst->line,
        STR_ARG(worst->what), migration_kind_name(worst->kind),
        found->count > 1
            ? arena_copy(arena, arena_format(arena, ", and %zu more such files", found->count - 1))
            : "");
}

static bool refuse(const struct search *search, const struct found *found)
{
    struct arena *arena = search->d->arena;
    if (found->unknown)
        return error_set(&search->d->call->error, ERROR_DENIED,
                         "target " STR_FMT ": " STR_FMT
                         ": say it with `sluice adopt --commit REV " STR_FMT
                         "`, or accept that there is no way back with `--no-return REASON`",
                         STR_ARG(search->target->name), STR_ARG(words_of(arena, found)),
                         STR_ARG(search->target->name));
    str said = {NULL, 0};
    if (found->worst.since.len)
        said = arena_format(arena, "; it says that it is compatible since " STR_FMT ", but %s",
                            STR_ARG(found->worst.since), found->why_since);
    return error_set(&search->d->call->error, ERROR_DENIED,
                     STR_FMT STR_FMT
                     ": a rollback of target " STR_FMT " brings back the code of " STR_FMT
                     ", not the data. Bring out first what does without it, and say so in the "
                     "file: `sluice: compatible since RELEASE`; or accept that there is no way "
                     "back with `--no-return REASON`",
                     STR_ARG(words_of(arena, found)), STR_ARG(said), STR_ARG(search->target->name),
                     STR_ARG(search->good->release));
}

static bool search_all(struct deployment *d, const struct stage_run *run,
                       const struct placement *good, const char *commit, bool refuses,
                       const char *accepted, str **ret)
{
    str *words = ARENA_ARRAY(d->arena, str, run->target_count);
    for (size_t i = 0; i < run->target_count; i++) {
        struct search search = {d, run->target_settings[i], &good[i], commit,
                                stage_environment(run->stage)};
        struct found found = {0};
        if (!search_target(&search, &found))
            return false;
        if (found.count == 0)
            continue;
        if (refuses && !accepted)
            return refuse(&search, &found);
        words[i] = words_of(d->arena, &found);
        if (accepted)
            words[i] = arena_format(d->arena, STR_FMT " (accepted by " STR_FMT ": %s)",
                                    STR_ARG(words[i]), STR_ARG(d->me), accepted);
    }
    *ret = words;
    return true;
}

bool way_back_check(struct deployment *d, const struct stage_run *run, const struct placement *good,
                    const char *commit, const char *accepted, str **ret)
{
    return search_all(d, run, good, commit, true, accepted, ret);
}

bool way_back_look(struct deployment *d, const struct stage_run *run, const struct placement *good,
                   const char *commit, str **ret)
{
    return search_all(d, run, good, commit, false, NULL, ret);
}
