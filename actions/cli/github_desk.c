#include "actions/cli/github_desk.h"

#include "actions/cli/approval_desk.h"
#include "actions/cli/brief_words.h"
#include "actions/cli/github_marks.h"
#include "actions/cli/ledger_facts.h"
#include "actions/cli/say.h"
#include "actions/cli/steering_desk.h"
#include "actions/github/rollout_mirror.h"
#include "actions/report/escape.h"
#include "deploy/cloud/url_parts.h"
#include "gate/base/moment.h"
#include "gate/doc/json.h"

enum { FACTS_MOST = 32768, ENDED_MOST = 20 };

#define ENDED_WITHIN_MS (6 * MS_HOUR)

struct github_desk {
    struct deployment *d;
    struct progress_display *progress;
    const struct plan *plan;
    const struct rollout_state *state; // as it stands; null before it was told
    struct release_people people;      // as git knows them
    struct github_settings settings;
    struct rollout_mirror *mirror;
    struct observer_port next;
    bool reverting; // a way back is under way: nothing is begun
};

static void say(void *self, const char *words)
{
    const struct github_desk *desk = self;
    if (desk->progress)
        progress_clear(desk->progress);
    say_line("sluice: %s", words);
}

// ---- what is kept -------------------------------------------------------------------------------

static struct github_marks marks_of(const struct github_desk *desk)
{
    return (struct github_marks){desk->d, desk->plan->rollout};
}

static int64_t known_number(void *self, const char *kind)
{
    struct github_marks marks = marks_of(self);
    return github_mark(&marks, kind);
}

static void record_number(void *self, const char *kind, int64_t number, str url)
{
    struct github_marks marks = marks_of(self);
    github_set_mark(&marks, kind, number, url);
}

// ---- what people say ----------------------------------------------------------------------------

static bool is_recorded(void *self, int64_t comment)
{
    const struct github_desk *desk = self;
    return github_comment_known(desk->d, comment);
}

// The names that git knows, and the logins that GitHub does.
static struct release_people all_people(const struct github_desk *desk, struct arena *arena,
                                        const struct release_authors *authors)
{
    size_t count = desk->people.count, more = authors ? authors->count : 0;
    str *all = ARENA_ARRAY(arena, str, count + more + 1);
    for (size_t i = 0; i < count; i++)
        all[i] = desk->people.names[i];
    for (size_t i = 0; i < more; i++)
        all[count + i] = authors->logins[i];
    return (struct release_people){all, count + more, authors || desk->people.whole};
}

static const char *take_answer(struct github_desk *desk, struct arena *arena,
                               const struct said_word *said)
{
    uint32_t step = 0;
    const struct plan_approval *rule = rollout_question(desk->plan, desk->state, &step);
    struct release_people people = all_people(desk, arena, said->authors);
    struct error err = {0};
    struct approval_source source = {said->comment, said->said_ms, said->url};
    struct approval_word word = {
        .person = {said->who, said->teams, said->team_count},
        .granted = said->word == COMMENT_APPROVE,
        .comment = said->reason,
        .source = &source,
    };
    if (!rule)
        return "nothing is asked at the moment";
    const char *why = approval_refusal(arena, rule, &word.person, &people);
    if (!why)
        why = approval_late(rule, desk->state, said->said_ms);
    if (why)
        return why;
    return approval_write(desk->d->ledger, desk->plan, step, &word, &err)
               ? NULL
               : arena_copy(arena, str_of(err.message));
}

static const char *take_withdrawal(struct github_desk *desk, struct arena *arena,
                                   const struct said_word *said)
{
    struct error err = {0};
    struct approval_source source = {said->comment, said->said_ms, said->url};
    struct approval_word word = {
        .person = {.who = said->who}, .comment = said->reason, .source = &source};
    return approval_withdraw(desk->d->ledger, desk->plan, desk->state, &word, &err)
               ? NULL
               : arena_copy(arena, str_of(err.message));
}

