#include "stage.h"

#include "deploy/engine/codec.h"

static struct stage stage;

static void open_stage(void)
{
    stage_open(&stage);
}

static void close_stage(void)
{
    stage_close(&stage);
}

TestSuite(codec, .init = open_stage, .fini = close_stage);

static struct text plan_text(const struct plan *plan)
{
    struct text text = text_of(LIMIT_EVENT_BYTES);
    struct json_out out = json_out_of(&text, JSON_COMPACT);
    plan_write(plan, NULL, &out);
    return text;
}

static struct text state_text(const struct plan *plan, const struct rollout_state *state)
{
    struct text text = text_of(LIMIT_EVENT_BYTES);
    struct json_out out = json_out_of(&text, JSON_COMPACT);
    rollout_state_write(plan, state, NULL, &out);
    return text;
}

static const struct node *parsed(str json)
{
    struct error err;
    const struct node *root = NULL;
    cr_assert(json_parse(&stage.arena, "test", json, &root, &err), "%s", err.message);
    return root;
}

static void full_plan(struct plan *plan)
{
    static str names[] = {STR_INIT("alice"), STR_INIT("@learnpath/release-managers")};
    static const uint32_t shares[] = {333334, 666667, SHARE_ALL};
    plan->approval = (struct plan_approval){2, names, 2, true, 48 * MS_HOUR};
    plan->steps[1].approval = (struct plan_approval){1, names, 1, false, 0};
    plan->targets[0].shares = shares;
    plan->targets[1].weighted = true;
    plan->targets[1].good.memory = STR("{\"slot\":\"a\",\"n\":[1,2]}");
    plan->targets[1].next.digest = STR("sha256:00ff");
    plan->metrics[0].max = 0.1 + 0.2; // not a short decimal
    static struct calendar_freeze freezes[] = {
        {.name = STR_INIT("exams"),
         .timezone = STR_INIT("Europe/Amsterdam"),
         .from_ms = 1,
         .to_ms = 1LL << 42,
         .allow = 5},
        {.name = STR_INIT("move"), .timezone = STR_INIT("UTC"), .from_ms = -5, .to_ms = 7}};
    static struct calendar_window windows[2];
    struct error err;
    cr_assert(calendar_window_parse(STR("Mon-Thu 09:00-16:00 Asia/Kolkata"), &windows[0], &err));
    cr_assert(calendar_window_parse(STR("Fri 22:00-02:00"), &windows[1], &err));
    plan->calendar = (struct calendar){freezes, 2, windows, 2};
    plan->season = STR("summer");
    plan->season_why = STR("it is \"hot\"");
    plan->emergency = (struct plan_emergency){STR("P2"), STR("INC-7"), STR("why not"),
                                              STR("freeze `exams`"), 5 * MS_DAY};
    plan->then = INCONCLUSIVE_ABORT;
    plan->reason = STR("quotes \" and\nnew lines, é");
}

Test(codec, a_plan_is_read_back_equal)
{
    struct error err;
    struct plan *again;
    full_plan(stage.plan);
    struct text first = plan_text(stage.plan);
    cr_assert(plan_read(&stage.arena, parsed(text_str(&first)), &again, &err), "%s", err.message);
    struct text second = plan_text(again);
    cr_expect_str_eq(text_c(&first), text_c(&second));
    cr_expect(str_eq(again->reason, stage.plan->reason));
    cr_expect_eq(again->metrics[0].max, stage.plan->metrics[0].max);
    cr_expect_eq(again->metrics[1].max, 800);
    cr_expect_eq(again->targets[0].shares[1], 666667);
    cr_expect_null(again->targets[1].shares);
    cr_expect(again->targets[1].weighted);
    cr_expect(str_eq(again->targets[1].good.memory, stage.plan->targets[1].good.memory));
    cr_expect_eq(again->approval.count, 2);
    cr_expect(str_is(again->approval.from[1], "@learnpath/release-managers"));
    cr_expect_eq(again->steps[1].approval.from_count, 1);
    cr_expect_eq(again->then, INCONCLUSIVE_ABORT);
    cr_assert_eq(again->calendar.freeze_count, 2);
    cr_expect_eq(again->calendar.freezes[0].to_ms, 1LL << 42);
    cr_expect_eq(again->calendar.freezes[0].allow, 5);
    cr_expect_null(again->calendar.freezes[0].zone);
    cr_assert_eq(again->calendar.window_count, 2);
    cr_expect_eq(again->calendar.windows[0].days, 0x0F);
    cr_expect_null(again->calendar.windows[0].zone, "nobody has looked it up yet");
    cr_expect_eq(again->calendar.windows[1].end_s, 26 * 3600);
    cr_expect(str_is(again->season, "summer"));
    cr_expect(str_is(again->emergency.incident, "INC-7"));
    cr_expect_eq(again->emergency.review_within_ms, 5 * MS_DAY);
    text_done(&first);
    text_done(&second);
}

