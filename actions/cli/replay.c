#include "actions/cli/replay.h"

#include "actions/cli/replay_figures.h"
#include "deploy/record/evidence_store.h"
#include "deploy/record/history.h"
#include "deploy/run/settings.h"
#include "gate/base/moment.h"
#include "gate/gate.h"

bool replay_policy(struct replay *replay, const char *path)
{
    struct invocation *call = replay->call;
    struct problems problems = {.arena = call->arena};
    struct policy_request request = {
        .tree = {.repository = replay->repository, .root = replay->root},
        .path = path,
        .outside = true,
    };
    if (!policy_load(call->arena, &request, &replay->policy, &call->error))
        return false;
    if (config_bind(call->arena, replay->policy.tree, &replay->config, &problems))
        return true;
    problems_sort(&problems);
    return problems_none(&problems, &call->error);
}

// ---- what was recorded -------------------------------------------------------------------------
static bool kind_of(str name, enum evidence_kind *ret)
{
    for (int kind = 0; kind < EVIDENCE_KINDS; kind++)
        if (str_is(name, evidence_kind_name((enum evidence_kind)kind))) {
            *ret = (enum evidence_kind)kind;
            return true;
        }
    return false;
}

static void note_missing(struct recorded_run *run, str path)
{
    const struct node *list = node_get(run->event.fields, "evidence");
    for (const struct node *one = list ? list->first : NULL; one; one = one->next) {
        enum evidence_kind kind;
        if (str_eq(node_text(one, "path"), path) && kind_of(node_text(one, "kind"), &kind))
            run->missing[kind] = arena_copy(run->arena, path);
    }
}

static bool read_reports(struct replay *replay, struct recorded_run *run, struct replayed *ret)
{
    struct arena *arena = run->arena;
    const struct event *event = &run->event;
    struct recorded_report *list =
        ARENA_ARRAY(arena, struct recorded_report, event->evidence_count + 1);
    for (size_t i = 0; i < event->evidence_count; i++) {
        const struct event_evidence *one = &event->evidence[i];
        struct error why;
        str entry = one->path, path = str_cut(&entry, '!');
        list[i].path = arena_copy(arena, path);
        list[i].entry = entry.len ? arena_copy(arena, entry) : NULL;
        if (evidence_find(replay->ledger, arena, one->sha256, &list[i].bytes, &why)) {
            list[i].bytes = list[i].bytes.data ? list[i].bytes : STR("");
            ret->reports_at_hand++;
        } else if (why.kind == ERROR_ABSENT) {
            list[i].bytes = (str){NULL, 0};
            note_missing(run, one->path);
        } else {
            replay->call->error = why;
            return false;
        }
    }
    ret->reports = event->evidence_count;
    run->recorded = (struct recorded_reports){list, event->evidence_count};
    return true;
}

// A kind of which there was no report, and of which the decision does not say that it was missing,
// was not asked for: the other policy cannot hold it against that run.
static void note_none(struct recorded_run *run)
{
    const struct node *reports = node_get(run->event.fields, "evidence");
    const struct node *findings = node_get(run->event.fields, "findings");
    for (int kind = 0; kind < EVIDENCE_KINDS; kind++) {
        const char *name = evidence_kind_name((enum evidence_kind)kind);
        str prefix = arena_format(run->arena, "evidence.%s.", name);
        bool there = kind == EVIDENCE_STATEMENTS; // never needed
        for (const struct node *one = reports ? reports->first : NULL; one; one = one->next)
            there |= str_is(node_text(one, "kind"), name);
        for (const struct node *one = findings ? findings->first : NULL; one; one = one->next)
            there |= str_starts(node_text(one, "id"), prefix);
        run->none[kind] = !there;
    }
}

static bool read_decision(struct replay *replay, size_t position, struct recorded_run *run,
                          struct replayed *ret)
{
    struct error *err = &replay->call->error;
    struct arena *keep = replay->call->arena;
    if (!ledger_read(replay->ledger, run->arena, ledger_at(replay->ledger, position), &run->event,
                     err))
        return false;
    const struct node *body = run->event.fields;
    memcpy(ret->id, run->event.id, sizeof ret->id);
    ret->commit = arena_copy(keep, node_text(body, "commit"));
    ret->time_ms = run->event.time_ms;
    (void)moment_parse(node_text(body, "time"), &ret->time_ms);
    if (!verdict_of(node_text(body, "decision"), &ret->was))
        return error_set(err, ERROR_INPUT,
                         "the decision %s has no verdict: `sluice verify` says more", ret->id);
    note_none(run);
    return read_reports(replay, run, ret);
}

