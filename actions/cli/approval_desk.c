#include "actions/cli/approval_desk.h"

#include "actions/cli/brief_words.h"
#include "actions/cli/ledger_facts.h"
#include "actions/cli/say.h"
#include "actions/report/escape.h"
#include "deploy/record/journal.h"
#include "gate/base/moment.h"
#include "gate/doc/json.h"

#include <stdio.h>

enum { LOOK_MS = 2000 };

// A login is the same in any case.
static bool has(const str *names, size_t count, str name)
{
    for (size_t i = 0; i < count; i++)
        if (str_cmp_any_case(names[i], name) == 0)
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
                             const struct approval_person *person,
                             const struct release_people *people)
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
    } else if (rule->prevent_self_review && has(people->names, people->count, who)) {
        why = arena_format(arena,
                           STR_FMT " started this rollout, or wrote or pushed one of its commits, "
                                   "and `prevent_self_review` is set",
                           STR_ARG(who))
                  .data;
    } else if (rule->prevent_self_review && !people->whole) {
        why = "who wrote this release cannot all be known here, as this clone lacks some of its "
              "commits, and `prevent_self_review` is set: `git fetch --unshallow`";
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
        json_add_i64(&json, "said_ms", word->source->said_ms);
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

// ---- taking it back -----------------------------------------------------------------------------

bool approval_read(const struct event *event, struct approval_read *ret)
{
    *ret = (struct approval_read){.id = str_of(event->id),
                                  .who = facts_person(&event->actor),
                                  .comment = node_text(event->fields, "comment"),
                                  .word = mailbox_token(str_of(event->id)),
                                  .said_ms = event->time_ms};
    (void)json_get_i64(event->fields, "said_ms", &ret->said_ms);
    return json_get_bool(event->fields, "granted", &ret->granted) &&
           json_get_i64(event->fields, "step", &ret->step);
}

bool approval_is_withdrawn(struct ledger *ledger, str rollout, const struct approval_read *answer)
{
    struct mailbox box = {.ledger = ledger, .rollout = rollout};
    struct arena arena = {0};
    struct event event;
    bool is = false;
    while (!is && mailbox_next(&box, STR(WITHDRAWAL_TYPE), &arena, &event))
        is = str_eq(node_text(event.fields, "answer"), answer->id) &&
             str_cmp_any_case(facts_person(&event.actor), answer->who) == 0;
    mailbox_done(&box);
    arena_done(&arena);
    return is;
}

// Empty: there is none that counts.
static str newest_approval(struct ledger *ledger, const struct plan *plan, int64_t step, str who,
                           struct arena *arena)
{
    struct mailbox box = {.ledger = ledger, .rollout = plan->rollout};
    struct event event;
    struct approval_read read;
    str newest = {NULL, 0};
    while (mailbox_next(&box, STR(ANSWER_TYPE), arena, &event))
        if (approval_read(&event, &read) && read.granted && read.step == step &&
            str_cmp_any_case(read.who, who) == 0 &&
            !approval_is_withdrawn(ledger, plan->rollout, &read))
            newest = arena_str(arena, read.id);
    mailbox_done(&box);
    return newest;
}

static bool is_open(const struct plan *plan, const struct rollout_state *state, uint32_t *ret_step,
                    struct error *err)
{
    const struct plan_approval *rule = state ? rollout_question(plan, state, ret_step) : NULL;
    if (rule && state->answers < rule->count)
        return true;
    return error_set(err, ERROR_DENIED,
                     rule ? "enough have agreed to rollout " STR_FMT " already: `sluice hold` "
                            "stops it where it stands"
                          : "rollout " STR_FMT " is not waiting for an answer",
                     STR_ARG(plan->rollout));
}

bool approval_withdraw(struct ledger *ledger, const struct plan *plan,
                       const struct rollout_state *state, const struct approval_word *word,
                       struct error *err)
{
    uint32_t step = 0;
    if (!is_open(plan, state, &step, err))
        return false;
    struct arena arena = {0};
    struct text body = text_of(131072);
    struct json_out json = json_out_of(&body, JSON_COMPACT);
    int64_t asked = step == STEP_STAGE ? -1 : (int64_t)step;
    struct event event = {
        .stream = STREAM_ROLLOUT, .rollout = plan->rollout, .type = STR(WITHDRAWAL_TYPE)};
    str answer = newest_approval(ledger, plan, asked, word->person.who, &arena);
    json_open_map(&json, NULL);
    json_add_str(&json, "answer", answer);
    json_add_i64(&json, "step", asked);
    json_add_str(&json, "comment", word->comment);
    if (word->source) {
        json_add_str(&json, "said_at", word->source->url);
        event.key = arena_format(&arena, COMMENT_KEY, (long long)word->source->comment);
        event.actor = facts_actor(ledger, word->person.who);
    }
    json_close(&json);
    event.body = text_str(&body);
    bool ok = answer.len ? ledger_append(ledger, &event, NULL, err)
                         : error_set(err, ERROR_ABSENT,
                                     STR_FMT " has approved nothing that could be taken back",
                                     STR_ARG(word->person.who));
    text_done(&body);
    arena_done(&arena);
    return ok;
}

// ---- asking -------------------------------------------------------------------------------------

static bool may_press(const struct approval_desk *desk)
{
    const struct plan_approval *rule = desk->question.rule;
    return desk->terminal && has(rule->from, rule->from_count, desk->me) &&
           !(rule->prevent_self_review &&
             (has(desk->people.names, desk->people.count, desk->me) || !desk->people.whole)) &&
           !desk->pressed;
}

static void waits_elsewhere(str rollout, struct text *out)
{
    text_adds(out, "  waiting for: sluice approve ");
    terminal_escape(rollout, out);
    text_addc(out, '\n');
}

static void ask(void *self, const struct approval_question *question, int64_t now_ms)
{
    struct approval_desk *desk = self;
    struct text words = text_of(65536);
    bool again = desk->asking && desk->question.step == question->step;
    desk->question = *question;
    desk->asking = true;
    if (again)
        return;
    desk->next_ms = now_ms;
    desk->pressed = false;
    mailbox_done(&desk->box);
    mailbox_done(&desk->withdrawals);
    desk->box = (struct mailbox){.ledger = desk->ledger, .rollout = question->plan->rollout};
    desk->withdrawals = desk->box;
    brief_ask(question->plan, question->step, question->rule, desk->brief, now_ms, &words);
    if (may_press(desk) && keyboard_open(&desk->keyboard))
        text_adds(&words, "  y = yes, n = no\n");
    else
        waits_elsewhere(question->plan->rollout, &words);
    progress_clear(desk->progress);
    (void)fputs(text_c(&words), stderr);
    ledger_want_fetch(desk->ledger, LOOK_MS);
    text_done(&words);
}

// What is pressed is written down as any other answer is, and read from there.
static bool write_key(struct approval_desk *desk, bool granted)
{
    const struct approval_word word = {
        .person = {.who = desk->me}, .granted = granted, .comment = STR("on a terminal")};
    struct error err;
    if (approval_write(desk->ledger, desk->question.plan, desk->question.step, &word, &err))
        return true;
    progress_clear(desk->progress);
    say_line("sluice: your answer was not recorded: %s", err.message);
    return false;
}

// A terminal that is gone answers nothing any more; the ledger still may. True: it was answered.
static bool poll_keys(struct approval_desk *desk)
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
    bool yes = key == 'y' || key == 'Y';
    if ((!yes && key != 'n' && key != 'N') || !write_key(desk, yes))
        return false;
    keyboard_close(&desk->keyboard);
    return desk->pressed = true;
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

const char *approval_late(const struct plan_approval *rule, const struct rollout_state *state,
                          int64_t said_ms)
{
    bool late = rule->expires_after_ms && said_ms > state->phase_since_ms + rule->expires_after_ms;
    return late ? "it was said when the question was over" : NULL;
}

// Does this answer the open question, and does it count?
static bool read_answer(struct approval_desk *desk, const struct event *event,
                        struct approval_answer *ret)
{
    struct approval_read read;
    int64_t asked = desk->question.step == STEP_STAGE ? -1 : (int64_t)desk->question.step;
    if (!approval_read(event, &read) || read.step != asked ||
        (read.granted && approval_is_withdrawn(desk->ledger, desk->question.plan->rollout, &read)))
        return false;
    struct approval_person person = {.who = read.who};
    struct release_people people = desk->people;
    // Of who comments GitHub was asked before it was written down.
    people.whole |= node_text(event->fields, "said_at").len > 0;
    read_teams(&desk->arena, event, &person);
    const char *why = approval_refusal(&desk->arena, desk->question.rule, &person, &people);
    if (!why)
        why = approval_late(desk->question.rule, desk->question.state, read.said_ms);
    if (why) {
        progress_clear(desk->progress);
        say_line("  not counted: %s", why);
        return false;
    }
    *ret =
        (struct approval_answer){.granted = read.granted,
                                 .word = read.word,
                                 .who = read.who,
                                 .comment = read.comment.len ? read.comment : STR("in the ledger")};
    return true;
}

// That it is the same person's is seen to where it is counted.
static bool read_withdrawal(const struct event *event, struct approval_answer *ret)
{
    str answer = node_text(event->fields, "answer"), said = node_text(event->fields, "comment");
    *ret = (struct approval_answer){.withdrawn = true,
                                    .word = mailbox_token(answer),
                                    .who = facts_person(&event->actor),
                                    .comment = said.len ? said : STR("taken back")};
    return answer.len > 0;
}

static bool poll_ledger(struct approval_desk *desk, int64_t now_ms, struct approval_answer *ret)
{
    struct event event;
    struct error err;
    if (now_ms < desk->next_ms)
        return false;
    if (!ledger_refresh(desk->ledger, &err))
        return false;
    while (mailbox_next(&desk->withdrawals, STR(WITHDRAWAL_TYPE), &desk->arena, &event))
        if (read_withdrawal(&event, ret))
            return true;
    while (mailbox_next(&desk->box, STR(ANSWER_TYPE), &desk->arena, &event))
        if (read_answer(desk, &event, ret))
            return true;
    desk->next_ms = now_ms + LOOK_MS / 4;
    return false;
}

static bool poll_answers(void *self, int64_t now_ms, struct approval_answer *ret)
{
    struct approval_desk *desk = self;
    if (poll_keys(desk))
        desk->next_ms = now_ms;
    return poll_ledger(desk, now_ms, ret);
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
    mailbox_done(&desk->withdrawals);
    arena_done(&desk->arena);
}
