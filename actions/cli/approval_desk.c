#include "actions/cli/approval_desk.h"

#include "actions/cli/ledger_facts.h"
#include "actions/cli/say.h"
#include "deploy/record/journal.h"
#include "gate/base/moment.h"
#include "gate/doc/json.h"

#include <stdio.h>

enum { LOOK_MS = 2000 };

static bool has(const str *names, size_t count, str name)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(names[i], name))
            return true;
    return false;
}

static bool is_named(const struct plan_approval *rule, const struct approval_person *person)
{
    bool is = has(rule->from, rule->from_count, person->who);
    for (size_t i = 0; i < person->team_count; i++)
        is |= has(rule->from, rule->from_count, person->teams[i]);
    return is;
}

const char *approval_refusal(struct arena *arena, const struct plan_approval *rule,
                             const struct approval_person *person, const str *authors,
                             size_t author_count)
{
    str who = person->who;
    struct text names = text_of(1024);
    const char *why = NULL;
    if (!is_named(rule, person)) {
        for (uint32_t i = 0; i < rule->from_count; i++)
            text_addf(&names, "%s" STR_FMT, i ? ", " : "", STR_ARG(rule->from[i]));
        why = arena_format(arena, STR_FMT " is not among those who may answer: %s", STR_ARG(who),
                           text_c(&names))
                  .data;
    } else if (rule->prevent_self_review && has(authors, author_count, who)) {
        why = arena_format(arena,
                           STR_FMT " started this rollout or wrote one of its commits, and "
                                   "`prevent_self_review` is set",
                           STR_ARG(who))
                  .data;
    }
    text_done(&names);
    return why;
}

bool approval_write(struct ledger *ledger, const struct plan *plan, uint32_t step,
                    const struct approval_word *word, struct error *err)
{
    struct text body = text_of(131072);
    struct json_out json = json_out_of(&body, JSON_COMPACT);
    struct arena arena = {0};
    struct event event = {
        .stream = STREAM_ROLLOUT, .rollout = plan->rollout, .type = STR(ANSWER_TYPE)};
    json_open_map(&json, NULL);
    json_add_bool(&json, "granted", word->granted);
    json_add_i64(&json, "step", step == STEP_STAGE ? -1 : (int64_t)step);
    json_add_str(&json, "commit", plan->commit);
    json_add_str(&json, "comment", word->comment);
    if (word->source) {
        json_add_str(&json, "said_at", word->source->url);
        json_open_list(&json, "teams");
        for (size_t i = 0; i < word->person.team_count; i++)
            json_add_str(&json, NULL, word->person.teams[i]);
        json_close(&json);
        event.key = arena_format(&arena, COMMENT_KEY, (long long)word->source->comment);
        event.actor = facts_actor(ledger, word->person.who);
    }
    json_close(&json);
    event.body = text_str(&body);
    bool ok = ledger_append(ledger, &event, NULL, err);
    text_done(&body);
    arena_done(&arena);
    return ok;
}

void approval_words(const struct plan *plan, uint32_t step, const struct plan_approval *rule,
                    struct text *out)
{
    text_addf(out, "%s " STR_FMT " to " STR_FMT "%s\n",
              step == STEP_STAGE ? "Release" : "Bring release", STR_ARG(plan->release),
              STR_ARG(plan->environment), step == STEP_STAGE ? "?" : "");
    if (step != STEP_STAGE)
        text_addf(out, "  to        %.1f %% (step %u of %u)?\n",
                  plan->steps[step].share_ppm / 10000.0, step + 1, plan->step_count);
    text_addf(out, "  commit    " STR_FMT ", passed by the gate\n", STR_ARG(plan->commit));
    text_adds(out, "  targets  ");
    for (uint32_t i = 0; i < plan->target_count; i++) {
        const struct plan_target *target = &plan->targets[i];
        text_addf(out, " " STR_FMT " (from " STR_FMT ")", STR_ARG(target->name),
                  STR_ARG(target->good.release.len ? target->good.release : STR("nothing")));
    }
    text_adds(out, "\n  steps    ");
    for (uint32_t i = 0; i < plan->step_count; i++)
        text_addf(out, " %g%%", plan->steps[i].share_ppm / 10000.0);
    text_addf(out, "\n  answers   %u of:", rule->count);
    for (uint32_t i = 0; i < rule->from_count; i++)
        text_addf(out, " " STR_FMT, STR_ARG(rule->from[i]));
    text_addc(out, '\n');
}

static bool may_press(const struct approval_desk *desk)
{
    const struct plan_approval *rule = desk->question.rule;
    return desk->terminal && has(rule->from, rule->from_count, desk->me) &&
           !(rule->prevent_self_review && has(desk->authors, desk->author_count, desk->me)) &&
           !has(desk->counted, desk->counted_count, desk->me);
}