static void state_comes_back(void)
{
    struct error err;
    struct rollout_state *again;
    struct text first = state_text(stage.plan, stage.state);
    cr_assert(rollout_state_read(&stage.arena, stage.plan, parsed(text_str(&first)), &again, &err),
              "%s", err.message);
    struct text second = state_text(stage.plan, again);
    cr_expect_str_eq(text_c(&first), text_c(&second));
    struct rollout_state flat = *again;
    cr_expect_eq(flat.asleep, flat.phase != PHASE_NEW);
    flat.asleep = false;
    flat.targets = stage.state->targets;
    flat.watches = stage.state->watches;
    for (size_t i = strlen(flat.why); i < sizeof flat.why; i++)
        flat.why[i] = stage.state->why[i]; // past the end there is nothing to compare
    cr_expect_arr_eq(&flat, stage.state, sizeof flat);
    cr_expect_arr_eq(again->targets, stage.state->targets,
                     stage.plan->target_count * sizeof *again->targets);
    cr_expect_arr_eq(again->watches, stage.state->watches,
                     plan_watch_count(stage.plan) * sizeof *again->watches);
    text_done(&first);
    text_done(&second);
}

Test(codec, a_state_is_read_back_equal_at_every_moment)
{
    full_plan(stage.plan);
    state_comes_back();
    stage_begin(&stage);
    stage_answer(&stage, true, "bob");
    state_comes_back();
    stage_answer(&stage, true, "alice");
    for (int i = 0; i < 30; i++) {
        state_comes_back();
        stage_play(&stage, 37 * MS_SECOND);
    }
    stage_steer(&stage, STEER_HOLD);
    state_comes_back();
    stage.deaf = true;
    stage_steer(&stage, STEER_ABORT);
    state_comes_back();
}

Test(codec, numbers_of_all_their_bits)
{
    stage.state->steered = UINT64_MAX;
    stage.state->answers = 2;
    stage.state->answered[0] = UINT64_C(0xfedcba9876543210);
    stage.state->answered[1] = 1;
    stage.state->watches[1].process.sum[3] = -1.0 / 3.0;
    stage.state->watches[1].step_exposure = 1e15 + 0.5;
    state_comes_back();
}

Test(codec, what_an_older_one_did_not_write_is_nothing)
{
    struct error err;
    struct rollout_state *state;
    static const char json[] =
        "{\"phase\":\"step bake\",\"held_from\":\"new\",\"answered\":[],"
        "\"targets\":[{\"verb\":\"shift\",\"share_ppm\":50000},{\"verb\":\"none\"}],"
        "\"watches\":[{\"sums\":[0,0,0,0,0,0]},{\"sums\":[0,0,0,0,0,0]},"
        "{\"sums\":[0,0,0,0,0,0]}]}";
    cr_assert(rollout_state_read(&stage.arena, stage.plan, parsed(str_of(json)), &state, &err),
              "%s", err.message);
    cr_expect_eq(state->phase, PHASE_STEP_BAKE);
    cr_expect_eq(state->targets[0].share_ppm, 50000);
    cr_expect_eq(state->targets[0].attempts, 0);
}

#define SUMS "{\"sums\":[0,0,0,0,0,0]}"
#define STATE(head, targets, watches)                                                              \
    "{" head ",\"held_from\":\"new\",\"answered\":[],\"targets\":[" targets                        \
    "],\"watches\":[" watches "]}"
#define TARGETS "{\"verb\":\"none\"},{\"verb\":\"none\"}"
#define WATCHES SUMS "," SUMS "," SUMS

Test(codec, broken_states_are_refused)
{
    static const char *const rows[] = {
        "[]",
        "{}",
        STATE("\"phase\":\"asleep\"", TARGETS, WATCHES),
        STATE("\"phase\":3", TARGETS, WATCHES),
        STATE("\"phase\":\"bake\",\"step\":3", TARGETS, WATCHES),
        STATE("\"phase\":\"bake\",\"step\":-1", TARGETS, WATCHES),
        STATE("\"phase\":\"bake\",\"step\":4294967296", TARGETS, WATCHES),
        STATE("\"phase\":\"bake\",\"step\":\"1\"", TARGETS, WATCHES),
        STATE("\"phase\":\"bake\",\"frozen\":1", TARGETS, WATCHES),
        STATE("\"phase\":\"bake\",\"steered\":\"xyz\"", TARGETS, WATCHES),
        STATE("\"phase\":\"bake\",\"steered\":\"11111111111111111\"", TARGETS, WATCHES),
        STATE("\"phase\":\"bake\",\"answers\":17", TARGETS, WATCHES),
        STATE("\"phase\":\"bake\",\"answers\":1", TARGETS, WATCHES),
        STATE("\"phase\":\"bake\",\"why\":[]", TARGETS, WATCHES),
        STATE("\"phase\":\"bake\"", "{\"verb\":\"none\"}", WATCHES),
        STATE("\"phase\":\"bake\"", TARGETS ",{\"verb\":\"none\"}", WATCHES),
        STATE("\"phase\":\"bake\"", "{\"verb\":\"fly\"},{\"verb\":\"none\"}", WATCHES),
        STATE("\"phase\":\"bake\"", "{\"verb\":\"none\"},7", WATCHES),
        STATE("\"phase\":\"bake\"", TARGETS, SUMS "," SUMS),
        STATE("\"phase\":\"bake\"", TARGETS, SUMS "," SUMS ",{}"),
        STATE("\"phase\":\"bake\"", TARGETS, SUMS "," SUMS ",{\"sums\":[0,0,0,0,0,\"0\"]}"),
        STATE("\"phase\":\"bake\"", TARGETS, SUMS "," SUMS ",{\"sums\":[0,0,0,0,0,null]}"),
        STATE("\"phase\":\"bake\"", TARGETS, SUMS "," SUMS ",{\"sums\":[0,0,0,0,0]}"),
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct error err = {0};
        struct rollout_state *state = NULL;
        cr_expect_not(
            rollout_state_read(&stage.arena, stage.plan, parsed(str_of(rows[i])), &state, &err),
            "row %zu", i);
        cr_expect(err.kind == ERROR_INPUT || err.kind == ERROR_LIMIT, "row %zu", i);
        cr_expect_null(state);
    }
}

