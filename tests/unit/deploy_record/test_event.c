#include "deploy/record/event.h"

#include <criterion/criterion.h>

static struct event sample(void)
{
    static const struct event_evidence evidence[] = {
        {.path = STR_INIT("coverage.xml"),
         .sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
         .size_bytes = 3512345}};
    return (struct event){.id = "00112233445566778899aabbccddeeff",
                          .stream = STREAM_ROLLOUT,
                          .sequence = 42,
                          .time_ms = INT64_C(1795331395123),
                          .rollout = STR("v812-production-1"),
                          .type = STR("command.intended"),
                          .actor = {.login = STR("ada"), .subject = STR("repo:a/b:ref:x")},
                          .lease = {.environment = STR("production"),
                                    .holder = STR("h1"),
                                    .fence = 7,
                                    .expires_ms = INT64_C(1795331485123)},
                          .key = STR("k/1"),
                          .body = STR("{\"verb\":\"shift\",\"share\":0.1}"),
                          .evidence = evidence,
                          .evidence_count = 1};
}

Test(event, is_read_as_it_was_written)
{
    struct arena arena = {0};
    struct text text = text_of(LIMIT_EVENT_BYTES), again = text_of(LIMIT_EVENT_BYTES);
    struct error err;
    struct event event = sample(), back;
    cr_assert(event_write(&event, &text, &err), "%s", err.message);
    cr_assert(event_read(&arena, text_str(&text), &back, &err), "%s", err.message);
    cr_expect(str_eq(back.rollout, event.rollout) && str_eq(back.type, event.type));
    cr_expect_eq(back.sequence, 42u);
    cr_expect_eq(back.time_ms, event.time_ms);
    cr_expect_eq(back.lease.fence, 7u);
    cr_expect_eq(back.lease.expires_ms, event.lease.expires_ms);
    cr_expect(str_is(back.actor.login, "ada") && !back.actor.run_url.len);
    cr_expect(str_is(node_text(back.fields, "verb"), "shift"));
    cr_assert_eq(back.evidence_count, 1u);
    cr_expect_eq(back.evidence[0].size_bytes, 3512345u);
    cr_assert(event_write(&back, &again, &err), "%s", err.message);
    struct event third;
    cr_assert(event_read(&arena, text_str(&again), &third, &err), "%s", err.message);
    cr_expect(str_is(node_text(third.fields, "share"), "0.1"), STR_FMT,
              STR_ARG(node_text(third.fields, "share")));
    text_done(&text);
    text_done(&again);
    arena_done(&arena);
}

// Every way in which a file can be wrong is refused.
Test(event, reading_is_strict)
{
    static const struct {
        const char *from, *to;
    } rows[] = {
        {"\"schema\": 1", "\"schema\": 2"},
        {"\"schema\": 1", "\"schema\": \"1\""},
        {"\"sequence\": 42", "\"sequence\": 0"},
        {"\"sequence\": 42", "\"sequence\": -4"},
        {"\"stream\": \"rollout\"", "\"stream\": \"roll\""},
        {"\"type\": \"command.intended\"", "\"type\": \"../x\""},
        {"\"id\": \"0011", "\"id\": \"001"},
        {"\"id\": \"0011", "\"id\": \"00GG"},
        {"\"key\":", "\"keys\":"},
        {"\"holder\":", "\"owner\":"},
        {"\"fence\": 7", "\"fence\": true"},
        {"2026-11-22T", "2026-11-32T"},
        {"\"path\":", "\"paths\":"},
        {"e3b0c4", "E3b0c4"},
        {"\"login\": \"ada\"", "\"login\": 3"},
        {"\"actor\":", "\"author\":"},
    };
    struct text text = text_of(LIMIT_EVENT_BYTES);
    struct error err;
    struct event event = sample();
    cr_assert(event_write(&event, &text, &err));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arena arena = {0};
        struct text broken = text_of(LIMIT_EVENT_BYTES);
        struct event back;
        str all = text_str(&text);
        size_t at = str_search(all, str_of(rows[i].from));
        cr_assert_neq(at, STR_NONE, "row %zu does not fit: %s", i, text_c(&text));
        text_add(&broken, str_first(all, at));
        text_adds(&broken, rows[i].to);
        text_add(&broken, str_from(all, at + strlen(rows[i].from)));
        cr_expect_not(event_read(&arena, text_str(&broken), &back, &err), "row %zu", i);
        cr_expect_eq(err.kind, ERROR_INPUT, "row %zu: %s", i, err.message);
        text_done(&broken);
        arena_done(&arena);
    }
    text_done(&text);
}

Test(event, names_must_be_one_line)
{
    struct text text = text_of(LIMIT_EVENT_BYTES);
    struct error err;
    struct event event = sample();
    event.rollout = STR("a\nKey: forged");
    cr_expect_not(event_write(&event, &text, &err));
    event = sample();
    event.key = STR("\xff");
    cr_expect_not(event_write(&event, &text, &err));
    text_done(&text);
}

Test(event, path_says_day_stream_and_sequence)
{
    char path[EVENT_PATH];
    struct event event = sample();
    cr_expect_str_eq(event_path(&event, 1, path),
                     "events/2026/11/22/rollout/00000042-command.intended.json");
    cr_expect_str_eq(event_path(&event, 3, path),
                     "events/2026/11/22/rollout.3/00000042-command.intended.json");
    enum event_stream stream;
    uint64_t sequence;
    str type;
    cr_assert(event_path_parse(str_of(path), &stream, &sequence, &type));
    cr_expect(stream == STREAM_ROLLOUT && sequence == 42 && str_is(type, "command.intended"));
    static const char *const wrong[] = {
        "events/2026/11/22/rollout/42-command.intended.json",
        "events/2026/11/22/rollout.1/00000042-a.json",
        "events/2026/11/rollout/00000042-a.json",
        "events/2026/11/22/rollout/00000042-a.txt",
        "events/2026/11/22/other/00000042-a.json",
        "event/2026/11/22/rollout/00000042-a.json",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        cr_expect_not(event_path_parse(str_of(wrong[i]), &stream, &sequence, &type), "%s",
                      wrong[i]);
}
