#include "actions/cli/judgement.h"

#include "actions/cli/gate_history.h"
#include "gate/base/moment.h"
#include "gate/git/facts.h"

#include <stdlib.h>
#include <unistd.h>

// A path of --config as seen from the root of the working tree; null when it lies outside of it.
static const char *inside(struct arena *arena, const char *root, const char *path)
{
    char *full = realpath(path, NULL);
    char *top = realpath(*root ? root : ".", NULL);
    const char *found = NULL;
    if (full && top) {
        size_t n = strlen(top);
        if (strncmp(full, top, n) == 0 && full[n] == '/')
            found = arena_copy(arena, str_of(full + n + 1));
    } else if (!full && source_path_stays(path)) {
        found = path; // not in the working tree: the base may have it
    }
    free(full);
    free(top);
    return found;
}

bool judgement_open_tree(struct invocation *call, struct judgement *judgement,
                         struct policy_request *request)
{
    struct error absent = {0};
    judgement->root = "";
    if (!repository_open(".", &judgement->repository, &absent)) {
        judgement->repository = NULL;
        if (absent.kind != ERROR_ABSENT) {
            call->error = absent;
            return false;
        }
    } else if (repository_root(judgement->repository)) {
        judgement->root = repository_root(judgement->repository);
    } else {
        return error_set(&call->error, ERROR_INPUT, "this repository has no working tree");
    }
    *request = (struct policy_request){
        .base = {.repository = judgement->repository, .root = judgement->root},
        .tree = {.repository = judgement->repository, .root = judgement->root},
        .path = POLICY_PATH,
    };
    if (call->config_path) {
        const char *path = inside(call->arena, judgement->root, call->config_path);
        request->path = path ? path : call->config_path;
        request->outside = !path;
    }
    return true;
}

// A workflow that runs with the repository's secrets must not judge with files of the pull request.
static bool check_event(struct invocation *call, const struct gate_place *place)
{
    const struct runner *runner = &call->runner;
    if (!runner->is_actions || !runner->event_name ||
        strcmp(runner->event_name, "pull_request_target") != 0 || !place->commit)
        return true;
    if (runner->event_sha && strcmp(runner->event_sha, place->commit) == 0)
        return true;
    return error_set(&call->error, ERROR_DENIED,
                     "a `pull_request_target` workflow has checked out the pull request: use "
                     "`pull_request`, which runs it without secrets");
}

static bool read_moment(struct invocation *call, int64_t *ret)
{
    const char *at = option_text(&call->options, "at");
    *ret = call->now_ms;
    return !at || moment_parse(str_of(at), ret) ||
           error_set(&call->error, ERROR_INPUT,
                     "--at %s is not a moment such as 2027-01-31T12:00:00Z", at);
}

// That the change comes from; null when HEAD is on none.
static const char *branch_of(struct invocation *call, struct repository *repository)
{
    str branch = {NULL, 0};
    struct error ignored = {0};
    if (call->runner.head_ref)
        return call->runner.head_ref;
    if (call->runner.is_actions)
        return call->runner.branch;
    if (repository)
        (void)repository_branch(call->arena, repository, &branch, &ignored);
    return branch.len ? branch.data : NULL;
}

// On a pull request the runner has checked out the branch merged into its base as it is by now.
static bool pull_request_base(struct invocation *call, struct repository *repository,
                              const char **ret)
{
    const struct runner *runner = &call->runner;
    char head[COMMIT_HEX], merged_into[COMMIT_HEX];
    struct error unborn = {0};
    bool found = false;
    *ret = runner->base_sha;
    if (!runner->base_sha || !runner->head_sha || !repository ||
        !repository_resolve(repository, "HEAD", head, &unborn))
        return true;
    if (!repository_merged_into(repository, head, runner->head_sha, runner->base_sha, merged_into,
                                &found, &call->error))
        return false;
    if (found)
        *ret = arena_copy(call->arena, str_of(merged_into));
    return true;
}

bool judgement_make(struct invocation *call, struct judgement *judgement)
{
    struct policy_request request;
    struct problems problems = {.arena = call->arena};
    struct gate_place place;
    int64_t now_ms;
    const char *base = option_text(&call->options, "base");
    if (!read_moment(call, &now_ms) || !judgement_open_tree(call, judgement, &request) ||
        (!base && !pull_request_base(call, judgement->repository, &base)) ||
        !gate_locate(call->arena, judgement->repository, base, &place, &call->error) ||
        !check_event(call, &place))
        return false;
    request.base.commit = place.base;
    if (!policy_load(call->arena, &request, &judgement->policy, &call->error))
        return false;
    if (!config_bind(call->arena, judgement->policy.tree, &judgement->config, &problems)) {
        problems_sort(&problems);
        return problems_none(&problems, &call->error);
    }
    struct gate_request gate = {
        .repository = judgement->repository,
        .root = judgement->root,
        .place = place,
        .policy = &judgement->policy,
        .evidence = judgement->config.evidence,
        .demands = judgement->config.gate,
        .enforce = judgement->config.enforce,
        .change = base != NULL,
        .branch = branch_of(call, judgement->repository),
        .labels = call->runner.labels,
        .now_ms = now_ms,
        .wants_score = judgement->wants_score,
        .score_window_days = judgement->score_window_days,
    };
    gate.history =
        gate_history(call, &(struct gate_history_request){.repository = judgement->repository,
                                                          .root = judgement->root,
                                                          .commit = place.commit,
                                                          .tree = judgement->policy.tree});
    return gate_judge(call->arena, &gate, &judgement->gate, &call->error);
}

void judgement_done(struct judgement *judgement)
{
    gate_done(&judgement->gate);
    repository_close(judgement->repository);
}
