// What every kind of target promises when the world does not play along.
#include "target_scene.h"

#include "gate/doc/json.h"

#include <criterion/criterion.h>
#include <stdio.h>

enum { MIXTURES = 120, VERBS = 5, SEED = 20261122 };

TestSuite(targets, .timeout = 120);

// The identities that differ for this row: a host asks no cloud.
static int identities(const struct target_row *row)
{
    return strcmp(row->kind, "hosts") == 0 ? 1 : 2;
}

static void expect_clean(const struct target_row *row, enum intent_verb verb, const char *case_,
                         const char *what, const char *sentence)
{
    const char *blemish = hostile_blemish(sentence);
    cr_expect_null(blemish, "%s, %s, %s: %s of the %s: %s", row->name, intent_verb_word(verb),
                   case_, blemish, what, sentence ? sentence : "");
}

static void expect_error(const struct target_row *row, enum intent_verb verb, const char *case_,
                         const struct error *err)
{
    bool names = false;
    expect_clean(row, verb, case_, "error", err->message);
    cr_expect_neq(err->kind, ERROR_NONE, "%s, %s, %s", row->name, intent_verb_word(verb), case_);
    for (size_t i = 0; row->calls[i]; i++)
        names = names || strstr(err->message, row->calls[i]);
    cr_expect(names, "%s, %s, %s: it does not say what was being asked: %s", row->name,
              intent_verb_word(verb), case_, err->message);
}

static void expect_outcome(const struct target_row *row, enum intent_verb verb, const char *case_,
                           const struct target_outcome *outcome)
{
    const struct target_observation *seen = &outcome->seen;
    struct arena arena = {0};
    const struct node *tree;
    struct error err = {0};
    cr_expect_leq((uint64_t)seen->next_ppm + seen->good_ppm, 1000000, "%s, %s, %s", row->name,
                  intent_verb_word(verb), case_);
    if (outcome->note)
        expect_clean(row, verb, case_, "note", outcome->note);
    for (size_t i = 0; i < seen->trouble_count; i++)
        expect_clean(row, verb, case_, "trouble", arena_copy(&arena, seen->troubles[i].words));
    if (seen->evidence) {
        cr_expect(json_parse(&arena, NULL, str_of(seen->evidence), &tree, &err),
                  "%s, %s, %s: the evidence is no JSON: %s", row->name, intent_verb_word(verb),
                  case_, err.message);
        cr_expect_null(strstr(seen->evidence, HOSTILE_SECRET), "%s, %s, %s: %s", row->name,
                       intent_verb_word(verb), case_, seen->evidence);
    }
    if (outcome->memory.len)
        cr_expect(json_parse(&arena, NULL, outcome->memory, &tree, &err), "%s: the memory: %s",
                  row->name, err.message);
    arena_done(&arena);
}

Test(targets, every_kind_has_a_row)
{
    for (size_t i = 0; target_kinds[i]; i++) {
        const struct target_kind *kind = target_kinds[i];
        bool found = false;
        for (const struct target_row *row = target_rows; row->kind; row++)
            found = found || strcmp(row->kind, kind->name) == 0;
        cr_expect(found, "%s has no row in target_rows.c", kind->name);
        cr_expect(kind->shape && kind->capabilities && kind->open && kind->pack &&
                      kind->round_share && kind->start && kind->poll && kind->drop && kind->close,
                  "%s", kind->name);
        cr_expect_str_eq(kind->shape->name, kind->name);
        for (size_t k = 0; k < i; k++)
            cr_expect_str_neq(target_kinds[k]->name, kind->name);
    }
}

// The rows are what they say they are, or nothing below means anything.
Test(targets, a_world_in_order_is_seen_as_it_is)
{
    static const enum intent_verb verbs[] = {INTENT_OBSERVE, INTENT_REVERT};
    for (const struct target_row *row = target_rows; row->kind; row++)
        for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
            for (int as = 0; as < identities(row); as++) {
                struct target_scene scene;
                struct target_outcome outcome = {0};
                struct error err = {0};
                target_scene_open(&scene, row, (enum hostile_identity)as);
                scene.world.good_percent = 100;
                struct target_intent intent = target_row_intent(row, verbs[i]);
                enum progress progress = target_scene_run(&scene, &intent, &outcome, &err);
                cr_expect_null(scene.world.unknown, "%s: %s", row->name, scene.world.unknown);
                cr_expect_eq(progress, PROGRESS_DONE, "%s, %s: %s", row->name,
                             intent_verb_word(verbs[i]), err.message);
                cr_expect(outcome.seen.settled, "%s: %s", row->name, outcome.note);
                cr_expect_eq(outcome.seen.good_ppm, 1000000, "%s", row->name);
                cr_expect_eq(outcome.seen.next_ppm, 0, "%s", row->name);
                expect_outcome(row, verbs[i], "a world in order", &outcome);
                target_scene_close(&scene);
            }
}

