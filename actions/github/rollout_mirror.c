#include "actions/github/rollout_mirror.h"

#include <stdio.h>

enum { PARTS = 4, PAUSE_MS = 5000, PAUSE_MOST_MS = 300000, WORDS_MOST = 16384 };

struct rollout_mirror {
    struct mirror_setup setup;
    struct deployment_mirror deployment;
    struct rollout_issue issue;
    struct comment_desk comments;
    struct release_authors authors;
    struct mirror_part *parts[PARTS];
    size_t count;
    size_t at; // of the part whose turn it is
    struct chain chain;
    struct mirror_part *running; // null: none
    bool asks_authors;           // the question forbids them to answer
    bool told, settled;          // settled: every part had nothing to do, since it was told last
    struct text status;
    uint32_t question_step;
};

static void add_status(void *self, struct text *out)
{
    const struct rollout_mirror *mirror = self;
    text_add(out, text_str(&mirror->status));
}

void rollout_mirror_open(const struct mirror_setup *setup, struct rollout_mirror **ret)
{
    struct rollout_mirror *m = memory_alloc(sizeof *m);
    const struct plan *plan = setup->plan;
    m->setup = *setup;
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
    m->issue = (struct rollout_issue){.github = setup->github,
                                      .port = setup->port,
                                      .plan = plan,
                                      .run_url = setup->run_url,
                                      .facts = setup->facts};
    m->comments = (struct comment_desk){.github = setup->github,
                                        .port = setup->comments,
                                        .rollout = plan->rollout,
                                        .poll_ms = setup->poll_ms};
    m->comments.port.status = add_status;
    m->comments.port.status_self = m;
    deployment_mirror_open(&m->deployment);
    rollout_issue_open(&m->issue);
    comment_desk_open(&m->comments);
    m->authors = (struct release_authors){.github = setup->github,
                                          .from = plan->target_count ? plan->targets[0].good.commit
                                                                     : STR(""),
                                          .to = plan->commit};
    release_authors_open(&m->authors);
    if (setup->issues) { // first: people wait for it
        m->parts[m->count++] = &m->issue.part;
        m->parts[m->count++] = &m->comments.part;
    }
    if (setup->deployments)
        m->parts[m->count++] = &m->deployment.part;
    *ret = m;
}

void rollout_mirror_close(struct rollout_mirror *m)
{
    if (!m)
        return;
    chain_drop(&m->chain);
    deployment_mirror_close(&m->deployment);
    rollout_issue_close(&m->issue);
    comment_desk_close(&m->comments);
    release_authors_close(&m->authors);
    text_done(&m->status);
    memory_free(m);
}

// What the issue knows is what the comments are about.
static void join(struct rollout_mirror *m)
{
    m->comments.issue = m->issue.number;
    m->comments.asked_id = rollout_issue_asked(&m->issue);
}

void rollout_mirror_tell(struct rollout_mirror *m, const struct rollout_state *state)
{
    struct deployment_face face;
    const struct plan *plan = m->setup.plan;
    deployment_face(plan, state, &face);
    deployment_mirror_want(&m->deployment, &face);
    rollout_issue_want(&m->issue, state);
    m->comments.rule =
        state->phase == PHASE_WAITING ? rollout_question(plan, state, &m->question_step) : NULL;
    text_clear(&m->status);
    rollout_issue_status(&(struct issue_source){.plan = plan, .state = state}, &m->status);
    join(m); // what was said before a new question is asked does not answer it
    const struct plan_approval *rule = m->comments.rule;
    if (rule && rule->prevent_self_review && m->setup.issues && !m->asks_authors) {
        m->asks_authors = true;
        m->parts[m->count++] = &m->authors.part;
    }
    m->comments.authors = m->asks_authors ? &m->authors : NULL;
    m->told = true;
    m->settled = false;
}

// ---- turning ------------------------------------------------------------------------------------

static void say(const struct rollout_mirror *m, const struct mirror_part *part,
                const struct error *why, const char *then)
{
    struct text words = text_of(4096);
    text_addf(&words, "%s on GitHub: %s%s", part->what, why->message, then);
    m->setup.say(m->setup.self, text_c(&words));
    text_done(&words);
}

static void failed(struct rollout_mirror *m, struct mirror_part *part, const struct error *why,
                   int64_t now_ms)
{
    bool passes = why->kind == ERROR_TRANSIENT || why->kind == ERROR_REMOTE;
    int64_t pause_ms = PAUSE_MS;
    part->failed(part);
    if (!passes) {
        part->off = true;
        say(m, part, why, "; it is left out from here on");
        return;
    }
    for (unsigned i = 0; i < part->failures && pause_ms < PAUSE_MOST_MS; i++)
        pause_ms *= 2;
    if (pause_ms > PAUSE_MOST_MS)
        pause_ms = PAUSE_MOST_MS;
    if (why->retry_after_ms > pause_ms)
        pause_ms = why->retry_after_ms;
    if (part->failures++ == 0)
        say(m, part, why, "; it is tried again");
    part->next_ms = now_ms + pause_ms;
}

// False: what runs is still under way.
static bool poll(struct rollout_mirror *m, int64_t now_ms)
{
    struct error why = {0};
    enum progress progress = chain_poll(&m->chain, &why);
    if (progress == PROGRESS_PENDING)
        return false;
    struct mirror_part *part = m->running;
    m->running = NULL;
    chain_drop(&m->chain);
    if (progress == PROGRESS_FAILED)
        failed(m, part, &why, now_ms);
    else
        part->failures = 0;
    return true;
}

static bool begin(struct rollout_mirror *m, int64_t now_ms, int64_t *wake_ms)
{
    join(m);
    for (size_t i = 0; i < m->count; i++) {
        struct mirror_part *part = m->parts[(m->at + i) % m->count];
        if (part->off)
            continue;
        if (now_ms < part->next_ms) {
            if (part->next_ms < *wake_ms)
                *wake_ms = part->next_ms;
            continue;
        }
        chain_begin(&m->chain, m->setup.cloud, part);
        if (part->begin(part, &m->chain, now_ms, wake_ms)) {
            m->running = part;
            m->at = (m->at + i + 1) % m->count;
            return true;
        }
    }
    return false;
}

static bool waits(const struct rollout_mirror *m)
{
    for (size_t i = 0; i < m->count; i++)
        if (!m->parts[i]->off && m->parts[i]->failures)
            return true;
    return false;
}

void rollout_mirror_turn(struct rollout_mirror *m, int64_t now_ms, int64_t *wake_ms)
{
    if (!m || !m->told)
        return;
    while (!m->running || poll(m, now_ms)) {
        if (!begin(m, now_ms, wake_ms)) {
            m->settled = !waits(m);
            return;
        }
    }
    int64_t at_ms = chain_wake_ms(&m->chain);
    if (at_ms < *wake_ms)
        *wake_ms = at_ms;
}

bool rollout_mirror_busy(const struct rollout_mirror *m)
{
    bool unread =
        m->setup.issues && m->comments.issue && !m->comments.part.off && !m->comments.read_once;
    return m->told && (!m->settled || m->running || unread);
}
