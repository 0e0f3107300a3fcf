#include "actions/cli/closed_issue.h"

#include "actions/cli/approval_desk.h"
#include "actions/cli/github_desk.h"
#include "actions/cli/github_marks.h"
#include "actions/cli/ledger_facts.h"
#include "actions/cli/rollback_run.h"
#include "actions/cli/say.h"
#include "actions/github/comment_desk.h"
#include "actions/github/rollout_words.h"
#include "gate/base/moment.h"
#include "gate/base/number.h"

#include <stdio.h>

enum { LOOKED_AT = 500 }; // of the newest rollouts

struct closed_issue {
    struct deployment *d;
    struct rollout_record record; // of the rollout whose issue it is
    int64_t issue, comment;       // the comment that woke this process
    struct comment_desk desk;
    struct mirror_run run;
    bool asked; // to go back, by
    str who, reason, url;
};

static void say(void *self, const char *words)
{
    (void)self;
    say_line("sluice: %s", words);
}

// ---- which one ----------------------------------------------------------------------------------

// "…/issues/7#issuecomment-12": the numbers. Whose repository it names does not matter: they are
// looked up in ours.
static bool read_address(const char *url, int64_t *ret_issue, int64_t *ret_comment,
                         struct error *err)
{
    str text = str_of(url);
    size_t at = str_find_last(text, '/');
    str issue = at == STR_NONE ? text : str_from(text, at + 1), comment = issue;
    issue = str_cut(&comment, '#');
    if (str_starts(comment, STR("issuecomment-")) && number_i64(issue, ret_issue) &&
        *ret_issue > 0 && number_i64(str_from(comment, 13), ret_comment) && *ret_comment > 0)
        return true;
    return error_set(err, ERROR_INPUT,
                     "--comment takes the address of a comment in an issue, such as "
                     "https://github.com/acme/learn/issues/7#issuecomment-12");
}

static bool find_rollout(struct closed_issue *c, bool *ret_found)
{
    struct deployment *d = c->d;
    str *names = NULL;
    size_t count = 0;
    *ret_found = false;
    if (!rollouts_newest(d->ledger, d->arena, LOOKED_AT, &names, &count, &d->call->error))
        return false;
    for (size_t i = 0; i < count && !*ret_found; i++) {
        const struct github_marks marks = {d, names[i]};
        if (github_mark(&marks, "issue") != c->issue)
            continue;
        if (!rollout_load(d->ledger, d->arena, names[i], &c->record, &d->call->error))
            return false;
        *ret_found = true;
    }
    return true;
}

// ---- what is said -------------------------------------------------------------------------------

static bool is_recorded(void *self, int64_t comment)
{
    const struct closed_issue *c = self;
    return github_comment_known(c->d, comment);
}

// Null: what the rollout brought out is what runs, and nothing else is under way.
static const char *no_way_back(struct closed_issue *c, struct arena *arena)
{
    struct deployment *d = c->d;
    const struct plan *plan = c->record.plan;
    struct standing standing;
    struct placement live;
    bool found = false;
    if (c->record.state->phase != PHASE_DONE)
        return "nothing of it is out any more";
    if (!ledger_standing(d->ledger, arena, plan->environment, &standing, &d->call->error))
        return "where things stand cannot be read: use the rollback workflow";
    if (standing.claim.rollout.len)
        return arena_format(arena,
                            STR_FMT " is under way there: say it in its issue, or use the "
                                    "rollback workflow",
                            STR_ARG(standing.claim.rollout))
            .data;
    for (uint32_t i = 0; i < plan->target_count; i++) {
        if (!facts_known_good(d, plan->environment, plan->targets[i].name, (str){NULL, 0}, &live,
                              &found))
            return "what runs cannot be read: use the rollback workflow";
        if (!found || !str_eq(live.release, plan->release))
            return arena_format(arena,
                                STR_FMT " is not what runs on " STR_FMT
                                        ": use the rollback workflow for what does",
                                STR_ARG(plan->release), STR_ARG(plan->targets[i].name))
                .data;
    }
    return NULL;
}

static const char *take(void *self, struct arena *arena, const struct said_word *said)
{
    struct closed_issue *c = self;
    if (said->word != COMMENT_ROLLBACK)
        return "this rollout is over";
    if (said->comment != c->comment)
        return "nobody heard it when it was said: say it again, if it still holds";
    const char *why = no_way_back(c, arena);
    if (why)
        return why;
    c->asked = true;
    c->who = arena_str(c->d->arena, said->who);
    c->reason = arena_str(c->d->arena, said->reason);
    c->url = arena_str(c->d->arena, said->url);
    return NULL;
}

static void add_status(void *self, struct text *out)
{
    text_add(out, text_str(self));
}

// ---- hearing ------------------------------------------------------------------------------------