static void meet(const struct target_row *row, enum intent_verb verb, int as, bool suspects,
                 const struct hostile_answer *answer, bool survey)
{
    struct target_scene scene;
    struct target_outcome outcome = {0};
    struct error err = {0};
    target_scene_open(&scene, row, (enum hostile_identity)as);
    scene.world.always = answer;
    scene.world.suspects_identity = suspects;
    struct target_intent intent = target_row_intent(row, verb);
    intent.survey = survey;
    enum progress progress = target_scene_run(&scene, &intent, &outcome, &err);
    cr_expect_neq(progress, PROGRESS_PENDING, "%s, %s, %s: it does not end", row->name,
                  intent_verb_word(verb), answer->name);
    if (progress == PROGRESS_FAILED)
        expect_error(row, verb, answer->name, &err);
    if (progress == PROGRESS_DONE) {
        bool absent = row->absent_is_seen && answer->status == 404;
        cr_expect(absent || !outcome.seen.settled, "%s, %s, %s: settled", row->name,
                  intent_verb_word(verb), answer->name);
        cr_expect(verb == INTENT_OBSERVE || (verb == INTENT_STAGE && row->believes_exit),
                  "%s, %s, %s: done", row->name, intent_verb_word(verb), answer->name);
        cr_expect(!survey || outcome.seen.trouble_count, "%s, %s: no trouble", row->name,
                  answer->name);
        expect_outcome(row, verb, answer->name, &outcome);
    }
    cr_expect_not(scene.world.told_secret, "%s, %s, %s: a secret was told", row->name,
                  intent_verb_word(verb), answer->name);
    target_scene_close(&scene);
}

Test(targets, whatever_one_answer_says_a_verb_fails_in_one_sentence)
{
    for (const struct target_row *row = target_rows; row->kind; row++)
        for (size_t i = 0; i < hostile_answer_count; i++)
            for (int verb = 0; verb < VERBS; verb++)
                for (int as = 0; as < identities(row); as++)
                    for (int suspects = 0; suspects < identities(row); suspects++)
                        meet(row, (enum intent_verb)verb, as, suspects, &hostile_answers[i], false);
}

Test(targets, a_survey_tells_its_troubles_one_sentence_each)
{
    for (const struct target_row *row = target_rows; row->kind; row++)
        for (size_t i = 0; i < hostile_answer_count; i++)
            for (int suspects = 0; suspects < identities(row); suspects++)
                meet(row, INTENT_OBSERVE, IDENTITY_KEYS, suspects, &hostile_answers[i], true);
}

// ---- silence, and being dropped ----------------------------------------------------------------

Test(targets, a_verb_waits_for_a_silent_world_and_can_be_dropped_there)
{
    static const struct hostile_answer silence = {.name = "silence", .manner = HOSTILE_SILENT};
    for (const struct target_row *row = target_rows; row->kind; row++)
        for (int verb = 0; verb < VERBS; verb++)
            for (int suspects = 0; suspects < identities(row); suspects++) {
                struct target_scene scene;
                struct target_outcome outcome = {0};
                struct error err = {0};
                target_scene_open(&scene, row, (enum hostile_identity)suspects);
                scene.world.always = &silence;
                scene.world.suspects_identity = suspects;
                struct target_intent intent = target_row_intent(row, (enum intent_verb)verb);
                enum progress progress = target_scene_run(&scene, &intent, &outcome, &err);
                if (suspects) // a call waits only so long for somebody to be
                    expect_error(row, (enum intent_verb)verb, silence.name, &err);
                else
                    cr_expect_eq(progress, PROGRESS_PENDING, "%s, %s: %s", row->name,
                                 intent_verb_word((enum intent_verb)verb), err.message);
                target_scene_close(&scene);
            }
}