static void ask(void *self, const struct approval_question *question, int64_t now_ms)
{
    struct approval_desk *desk = self;
    struct text words = text_of(8192);
    bool again = desk->asking && desk->question.step == question->step;
    desk->question = *question;
    desk->asking = true;
    if (again)
        return;
    desk->next_ms = now_ms;
    desk->counted_count = 0;
    mailbox_done(&desk->box);
    desk->box = (struct mailbox){.ledger = desk->ledger, .rollout = question->plan->rollout};
    approval_words(question->plan, question->step, question->rule, &words);
    if (may_press(desk) && keyboard_open(&desk->keyboard))
        text_adds(&words, "  y = yes, n = no\n");
    else
        text_addf(&words, "  waiting for: sluice approve " STR_FMT "\n",
                  STR_ARG(question->plan->rollout));
    progress_clear(desk->progress);
    (void)fputs(text_c(&words), stderr);
    ledger_want_fetch(desk->ledger, LOOK_MS);
    text_done(&words);
}

// A terminal that is gone answers nothing any more; the ledger still may.
static bool poll_keys(struct approval_desk *desk, struct approval_answer *ret)
{
    if (!may_press(desk)) {
        keyboard_close(&desk->keyboard);
        return false;
    }
    int key = keyboard_open(&desk->keyboard) ? keyboard_key(&desk->keyboard) : KEYBOARD_GONE;
    if (key == KEYBOARD_GONE) {
        keyboard_close(&desk->keyboard);
        desk->terminal = false;
    }
    if (key != 'y' && key != 'Y' && key != 'n' && key != 'N')
        return false;
    keyboard_close(&desk->keyboard);
    *ret = (struct approval_answer){
        .granted = key == 'y' || key == 'Y', .who = desk->me, .comment = STR("on a terminal")};
    return true;
}

// What a comment's author was seen to belong to by who read it.
static void read_teams(struct arena *arena, const struct event *event, struct approval_person *ret)
{
    const struct node *list = node_get(event->fields, "teams");
    if (!list || list->kind != NODE_LIST)
        return;
    str *teams = ARENA_ARRAY(arena, str, list->count + 1);
    for (const struct node *n = list->first; n; n = n->next)
        teams[ret->team_count++] = n->text;
    ret->teams = teams;
}

// Does this answer the open question, and does it count?
static bool read_answer(struct approval_desk *desk, const struct event *event,
                        struct approval_answer *ret)
{
    bool granted = false;
    int64_t step = -2;
    if (!json_get_bool(event->fields, "granted", &granted) ||
        !json_get_i64(event->fields, "step", &step))
        return false;
    int64_t asked = desk->question.step == STEP_STAGE ? -1 : (int64_t)desk->question.step;
    str who = facts_person(&event->actor);
    if (step != asked || has(desk->counted, desk->counted_count, who))
        return false;
    struct approval_person person = {.who = who};
    read_teams(&desk->arena, event, &person);
    const char *why = approval_refusal(&desk->arena, desk->question.rule, &person, desk->authors,
                                       desk->author_count);
    if (why) {
        progress_clear(desk->progress);
        say_line("  not counted: %s", why);
        return false;
    }
    *ret = (struct approval_answer){granted, who,
                                    node_text(event->fields, "comment").len
                                        ? node_text(event->fields, "comment")
                                        : STR("in the ledger")};
    return true;
}

static bool poll_ledger(struct approval_desk *desk, int64_t now_ms, struct approval_answer *ret)
{
    struct event event;
    struct error err;
    if (now_ms < desk->next_ms)
        return false;
    if (!ledger_refresh(desk->ledger, &err))
        return false;
    while (mailbox_next(&desk->box, STR(ANSWER_TYPE), &desk->arena, &event))
        if (read_answer(desk, &event, ret))
            return true;
    desk->next_ms = now_ms + LOOK_MS / 4;
    return false;
}

static bool poll_answers(void *self, int64_t now_ms, struct approval_answer *ret)
{
    struct approval_desk *desk = self;
    if (!poll_keys(desk, ret) && !poll_ledger(desk, now_ms, ret))
        return false;
    if (desk->counted_count < sizeof desk->counted / sizeof desk->counted[0])
        desk->counted[desk->counted_count++] = arena_str(&desk->arena, ret->who);
    return true;
}

static void withdraw(void *self)
{
    struct approval_desk *desk = self;
    desk->asking = false;
    keyboard_close(&desk->keyboard);
    ledger_want_fetch(desk->ledger, JOURNAL_FETCH_MS); // others may hold, promote or abort
}

struct approver_port approval_desk_port(struct approval_desk *desk)
{
    return (struct approver_port){desk, ask, poll_answers, withdraw};
}

void approval_desk_done(struct approval_desk *desk)
{
    keyboard_close(&desk->keyboard);
    mailbox_done(&desk->box);
    arena_done(&desk->arena);
}