static void open_desk(struct closed_issue *c, struct github_client *github, struct text *status)
{
    const struct issue_source source = {.plan = c->record.plan, .state = c->record.state};
    rollout_issue_status(&source, status);
    c->desk = (struct comment_desk){
        .github = github,
        .port = {.self = c,
                 .known = is_recorded,
                 .take = take,
                 .status_self = status,
                 .status = add_status},
        .rollout = c->record.plan->rollout,
        .poll_ms = MS_HOUR, // it reads once
        .issue = c->issue,
    };
    c->run = (struct mirror_run){.cloud = c->d->ports.cloud, .self = c, .say = say};
    comment_desk_open(&c->desk);
    mirror_run_add(&c->run, &c->desk.part);
    mirror_run_told(&c->run);
}

static bool heard_all(struct closed_issue *c)
{
    return c->desk.read_once || c->desk.part.off;
}

// Until it is decided what counts; it is answered later, as a way back does not wait for that.
static bool hear(struct closed_issue *c)
{
    struct deployment *d = c->d;
    struct world *world = d->ports.world;
    int64_t now_ms = deployment_now(d), until_ms = now_ms + GITHUB_LIMIT_MS;
    while (!heard_all(c) && now_ms < until_ms && !world_signal(world)) {
        int64_t wake_ms = until_ms;
        (void)mirror_run_turn(&c->run, now_ms, &wake_ms);
        if (!heard_all(c))
            world_wait(world, wake_ms);
        now_ms = deployment_now(d);
    }
    return c->desk.read_once ||
           error_set(&d->call->error, ERROR_TRANSIENT,
                     "what was said in issue %lld could not be read: `sluice rollback` does not "
                     "need it",
                     (long long)c->issue);
}

static int go_back(struct closed_issue *c)
{
    struct deployment *d = c->d;
    const struct plan *plan = c->record.plan;
    struct rollback_request request = {
        .stage = stage_of(&d->settings, plan->stage),
        .reason = c->reason.len ? c->reason : STR(REASON_PENDING),
    };
    str name;
    if (!request.stage) {
        (void)error_set(&d->call->error, ERROR_INPUT,
                        "rollout " STR_FMT " is of stage " STR_FMT
                        ", which the configuration does not have any more",
                        STR_ARG(plan->rollout), STR_ARG(plan->stage));
        return command_failed(d->call);
    }
    say_line("sluice: " STR_FMT " says /rollback of " STR_FMT " on GitHub", STR_ARG(c->who),
             STR_ARG(plan->release));
    int code = rollback_run(d, &request, ROLLBACK_AGREED, &name);
    struct rollout_record planned;
    struct error ignored;
    // One that failed before anything began may be asked for again by the same comment.
    if (name.len && rollout_load(d->ledger, d->arena, name, &planned, &ignored)) {
        const struct github_asked asked = {name, c->who, c->url, c->comment};
        github_set_asked(d, &asked);
        rollback_push(d);
    }
    return code;
}

static int hear_and_go(struct closed_issue *c, struct github_client *github)
{
    struct text status = text_of(16384);
    open_desk(c, github, &status);
    int code = hear(c) ? 0 : deployment_failed(c->d);
    mirror_run_stop(&c->run); // its answers would stand before what the rollback tells
    if (code == 0 && c->asked)
        code = go_back(c);
    if (c->desk.read_once)
        github_run_until(c->d, &c->run, deployment_now(c->d) + GITHUB_LIMIT_MS);
    mirror_run_close(&c->run);
    comment_desk_close(&c->desk);
    text_done(&status);
    return code;
}

int closed_issue_hear(struct deployment *d, const char *comment_url)
{
    struct closed_issue c = {.d = d};
    struct github_settings settings;
    struct problems problems = {.arena = d->arena};
    struct github_client *github;
    struct error *err = &d->call->error;
    bool found = false;
    if (!read_address(comment_url, &c.issue, &c.comment, err) || !find_rollout(&c, &found))
        return command_failed(d->call);
    if (!found) {
        say_line("sluice: issue %lld is not that of a rollout: nothing is heard there",
                 (long long)c.issue);
        return 0;
    }
    if (!c.record.state || !phase_terminal(c.record.state->phase)) {
        say_line("sluice: rollout " STR_FMT " is not over: whoever drives it hears what is said",
                 STR_ARG(c.record.plan->rollout));
        return 0;
    }
    if (!github_settings_bind(d->arena, d->config, &settings, &problems)) {
        (void)problems_none(&problems, err);
        return command_failed(d->call);
    }
    if (!settings.approvals) {
        (void)error_set(err, ERROR_INPUT,
                        "comments are not heard here: `github.approvals` of the configuration is "
                        "off");
        return command_failed(d->call);
    }
    return deployment_github(d, &settings, &github, err) ? hear_and_go(&c, github)
                                                         : command_failed(d->call);
}