// Leaves an intent after so many polls; false when it was over by then.
static bool leave_after(struct target_scene *scene, const struct target_intent *intent, int polls)
{
    struct target_operation *operation;
    struct target_outcome outcome = {0};
    struct error err = {0};
    enum progress progress = PROGRESS_PENDING;
    if (!scene->kind->start(scene->target, intent, &operation, &err))
        return false;
    for (int i = 0; i < polls && progress == PROGRESS_PENDING; i++) {
        progress = scene->kind->poll(operation, &scene->arena, &outcome, &err);
        hostile_turn(&scene->world);
    }
    scene->kind->drop(operation);
    return progress == PROGRESS_PENDING;
}

Test(targets, a_verb_can_be_dropped_at_every_poll)
{
    enum { POLLS_MOST = 60 };
    for (const struct target_row *row = target_rows; row->kind; row++)
        for (int verb = 0; verb < VERBS; verb++) {
            bool left = true;
            for (int polls = 0; left && polls < POLLS_MOST; polls++) {
                struct target_scene scene;
                target_scene_open(&scene, row, (enum hostile_identity)(polls % identities(row)));
                scene.world.good_percent = 100;
                struct target_intent intent = target_row_intent(row, (enum intent_verb)verb);
                left = leave_after(&scene, &intent, polls);
                target_scene_close(&scene);
            }
        }
}

// ---- mixtures ----------------------------------------------------------------------------------

static void mix(const struct target_row *row, enum intent_verb verb, uint64_t seed)
{
    struct target_scene scene;
    struct target_outcome outcome = {0};
    struct error err = {0};
    char name[64];
    (void)snprintf(name, sizeof name, "seed %llu", (unsigned long long)seed);
    target_scene_open(&scene, row, (enum hostile_identity)(seed % 2));
    scene.world.random = seed;
    scene.world.good_percent = 50 + hostile_chance(&scene.world, 50);
    scene.world.suspects_identity = hostile_chance(&scene.world, 4) == 0;
    struct target_intent intent = target_row_intent(row, verb);
    intent.survey = verb == INTENT_OBSERVE && hostile_chance(&scene.world, 2);
    enum progress progress = target_scene_run(&scene, &intent, &outcome, &err);
    if (progress == PROGRESS_FAILED)
        expect_clean(row, verb, name, "error", err.message);
    if (progress == PROGRESS_DONE) {
        bool brings = verb == INTENT_SHIFT || verb == INTENT_PROMOTE;
        expect_outcome(row, verb, name, &outcome);
        // nothing in this world ever serves the release, unless bytes were changed so
        cr_expect(scene.world.changed || (!brings && outcome.seen.next_ppm == 0),
                  "%s, %s, %s: it is said to serve %u", row->name, intent_verb_word(verb), name,
                  outcome.seen.next_ppm);
    }
    cr_expect_not(scene.world.told_secret, "%s, %s, %s", row->name, intent_verb_word(verb), name);
    target_scene_close(&scene);
}

Test(targets, nothing_breaks_in_mixtures)
{
    for (const struct target_row *row = target_rows; row->kind; row++)
        for (int verb = 0; verb < VERBS; verb++)
            for (uint64_t i = 0; i < MIXTURES; i++)
                mix(row, (enum intent_verb)verb, SEED + i);
}

// ---- intents -----------------------------------------------------------------------------------

// The same intent, by another process in the same world, asks for the same things.
Test(targets, an_intent_that_is_sent_again_asks_the_same)
{
    for (const struct target_row *row = target_rows; row->kind; row++)
        for (int verb = 0; verb < VERBS; verb++) {
            struct target_scene scenes[2];
            struct target_intent intent = target_row_intent(row, (enum intent_verb)verb);
            for (int i = 0; i < 2; i++) {
                struct target_outcome outcome = {0};
                struct error err = {0};
                target_scene_open(&scenes[i], row, IDENTITY_KEYS);
                scenes[i].world.good_percent = 100;
                (void)target_scene_run(&scenes[i], &intent, &outcome, &err);
            }
            str one = text_str(&scenes[0].world.log), other = text_str(&scenes[1].world.log);
            size_t length = one.len < other.len ? one.len : other.len;
            cr_expect_gt(length, 0, "%s, %s: nothing is asked", row->name,
                         intent_verb_word((enum intent_verb)verb));
            cr_expect(str_eq(str_first(one, length), str_first(other, length)),
                      "%s, %s:\n" STR_FMT "\n----\n" STR_FMT, row->name,
                      intent_verb_word((enum intent_verb)verb), STR_ARG(str_first(one, 3000)),
                      STR_ARG(str_first(other, 3000)));
            target_scene_close(&scenes[0]);
            target_scene_close(&scenes[1]);
        }
}
