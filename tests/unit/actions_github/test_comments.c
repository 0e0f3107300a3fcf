// What people say in comments, where a repository is, and what GitHub shows of a rollout, as words.
#include "actions/github/comment_command.h"
#include "actions/github/github_place.h"
#include "actions/github/release_authors.h"
#include "actions/github/rollout_words.h"

#include <criterion/criterion.h>

struct command_case {
    const char *body;
    int word; // -1: none
    const char *reason;
};

static const struct command_case commands[] = {
    {"/approve", COMMENT_APPROVE, ""},
    {"  \r\n /approve  looks right \r\nand more", COMMENT_APPROVE, "looks right"},
    {"/deny the migration locks", COMMENT_DENY, "the migration locks"},
    {"/hold", COMMENT_HOLD, ""},
    {"/promote\tit is noise", COMMENT_PROMOTE, "it is noise"},
    {"/rollback /approve", COMMENT_ROLLBACK, "/approve"},
    {"/status", COMMENT_STATUS, ""},
    {"", -1, NULL},
    {"approve", -1, NULL},
    {"/approved", -1, NULL},
    {"/Approve Fine", COMMENT_APPROVE, "Fine"}, // as a telephone writes it
    {"/ approve", -1, NULL},
    {"//approve", -1, NULL},
    {"> /approve", -1, NULL},
    {"```\n/approve\n```", -1, NULL},
    {"please\n/approve", -1, NULL},
    {"<!-- -->\n/approve", -1, NULL},
    {"/approve-all", -1, NULL},
    {"/approve\xe2\x80\x8b", -1, NULL}, // with a character that nobody sees
    {"/lgtm", -1, NULL},
};

Test(comments, only_a_word_of_ours_at_the_beginning_counts)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        const struct command_case *c = &commands[i];
        struct comment_command got;
        bool is = comment_command_read(str_of(c->body), &got);
        cr_expect_eq(is, c->word >= 0, "%s", c->body);
        if (!is || c->word < 0)
            continue;
        cr_expect_eq((int)got.word, c->word, "%s", c->body);
        cr_expect(str_is(got.reason, c->reason), "%s: " STR_FMT, c->body, STR_ARG(got.reason));
    }
}

