// What GitHub shows of a rollout whose every foreign word is standard input: the texts, each ended
// by a NUL; with "plain" those that are one line of no markup, with "question" what a terminal is
// asked. For test_hostile_texts.py.
#include "actions/github/rollout_words.h"
#include "actions/cli/brief_words.h"

#include <stdio.h>
#include <string.h>

static const enum rollout_phase phases[] = {
    PHASE_NEW,       PHASE_WAITING,   PHASE_PREPARING,   PHASE_SHIFTING, PHASE_STEP_BAKE,
    PHASE_BAKE,      PHASE_PROMOTING, PHASE_VERIFYING,   PHASE_HELD,     PHASE_DONE,
    PHASE_REVERTING, PHASE_STUCK,     PHASE_ROLLED_BACK, PHASE_DENIED,   PHASE_CANCELLED,
};

static void print(struct text *text)
{
    (void)fwrite(text_c(text), 1, text->len, stdout);
    (void)putchar('\0');
    text_clear(text);
}

static void print_all(const struct plan *plan, const struct rollout_state *state)
{
    const struct issue_source source = {.plan = plan,
                                        .state = state,
                                        .marker = STR("<!-- sluice:v1 -->"),
                                        .run_url = plan->release,
                                        .deployments_url = plan->release};
    struct text out = text_of(THREAD_TEXT);
    char key[THREAD_KEY];
    rollout_issue_body(&source, &out);
    print(&out);
    (void)rollout_issue_question(&source, &out, key);
    print(&out);
    rollout_issue_end(&source, &out);
    print(&out);
    rollout_issue_status(&source, &out);
    print(&out);
    text_done(&out);
}

// What is decided, where every word of the ledger is theirs.
static struct release_brief brief_of(const struct plan *plan)
{
    static str file;
    static struct brief_risk risk;
    file = plan->release;
    risk = (struct brief_risk){file, file, file, &file, 1};
    return (struct release_brief){
        .known = true, .verdict = file, .risk_unknown = file, .risks = &risk, .risk_count = 1};
}

static void print_brief(const struct plan *plan)
{
    const struct release_brief brief = brief_of(plan);
    struct text out = text_of(1 << 20);
    brief_verdict_markdown(plan, &brief, &out);
    print(&out);
    brief_markdown(plan, &brief, &out);
    print(&out);
    text_done(&out);
}

static void print_question(const struct plan *plan)
{
    const struct release_brief brief = brief_of(plan);
    struct text out = text_of(1 << 20);
    brief_ask(plan, 0, &plan->approval, &brief, 0, &out);
    print(&out);
    text_done(&out);
}

static void print_plain(const struct plan *plan, const struct rollout_state *state)
{
    struct deployment_face face;
    char title[THREAD_TITLE];
    deployment_face(plan, state, &face);
    rollout_issue_title(plan, state, title);
    (void)printf("%s%c%s%c", face.words, 0, title, 0);
}

int main(int argc, char **argv)
{
    static char bytes[1 << 20];
    str ada[] = {STR("ada")};
    size_t size = fread(bytes, 1, sizeof bytes, stdin);
    str said = str_make(bytes, size);
    struct plan_target target = {.name = said, .good = {.release = said}, .no_return = said};
    struct plan plan = {.rollout = STR("v1"),
                        .release = said,
                        .commit = STR("c"),
                        .environment = said,
                        .targets = &target,
                        .target_count = 1,
                        .steps = {{.share_ppm = 50000}, {.share_ppm = SHARE_ALL}},
                        .step_count = 2,
                        .risk_why = said,
                        .season_why = said,
                        .emergency = {said, said, said, said, 0},
                        .approval = {.count = 1, .from = ada, .from_count = 1}};
    if (argc > 1 && strcmp(argv[1], "question") == 0) {
        print_question(&plan);
        return 0;
    }
    if (argc == 1)
        print_brief(&plan);
    for (size_t i = 0; i < sizeof phases / sizeof *phases; i++) {
        struct rollout_state state = {.phase = phases[i], .held_from = PHASE_NEW};
        str why = str_shorten(said, sizeof state.why - 1);
        (void)snprintf(state.why, sizeof state.why, STR_FMT, STR_ARG(why));
        if (argc > 1)
            print_plain(&plan, &state);
        else
            print_all(&plan, &state);
    }
    return 0;
}