// ---- judging again -----------------------------------------------------------------------------
// What was known before it; null when that cannot be told.
static const struct history *history_then(struct replay *replay, struct recorded_run *run,
                                          size_t position, const char *commit)
{
    struct arena *arena = run->arena;
    struct incident_settings incidents;
    struct problems problems = {.arena = arena};
    struct error ignored = {0};
    struct history *history = ARENA_NEW(arena, struct history);
    struct history_request request = {
        .commit = commit, .entries = position, .repository = replay->repository};
    if (position == 0 ||
        !shape_bind(arena, &incidents_shape, node_get(replay->policy.tree, "incidents"), &incidents,
                    &problems))
        return NULL;
    for (int i = 0; i < HISTORY_SEVERITIES; i++)
        request.review_within_ms[i] = incidents.severity[i].review_within_ms;
    request.reviews = incidents.reviews;
    return history_load(replay->ledger, arena, &request, history, &ignored) ? history : NULL;
}

static bool has_commit(struct replay *replay, const char *commit)
{
    char found[COMMIT_HEX];
    struct error ignored = {0};
    return replay->repository && *commit &&
           repository_resolve(replay->repository, commit, found, &ignored);
}

static void take_findings(struct replay *replay, struct recorded_run *run,
                          const struct findings *findings, struct replayed *ret)
{
    struct arena *keep = replay->call->arena;
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];
        const char *why = replay_cannot_judge(run, str_of(finding->id), str_of(finding->rule));
        if (why)
            continue; // said by replay_figures, of what was recorded
        if (finding->verdict > ret->would)
            ret->would = finding->verdict;
        if (finding->verdict < VERDICT_HOLD)
            continue;
        ret->stops =
            arena_grow(keep, ret->stops, ret->stop_count, &ret->stop_room, sizeof *ret->stops);
        ret->stops[ret->stop_count++] =
            (struct replayed_finding){.id = arena_copy(keep, str_of(finding->id)),
                                      .message = arena_copy(keep, str_of(finding->message)),
                                      .verdict = finding->verdict};
    }
}

static bool judge_again(struct replay *replay, struct recorded_run *run, size_t position,
                        struct replayed *ret)
{
    struct arena *arena = run->arena;
    str base = node_text(run->event.fields, "base");
    struct policy policy = replay->policy;
    struct gate gate = {0};
    struct gate_request request = {
        .repository = replay->repository,
        .root = replay->root,
        .place = {.commit = ret->commit, .base = base.len ? arena_copy(arena, base) : NULL},
        .policy = &policy,
        .evidence = replay->config.evidence,
        .demands = replay->config.gate,
        .tree_commit = ret->commit,
        .recorded = &run->recorded,
        .enforce = true, // what it would do
        .now_ms = ret->time_ms,
        .history = history_then(replay, run, position, ret->commit),
    };
    // Register, waivers and quarantine as they were then.
    policy.source = (struct source){.repository = replay->repository,
                                    .commit = request.place.base ? request.place.base : ret->commit,
                                    .root = replay->root};
    bool ok = gate_judge(arena, &request, &gate, &replay->call->error);
    if (ok)
        take_findings(replay, run, &gate.decision.findings, ret);
    gate_done(&gate);
    return ok || error_wrap(&replay->call->error, "judging commit %.12s again", ret->commit);
}

bool replay_decision(struct replay *replay, size_t position, struct replayed *ret)
{
    struct arena arena = {0};
    struct recorded_run run = {.arena = &arena};
    *ret = (struct replayed){.would = VERDICT_PASS};
    bool ok = read_decision(replay, position, &run, ret);
    if (ok) {
        const char *base = arena_copy(&arena, node_text(run.event.fields, "base"));
        if (!has_commit(replay, ret->commit))
            run.no_commit = "its commit is not in this repository";
        else if (*base && !has_commit(replay, base))
            run.no_commit = "its base is not in this repository (fetch-depth: 0)";
        ok = run.no_commit || judge_again(replay, &run, position, ret);
    }
    if (ok)
        replay_figures(replay, &run, ret);
    arena_done(&arena);
    return ok;
}