Test(comments, where_a_repository_is)
{
    static const struct {
        const char *address, *api, *repository; // null: nowhere
    } cases[] = {
        {"git@github.com:acme/learn.git", "https://api.github.com", "acme/learn"},
        {"https://github.com/acme/learn", "https://api.github.com", "acme/learn"},
        {"https://GitHub.com/acme/learn.git/", "https://api.github.com", "acme/learn"},
        {"ssh://git@ssh.github.com:443/acme/learn.git", "https://api.github.com", "acme/learn"},
        {"git@ghe.acme.example:acme/learn.git", "https://ghe.acme.example/api/v3", "acme/learn"},
        {"https://ada:secret@ghe.acme.example/acme/learn", "https://ghe.acme.example/api/v3",
         "acme/learn"},
        {"/srv/git/learn.git", NULL, NULL},
        {"../learn.git", NULL, NULL},
        {"C:/src/learn", NULL, NULL},
        {"file:///srv/acme/learn.git", NULL, NULL},
        {"https://github.com/acme", NULL, NULL},
        {"https://github.com/acme/learn/wiki", NULL, NULL},
        {"https://", NULL, NULL},
        {"", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena = {0};
        struct github_place place;
        bool is = github_place_of(&arena, str_of(cases[i].address), &place);
        cr_expect_eq(is, cases[i].api != NULL, "%s", cases[i].address);
        if (is && cases[i].api) {
            cr_expect_str_eq(place.api_url, cases[i].api);
            cr_expect_str_eq(place.repository, cases[i].repository);
        }
        arena_done(&arena);
    }
}

Test(comments, co_authors_by_the_addresses_that_github_gives)
{
    struct release_authors authors = {0};
    release_authors_trailers(&authors,
                             STR("Search\n\nCo-authored-by: Ada <7+ada@users.noreply.github.com>\n"
                                 "co-Authored-By: Ben <ben@users.noreply.ghe.acme.example>\n"
                                 "Co-authored-by: Cleo <cleo@acme.example>\n"
                                 "Co-authored-by: nobody\n"
                                 "> Co-authored-by: Dora <dora@users.noreply.github.com>\n"
                                 "Co-authored-by: Ada <7+ada@users.noreply.github.com>"));
    cr_assert_eq(authors.count, 2);
    cr_expect(str_is(authors.logins[0], "ada") && str_is(authors.logins[1], "ben"));
    release_authors_close(&authors);
}

// ---- words --------------------------------------------------------------------------------------

static str approvers[] = {STR_INIT("ada"), STR_INIT("@acme/release"), STR_INIT("a b\n@eve <b>")};
static struct plan_target target = {.name = STR_INIT("web|<b>"),
                                    .good = {.release = STR_INIT("v811")}};

static struct plan plan_of(void)
{
    return (struct plan){
        .mode = PLAN_FORWARD,
        .rollout = STR("v812--1"),
        .release = STR("v812"),
        .commit = STR("0123456789012345678901234567890123456789"),
        .environment = STR("production"),
        .targets = &target,
        .target_count = 1,
        .steps = {{.share_ppm = 50000}, {.share_ppm = SHARE_ALL}},
        .step_count = 2,
        .approval = {.count = 1, .from = approvers, .from_count = 3, .prevent_self_review = true},
    };
}

struct face_case {
    enum rollout_phase phase;
    enum plan_mode mode;
    bool out;
    const char *state, *title;
};

static const struct face_case faces[] = {
    {PHASE_WAITING, PLAN_FORWARD, false, "queued",
     "⏸ v812 in production at 0 %: waiting for you"},
    {PHASE_WAITING, PLAN_FORWARD, true, "in_progress",
     "⏸ v812 in production at 5 %: waiting for you"},
    {PHASE_STEP_BAKE, PLAN_FORWARD, true, "in_progress",
     "▶ v812 in production at 100 %: going out"},
    {PHASE_HELD, PLAN_FORWARD, true, "in_progress",
     "✋ v812 in production at 100 %: held, a person must decide"},
    {PHASE_DONE, PLAN_FORWARD, true, "success", "✅ v812 in production: out"},
    {PHASE_REVERTING, PLAN_FORWARD, true, "failure", "↩ v812 in production: going back"},
    {PHASE_REVERTING, PLAN_ROLLBACK, true, "in_progress", "↩ v812 in production: going back"},
    {PHASE_ROLLED_BACK, PLAN_FORWARD, false, "inactive", "↩ v812 in production: taken back"},
    {PHASE_ROLLED_BACK, PLAN_ROLLBACK, false, "success", "↩ v812 in production: taken back"},
    {PHASE_STUCK, PLAN_FORWARD, true, "failure", "🔥 v812 in production: the way back is stuck"},
    {PHASE_DENIED, PLAN_FORWARD, false, "inactive", "🚫 v812 in production: denied"},
};

Test(comments, the_state_is_in_the_title_and_in_the_deployment)
{
    for (size_t i = 0; i < sizeof faces / sizeof *faces; i++) {
        struct plan plan = plan_of();
        struct rollout_state state = {.phase = faces[i].phase, .step = 1, .out = faces[i].out};
        struct deployment_face face;
        char title[THREAD_TITLE];
        plan.mode = faces[i].mode;
        memset(state.why, 'x', sizeof state.why - 1); // longer than what GitHub takes
        state.why[5] = '\n';
        deployment_face(&plan, &state, &face);
        rollout_issue_title(&plan, &state, title);
        cr_expect_str_eq(face.state, faces[i].state, "%s: %s", phase_name(state.phase), face.state);
        cr_expect(strlen(face.words) > 5 && strlen(face.words) <= 140 && !strchr(face.words, '\n'));
        cr_expect_str_eq(title, faces[i].title, "%s", title);
    }
}

Test(comments, those_who_may_answer_are_mentioned_and_nobody_else)
{
    struct plan plan = plan_of();
    struct rollout_state state = {.phase = PHASE_WAITING, .held_from = PHASE_NEW, .asked = 7};
    struct text out = text_of(16384), body = text_of(16384);
    struct issue_source source = {.plan = &plan,
                                  .state = &state,
                                  .marker = STR("<!-- x -->"),
                                  .run_url = STR("https://x/)y")};
    char key[THREAD_KEY];
    cr_assert(rollout_issue_question(&source, &out, key));
    cr_expect_str_eq(key, "asked-7");
    cr_expect(str_search(text_str(&out), STR("@ada @acme/release ")) != STR_NONE, "%s",
              text_c(&out));
    cr_expect(str_search(text_str(&out), STR("@eve")) == STR_NONE, "%s", text_c(&out));
    cr_expect(str_search(text_str(&out), STR("<b>")) == STR_NONE, "%s", text_c(&out));
    cr_expect(str_search(text_str(&out), STR("nobody who wrote")) != STR_NONE, "%s", text_c(&out));
    rollout_issue_body(&source, &body);
    cr_expect(str_starts(text_str(&body), STR("<!-- x -->\n")));
    cr_expect(str_search(text_str(&body), STR("<b>")) == STR_NONE, "%s", text_c(&body));
    cr_expect(str_search(text_str(&body), STR("The run")) == STR_NONE, "a link that leaves itself");
    text_done(&out);
    text_done(&body);
}

Test(comments, a_marker_never_ends_its_comment_early)
{
    struct arena arena = {0};
    str marker = mirror_marker(&arena, STR("v1--x---production-1"), "asked-7");
    cr_expect(str_is(marker, "<!-- sluice:v1-~x-~~production-1:asked-7 -->"), STR_FMT,
              STR_ARG(marker));
    arena_done(&arena);
}