Test(codec, broken_plans_are_refused)
{
    static const char *const rows[] = {
        "null",
        "{}",
        "{\"targets\":[{\"name\":\"web\"}]}",
        "{\"targets\":7,\"steps\":[{\"share_ppm\":1000000}]}",
        "{\"mode\":\"sideways\",\"targets\":[{}],\"steps\":[{\"share_ppm\":1000000}]}",
        "{\"targets\":[{}],\"steps\":[{\"share_ppm\":\"5%\"}]}",
        "{\"targets\":[{\"shares\":[1,2]}],\"steps\":[{\"share_ppm\":1000000}]}",
        "{\"targets\":[{\"shares\":[-1]}],\"steps\":[{\"share_ppm\":1000000}]}",
        "{\"targets\":[{\"good\":[]}],\"steps\":[{\"share_ppm\":1000000}]}",
        "{\"targets\":[{}],\"metrics\":[{\"targets\":[1]}],\"steps\":[{\"share_ppm\":1000000}]}",
        "{\"targets\":[{}],\"metrics\":[{\"judge\":\"coin\"}],\"steps\":[{\"share_ppm\":1}]}",
        "{\"targets\":[{}],\"metrics\":[1],\"steps\":[{\"share_ppm\":1000000}]}",
        "{\"targets\":[{}],\"steps\":[{\"share_ppm\":1,\"approval\":{\"count\":17}}]}",
        "{\"targets\":[{}],\"steps\":[{\"share_ppm\":1,\"approval\":{\"count\":1,\"from\":[1]}}]}",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct error err = {0};
        struct plan *plan = NULL;
        cr_expect_not(plan_read(&stage.arena, parsed(str_of(rows[i])), &plan, &err), "row %zu", i);
        cr_expect(err.kind == ERROR_INPUT || err.kind == ERROR_LIMIT, "row %zu: %s", i,
                  err.message);
        cr_expect_null(plan);
    }
}

Test(codec, too_many_steps)
{
    struct error err = {0};
    struct plan *plan = NULL;
    struct text text = text_of(4096);
    text_adds(&text, "{\"targets\":[{}],\"steps\":[{\"share_ppm\":1}");
    for (unsigned i = 0; i < LIMIT_STEPS; i++)
        text_adds(&text, ",{\"share_ppm\":2}");
    text_adds(&text, "]}");
    cr_expect_not(plan_read(&stage.arena, parsed(text_str(&text)), &plan, &err));
    cr_expect_eq(err.kind, ERROR_LIMIT);
    text_done(&text);
}

static void calendar_is_refused(const char *json)
{
    struct error err = {0};
    struct plan *again = NULL;
    struct text whole = plan_text(stage.plan);
    struct text text = text_of(LIMIT_EVENT_BYTES);
    text_addf(&text, "{%s," STR_FMT, json, STR_ARG(str_from(text_str(&whole), 1)));
    cr_expect_not(plan_read(&stage.arena, parsed(text_str(&text)), &again, &err), "%s", json);
    cr_expect_null(again);
    text_done(&whole);
    text_done(&text);
}

Test(codec, a_calendar_that_cannot_be_is_refused)
{
    calendar_is_refused("\"windows\":[\"always\"]");
    calendar_is_refused("\"windows\":[5]");
    calendar_is_refused("\"windows\":{}");
    calendar_is_refused("\"freezes\":[{\"from_ms\":\"x\"}]");
    calendar_is_refused("\"freezes\":[5]");
    calendar_is_refused("\"emergency\":{\"severity\":\"P9\"}");
    calendar_is_refused("\"season\":5");
}