static const char *take_steering(struct github_desk *desk, struct arena *arena,
                                 const struct said_word *said)
{
    static const enum rollout_steer steers[] = {
        [COMMENT_HOLD] = STEER_HOLD,
        [COMMENT_PROMOTE] = STEER_PROMOTE,
        [COMMENT_ROLLBACK] = STEER_ABORT,
    };
    struct error err = {0};
    struct steering word = {.steer = steers[said->word], .who = said->who, .text = said->reason};
    if (word.steer == STEER_ABORT && desk->state->phase == PHASE_DONE)
        return "this rollout has just ended: say it again, and what it brought out is taken back";
    if (!word.text.len && word.steer == STEER_PROMOTE)
        return "it needs a reason, which goes into the record, such as `/promote the alert was "
               "noise`";
    if (!word.text.len)
        word.text = STR("pending");
    if (!steering_check(desk->plan, desk->state, word.steer, &word.share_ppm, &err) ||
        !steering_write(desk->d->ledger, desk->plan->rollout, &word,
                        arena_format(arena, COMMENT_KEY, (long long)said->comment), &err))
        return arena_copy(arena, str_of(err.message));
    return NULL;
}

static const char *take(void *self, struct arena *arena, const struct said_word *said)
{
    struct github_desk *desk = self;
    bool answers = said->word == COMMENT_APPROVE || said->word == COMMENT_DENY;
    const char *why = answers                          ? take_answer(desk, arena, said)
                      : said->word == COMMENT_WITHDRAW ? take_withdrawal(desk, arena, said)
                                                       : take_steering(desk, arena, said);
    struct text line = text_of(1024);
    text_addf(&line, STR_FMT " says /%s on GitHub%s%s", STR_ARG(said->who),
              comment_word_name(said->word), why ? ", which does not count: " : "", why ? why : "");
    say(desk, text_c(&line));
    text_done(&line);
    return why;
}

// ---- opening ------------------------------------------------------------------------------------

// A mistake in `github` stops a rollout when its configuration is read, but never a way back.
static bool read_settings(struct github_desk *desk)
{
    struct deployment *d = desk->d;
    struct problems problems = {.arena = d->arena};
    struct error why;
    char text[1024];
    if (github_settings_bind(d->arena, d->config, &desk->settings, &problems))
        return desk->settings.given && (desk->settings.deployments || desk->settings.approvals);
    if (!problems_none(&problems, &why))
        say(desk, error_text(&why, text, sizeof text));
    return false;
}

static str written(struct github_desk *desk, const struct release_brief *brief,
                   void (*write)(const struct plan *plan, const struct release_brief *brief,
                                 struct text *out))
{
    struct text out = text_of(FACTS_MOST);
    write(desk->plan, brief, &out);
    str made = arena_str(desk->d->arena, text_str(&out));
    text_done(&out);
    return made;
}

static str environment_url(struct github_desk *desk)
{
    const struct template_value values[] = {{"environment", desk->plan->environment}, {0}};
    struct text url = text_of(4096);
    struct error why;
    if (desk->settings.environment_url.len &&
        !template_expand(desk->settings.environment_url, values, TEMPLATE_PLAIN, &url, &why))
        say(desk, why.message);
    str made = arena_str(desk->d->arena, text_str(&url));
    text_done(&url);
    return made;
}

// Its page on GitHub, on which a job that waits for reviewers waits.
static str deployments_url(struct github_desk *desk)
{
    const struct runner *runner = &desk->d->call->runner;
    struct text url = text_of(4096);
    if (!runner->server_url || !runner->repository)
        return STR("");
    text_addf(&url, "%s/%s/deployments/", runner->server_url, runner->repository);
    url_encode(&url, desk->plan->environment, URL_SEGMENT);
    str made = arena_str(desk->d->arena, text_str(&url));
    text_done(&url);
    return made;
}

static int64_t live_deployment(void *self)
{
    struct github_desk *desk = self;
    return github_live_deployment(desk->d, desk->plan);
}

struct github_desk *github_desk_open(struct deployment *d, const struct plan *plan,
                                     const struct rollout_state *state,
                                     struct progress_display *progress)
{
    struct github_desk *desk = ARENA_NEW(d->arena, struct github_desk);
    struct github_client *github;
    struct release_brief brief;
    struct error why;
    *desk = (struct github_desk){.d = d, .progress = progress, .plan = plan};
    if (!read_settings(desk))
        return NULL;
    if (!deployment_github(d, &desk->settings, &github, &why)) {
        say(desk, why.message);
        return NULL;
    }
    facts_authors(d, plan, &desk->people);
    release_brief(d, plan, &brief);
    struct mirror_setup setup = {
        .cloud = d->ports.cloud,
        .github = github,
        .plan = plan,
        .deployments = desk->settings.deployments,
        .live = live_deployment,
        .issues = desk->settings.approvals,
        .production = str_is(plan->environment, "production"),
        .run_url = str_of(d->call->runner.run_url),
        .environment_url = environment_url(desk),
        .deployments_url = deployments_url(desk),
        .judged = written(desk, &brief, brief_verdict_markdown),
        .facts = written(desk, &brief, brief_markdown),
        .port = {desk, known_number, record_number},
        .comments = {.self = desk, .known = is_recorded, .take = take},
        .poll_ms = desk->settings.poll_ms,
        .self = desk,
        .say = say,
    };
    rollout_mirror_open(&setup, &desk->mirror);
    if (state) {
        desk->state = state;
        desk->reverting = state->phase == PHASE_REVERTING;
        rollout_mirror_tell(desk->mirror, state);
    }
    return desk;
}

