#include "actions/github/rollout_mirror.h"

#include <stdio.h>

enum { WORDS_MOST = 16384 };

struct rollout_mirror {
    struct mirror_setup setup;
    struct deployment_mirror deployment, live;
    struct issue_thread issue;
    struct comment_desk comments;
    struct release_authors authors;
    struct mirror_run run;
    bool asks_authors; // the question forbids them to answer
    bool told;
    struct text status;
};

static void add_status(void *self, struct text *out)
{
    const struct rollout_mirror *mirror = self;
    text_add(out, text_str(&mirror->status));
}

// GitHub is asked what lies between one commit and the release: where targets stand at different
// ones that is not the whole of it.
static bool is_one_comparison(const struct plan *plan)
{
    for (uint32_t i = 1; i < plan->target_count; i++)
        if (!str_eq(plan->targets[i].good.commit, plan->targets[0].good.commit))
            return false;
    return true;
}

void rollout_mirror_open(const struct mirror_setup *setup, struct rollout_mirror **ret)
{
    struct rollout_mirror *m = memory_alloc(sizeof *m);
    const struct plan *plan = setup->plan;
    m->setup = *setup;
    m->run = (struct mirror_run){.cloud = setup->cloud, .self = setup->self, .say = setup->say};
    m->status = text_of(WORDS_MOST);
    m->deployment = (struct deployment_mirror){.github = setup->github,
                                               .port = setup->port,
                                               .rollout = plan->rollout,
                                               .commit = plan->commit,
                                               .environment = plan->environment,
                                               .release = plan->release,
                                               .production = setup->production,
                                               .log_url = setup->run_url,
                                               .environment_url = setup->environment_url};
    m->live = m->deployment;
    m->issue = (struct issue_thread){.github = setup->github,
                                     .port = setup->port,
                                     .what = "its issue",
                                     .kind = "issue",
                                     .label = "sluice",
                                     .name = plan->rollout};
    m->comments = (struct comment_desk){.github = setup->github,
                                        .port = setup->comments,
                                        .rollout = plan->rollout,
                                        .poll_ms = setup->poll_ms};
    m->comments.port.status = add_status;
    m->comments.port.status_self = m;
    deployment_mirror_open(&m->deployment, "its deployment");
    deployment_mirror_open(&m->live, "the deployment of what it takes back");
    issue_thread_open(&m->issue);
    comment_desk_open(&m->comments);
    m->authors = (struct release_authors){.github = setup->github,
                                          .from = plan->target_count ? plan->targets[0].good.commit
                                                                     : STR(""),
                                          .to = plan->commit,
                                          .partial = !is_one_comparison(plan)};
    release_authors_open(&m->authors);
    if (setup->issues) { // first: people wait for it
        mirror_run_add(&m->run, &m->issue.part);
        mirror_run_add(&m->run, &m->comments.part);
    }
    if (setup->deployments && plan->commit.len) // what was adopted may have none
        mirror_run_add(&m->run, &m->deployment.part);
    *ret = m;
}

void rollout_mirror_close(struct rollout_mirror *m)
{
    if (!m)
        return;
    mirror_run_close(&m->run);
    deployment_mirror_close(&m->deployment);
    deployment_mirror_close(&m->live);
    issue_thread_close(&m->issue);
    comment_desk_close(&m->comments);
    release_authors_close(&m->authors);
    text_done(&m->status);
    memory_free(m);
}

// What the issue knows is what the comments are about.
static void join(struct rollout_mirror *m)
{
    m->comments.issue = m->issue.number;
    m->comments.asked_id = issue_thread_noted(&m->issue);
}

static void want_issue(struct rollout_mirror *m, const struct rollout_state *state)
{
    struct issue_thread *issue = &m->issue;
    struct arena arena = {0};
    char key[THREAD_KEY] = "";
    struct issue_source source = {.plan = m->setup.plan,
                                  .state = state,
                                  .marker = mirror_marker(&arena, m->setup.plan->rollout, ""),
                                  .run_url = m->setup.run_url,
                                  .deployments_url = m->setup.deployments_url,
                                  .judged = m->setup.judged,
                                  .facts = m->setup.facts};
    bool over = phase_terminal(state->phase);
    issue->wanted = over ? THREAD_CLOSED : THREAD_OPEN;
    issue->needed = issue->needed || rollout_needs_people(state);
    rollout_issue_title(m->setup.plan, state, issue->title);
    issue->body_follows = true;
    text_clear(&issue->body);
    text_clear(&issue->note);
    rollout_issue_body(&source, &issue->body);
    if (over) {
        (void)snprintf(key, sizeof key, "end");
        rollout_issue_end(&source, &issue->note);
    } else if (!rollout_issue_question(&source, &issue->note, key)) {
        *key = '\0';
    }
    issue_thread_note(issue, key);
    arena_done(&arena);
}

// The deployment of what the rollback has taken back: looked for once it is, as nothing waits then.
static void want_inactive(struct rollout_mirror *m, const struct deployment_face *back)
{
    struct deployment_face face = *back;
    if (!m->setup.deployments || m->live.any_wanted)
        return;
    m->live.id = m->setup.live(m->setup.self);
    if (!m->live.id)
        return;
    face.state = "inactive";
    deployment_mirror_want(&m->live, &face);
    mirror_run_add(&m->run, &m->live.part);
}

void rollout_mirror_tell(struct rollout_mirror *m, const struct rollout_state *state)
{
    struct deployment_face face;
    const struct plan *plan = m->setup.plan;
    uint32_t step;
    deployment_face(plan, state, &face);
    deployment_mirror_want(&m->deployment, &face);
    if (plan->mode == PLAN_ROLLBACK && state->phase == PHASE_ROLLED_BACK)
        want_inactive(m, &face);
    want_issue(m, state);
    m->comments.rule = state->phase == PHASE_WAITING ? rollout_question(plan, state, &step) : NULL;
    text_clear(&m->status);
    rollout_issue_status(&(struct issue_source){.plan = plan, .state = state}, &m->status);
    join(m); // what was said before a new question is asked does not answer it
    const struct plan_approval *rule = m->comments.rule;
    if (rule && rule->prevent_self_review && m->setup.issues && !m->asks_authors) {
        m->asks_authors = true;
        mirror_run_add(&m->run, &m->authors.part);
    }
    m->comments.authors = m->asks_authors ? &m->authors : NULL;
    m->told = true;
    mirror_run_told(&m->run);
}

void rollout_mirror_turn(struct rollout_mirror *m, int64_t now_ms, int64_t *wake_ms)
{
    if (!m || !m->told)
        return;
    do
        join(m);
    while (mirror_run_turn(&m->run, now_ms, wake_ms));
}

bool rollout_mirror_busy(const struct rollout_mirror *m)
{
    bool unread =
        m->setup.issues && m->comments.issue && !m->comments.part.off && !m->comments.read_once;
    return m->told && (mirror_run_busy(&m->run) || unread);
}