// ---- while it goes ------------------------------------------------------------------------------

static void hear(void *self, const struct run_news *news)
{
    struct github_desk *desk = self;
    desk->next.tell(desk->next.self, news);
    desk->state = news->state;
    desk->reverting = news->state->phase == PHASE_REVERTING;
    if (news->type == NEWS_PHASE)
        rollout_mirror_tell(desk->mirror, news->state);
}

struct observer_port github_desk_observer(struct github_desk *desk, struct observer_port next)
{
    if (!desk)
        return next;
    desk->next = next;
    return (struct observer_port){desk, hear};
}

void github_desk_turn(struct github_desk *desk, int64_t now_ms, int64_t *wake_ms)
{
    if (desk && !desk->reverting)
        rollout_mirror_turn(desk->mirror, now_ms, wake_ms);
}

static void finish(struct github_desk *desk, int64_t limit_ms)
{
    struct world *world = desk->d->ports.world;
    int signal = world_signal(world);
    int64_t now_ms = deployment_now(desk->d), until_ms = now_ms + limit_ms;
    while (now_ms < until_ms && world_signal(world) == signal) {
        int64_t wake_ms = until_ms;
        rollout_mirror_turn(desk->mirror, now_ms, &wake_ms);
        if (!rollout_mirror_busy(desk->mirror))
            break;
        world_wait(world, wake_ms);
        int64_t then_ms = now_ms;
        now_ms = deployment_now(desk->d);
        if (now_ms < then_ms) // a clock that was set back
            until_ms = now_ms + limit_ms;
    }
}

void github_desk_close(struct github_desk *desk, int64_t limit_ms)
{
    if (!desk)
        return;
    struct deployment *d = desk->d;
    struct error ignored;
    finish(desk, limit_ms);
    if (desk->state && phase_terminal(desk->state->phase) && !rollout_mirror_busy(desk->mirror))
        record_number(desk, "told", 1, STR("")); // nobody has to look at it again
    rollout_mirror_close(desk->mirror);
    if (!d->offline && ledger_has_remote(d->ledger) && ledger_unpushed(d->ledger))
        (void)ledger_sync(d->ledger, LEDGER_WAIT_MS, &ignored); // else by whoever runs next
}

static void catch_up(struct deployment *d, const struct rollout_record *record)
{
    const struct lease *lease = &record->standing.lease;
    bool live = lease_is_live(lease, deployment_now(d)) && !process_is_gone(lease->process);
    if (!live && record->plan && record->state)
        github_desk_close(github_desk_open(d, record->plan, record->state, NULL), GITHUB_LIMIT_MS);
}

void github_desk_catch_up(struct deployment *d, const struct rollout_record *records, size_t count)
{
    for (size_t i = 0; i < count && !world_signal(d->ports.world); i++)
        catch_up(d, &records[i]);
}

// Something of it is on GitHub, or something that it has taken back.
static bool shows(const struct github_marks *marks, const struct plan *plan)
{
    return github_mark(marks, "deployment") || github_mark(marks, "issue") ||
           (plan->mode == PLAN_ROLLBACK && github_live_deployment(marks->d, plan));
}

void github_desk_finish_ended(struct deployment *d)
{
    str *names = NULL;
    size_t count = 0;
    struct error ignored;
    if (!node_get(d->config, "github") ||
        !rollouts_newest(d->ledger, d->arena, ENDED_MOST, &names, &count, &ignored))
        return;
    for (size_t i = 0; i < count && !world_signal(d->ports.world); i++) {
        struct rollout_record record;
        const struct github_marks marks = {d, names[i]};
        if (!github_mark(&marks, "told") &&
            rollout_load(d->ledger, d->arena, names[i], &record, &ignored) && record.state &&
            phase_terminal(record.state->phase) &&
            deployment_now(d) - record.newest_ms <= ENDED_WITHIN_MS && shows(&marks, record.plan))
            catch_up(d, &record);
    }
}
