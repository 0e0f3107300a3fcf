// The client of GitHub against a scripted server and a clock that is moved: what is sent, when, and
// what is made of each answer. The live bench is asked by tests/e2e/test_github_rollout.py.
#include "github_server.h"

// ---- what is tried again ------------------------------------------------------------------------

struct broken_case {
    const char *name;
    enum github_kind kind;
    struct answer first;
    size_t sent; // requests, when the second answer is good
    bool unknown;
};

static const struct broken_case broken_cases[] = {
    {"a reading, 502", GITHUB_READ, {.status = 502, .body = "{}"}, 2, false},
    {"a reading, lost", GITHUB_READ, {.lost = true}, 2, false},
    {"the same, 502", GITHUB_SAME, {.status = 502, .body = "{}"}, 2, false},
    {"the same, lost", GITHUB_SAME, {.lost = true}, 2, false},
    {"once, 502", GITHUB_ONCE, {.status = 502, .body = "{}"}, 1, true},
    {"once, lost", GITHUB_ONCE, {.lost = true}, 1, true},
    {"once, never sent", GITHUB_ONCE, {.unsent = true}, 2, false},
    {"once, an answer that is none", GITHUB_ONCE, {.status = 201, .body = "{\"id\": "}, 1, true},
    {"once, limited", GITHUB_ONCE, {.status = 429, .body = "{}", .retry_after_ms = 2000}, 2, false},
};

Test(github, what_may_have_had_effect_is_not_sent_again)
{
    for (size_t i = 0; i < sizeof broken_cases / sizeof *broken_cases; i++) {
        const struct broken_case *c = &broken_cases[i];
        struct server s;
        struct github_answer got;
        struct error err;
        struct github_call *call;
        open_client(&s);
        answer(&s, c->first);
        answer(&s, (struct answer){.status = 201, .body = "{\"id\": 7}"});
        enum progress progress = ask(&s, c->kind, &got, &err, &call);
        cr_expect_eq(s.sent_count, c->sent, "%s: %zu requests", c->name, s.sent_count);
        cr_expect_eq(progress, c->unknown ? PROGRESS_FAILED : PROGRESS_DONE, "%s", c->name);
        cr_expect_eq(github_call_fault(call)->outcome_unknown && c->unknown, c->unknown, "%s",
                     c->name);
        cr_expect(!c->unknown || err.kind == ERROR_TRANSIENT, "%s", c->name);
        cr_expect(str_search(str_of(err.message), STR("ghs_")) == STR_NONE, "%s: %s", c->name,
                  err.message);
        cr_expect(c->kind == GITHUB_READ || s.sent[0].fresh, "%s", c->name);
        github_call_drop(call);
        close_server(&s);
    }
}

// ---- limits -------------------------------------------------------------------------------------

struct limit_case {
    const char *name;
    struct answer limit;
    int64_t least_ms, most_ms; // until the next request
};

static const struct limit_case limit_cases[] = {
    {"Retry-After", {.status = 403, .body = "{}", .retry_after_ms = 7000}, 7000, 8200},
    {"Retry-After of 429", {.status = 429, .body = "{}", .retry_after_ms = 7000}, 7000, 8200},
    {"none left until the reset",
     {.status = 403,
      .body = "{}",
      .headers = "x-ratelimit-remaining: 0\nx-ratelimit-reset: 1800000030\n"},
     30000,
     32200},
    {"the reset by GitHub's clock, which is an hour ahead of ours",
     {.status = 403,
      .body = "{}",
      .headers = "x-ratelimit-remaining: 0\nx-ratelimit-reset: 1800003630\n",
      .clock_ahead_ms = MS_HOUR},
     30000,
     32200},
    {"the reset by GitHub's clock, which is behind ours",
     {.status = 403,
      .body = "{}",
      .headers = "x-ratelimit-remaining: 0\nx-ratelimit-reset: 1799996430\n",
      .clock_ahead_ms = -MS_HOUR},
     30000,
     32200},
    {"a secondary limit that names no time",
     {.status = 403, .body = "{\"message\": \"You have exceeded a secondary rate limit.\"}"},
     60000,
     61200},
};

Test(github, after_a_limit_nothing_leaves_before_its_time)
{
    for (size_t i = 0; i < sizeof limit_cases / sizeof *limit_cases; i++) {
        const struct limit_case *c = &limit_cases[i];
        struct server s;
        struct github_answer got;
        struct error err;
        struct github_call *call;
        open_client(&s);
        answer(&s, c->limit);
        answer(&s, (struct answer){.status = 200, .body = "[]"});
        cr_expect_eq(ask(&s, GITHUB_READ, &got, &err, &call), PROGRESS_DONE, "%s: %s", c->name,
                     err.message);
        int64_t gap_ms = s.sent[1].at_ms - s.sent[0].at_ms;
        cr_expect(gap_ms >= c->least_ms && gap_ms <= c->most_ms, "%s: %lld", c->name,
                  (long long)gap_ms);
        github_call_drop(call);
        close_server(&s);
    }
}

Test(github, a_limit_that_ends_too_late_fails_the_call_and_holds_the_next)
{
    struct server s;
    struct github_answer got;
    struct error err;
    struct github_call *call;
    open_client(&s);
    answer(&s, (struct answer){.status = 403, .body = "{}", .retry_after_ms = 600000});
    answer(&s, (struct answer){.status = 200, .body = "[]"});
    cr_expect_eq(ask(&s, GITHUB_READ, &got, &err, &call), PROGRESS_FAILED);
    cr_expect_eq(err.kind, ERROR_TRANSIENT);
    cr_expect(err.retry_after_ms >= 600000, "%lld", (long long)err.retry_after_ms);
    github_call_drop(call);
    cr_expect_eq(ask(&s, GITHUB_READ, &got, &err, &call), PROGRESS_FAILED);
    cr_expect_eq(s.sent_count, 1, "asked in spite of the limit");
    github_call_drop(call);
    s.now_ms = NOW + 602000;
    cr_expect_eq(ask(&s, GITHUB_READ, &got, &err, &call), PROGRESS_DONE);
    github_call_drop(call);
    close_server(&s);
}

Test(github, secondary_limits_in_a_row_wait_for_longer)
{
    struct server s;
    struct github_answer got;
    struct error err;
    struct github_call *call;
    struct answer limit = {.status = 403,
                           .body = "{\"message\": \"You have exceeded a secondary rate limit.\"}"};
    open_client(&s);
    answer(&s, limit);
    answer(&s, limit);
    answer(&s, (struct answer){.status = 200, .body = "[]"});
    call = NULL;
    cr_assert(github_call_start(
        s.github, &(struct github_request){.path = STR("/x"), .timeout_ms = 900000}, &call, &err));
    cr_expect_eq(finish(&s, call, &got, &err), PROGRESS_DONE);
    int64_t first_ms = s.sent[1].at_ms - s.sent[0].at_ms,
            second_ms = s.sent[2].at_ms - s.sent[1].at_ms;
    cr_expect(first_ms >= 60000 && second_ms >= 120000, "%lld, %lld", (long long)first_ms,
              (long long)second_ms);
    github_call_drop(call);
    close_server(&s);
}

// ---- writes -------------------------------------------------------------------------------------

Test(github, writes_leave_in_their_order_a_second_apart)
{
    struct server s;
    struct github_answer got;
    struct error err;
    open_client(&s);
    answer(&s, (struct answer){.status = 201, .body = "{}"});
    struct github_call *first = start(&s, GITHUB_ONCE, "POST", "/first"),
                       *second = start(&s, GITHUB_ONCE, "POST", "/second"),
                       *third = start(&s, GITHUB_SAME, "PATCH", "/third");
    cr_expect_eq(github_call_poll(third, &got, &err), PROGRESS_PENDING);
    cr_expect_eq(github_call_poll(second, &got, &err), PROGRESS_PENDING);
    cr_expect_eq(s.sent_count, 0, "a write overtook");
    github_call_drop(first); // nobody wants it any more
    cr_expect_eq(finish(&s, second, &got, &err), PROGRESS_DONE);
    cr_expect_eq(finish(&s, third, &got, &err), PROGRESS_DONE);
    cr_expect_str_eq(s.sent[0].url, API "/second");
    cr_expect_str_eq(s.sent[1].url, API "/third");
    cr_expect(s.sent[1].at_ms - s.sent[0].at_ms >= 1000);
    cr_expect(s.sent[0].at_ms - NOW >= 1000, "who ran before may just have written");
    github_call_drop(second);
    github_call_drop(third);
    close_server(&s);
}

Test(github, a_write_that_nobody_waits_for_any_more_holds_the_next_for_its_second)
{
    struct server s;
    struct github_answer got;
    struct error err;
    open_client(&s);
    answer(&s, (struct answer){.waits = true});
    answer(&s, (struct answer){.status = 201, .body = "{}"});
    struct github_call *first = start(&s, GITHUB_ONCE, "POST", "/first");
    s.now_ms += 2 * MS_SECOND;
    cr_expect_eq(github_call_poll(first, &got, &err), PROGRESS_PENDING);
    cr_assert_eq(s.sent_count, 1);
    struct github_call *second = start(&s, GITHUB_ONCE, "POST", "/second");
    cr_expect_eq(github_call_poll(second, &got, &err), PROGRESS_PENDING);
    cr_expect_eq(s.sent_count, 1, "one at a time");
    github_call_drop(first); // under way: it may have had its effect
    cr_expect_eq(s.dropped, 1);
    cr_expect_eq(finish(&s, second, &got, &err), PROGRESS_DONE);
    cr_expect(s.sent[1].at_ms - s.sent[0].at_ms >= 1000, "%lld",
              (long long)(s.sent[1].at_ms - s.sent[0].at_ms));
    github_call_drop(second);
    close_server(&s);
}

// ---- what has not changed -----------------------------------------------------------------------

Test(github, what_has_not_changed_is_what_it_was)
{
    struct server s;
    struct github_answer got;
    struct error err;
    struct github_call *call;
    open_client(&s);
    answer(&s, (struct answer){.status = 200,
                               .body = "[{\"id\": 7}]",
                               .headers = "ETag: W/\"one\"\nLink: <" API
                                          "/issues?page=2>; rel=\"next\"\n"});
    answer(&s, (struct answer){.status = 304, .body = ""});
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(ask(&s, GITHUB_READ, &got, &err, &call), PROGRESS_DONE, "%s", err.message);
        cr_expect_eq(got.status, 200);
        cr_assert_not_null(got.tree);
        cr_expect(str_is(node_text(got.tree->first, "id"), "7"));
        cr_expect(str_is(got.next, "/issues?page=2"));
        github_call_drop(call);
    }
    cr_expect_str_eq(s.sent[0].etag, "");
    cr_expect_str_eq(s.sent[1].etag, "W/\"one\"");
    close_server(&s);
}

Test(github, what_has_changed_takes_the_place_of_what_it_was)
{
    static const struct answer answers[] = {
        {.status = 200, .body = "[{\"id\": 7}]", .headers = "ETag: \"one\"\n"},
        {.status = 200, .body = "[{\"id\": 8}]", .headers = "ETag: \"two\"\n"},
        {.status = 304, .body = ""},
        {.status = 200, .body = "[{\"id\": 9}]"}, // without one
        {.status = 200, .body = "[{\"id\": 9}]"},
    };
    static const char *const named[] = {"", "\"one\"", "\"two\"", "\"two\"", "\"two\""};
    static const char *const ids[] = {"7", "8", "8", "9", "9"};
    struct server s;
    struct github_answer got;
    struct error err;
    struct github_call *call;
    open_client(&s);
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        answer(&s, answers[i]);
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        cr_assert_eq(ask(&s, GITHUB_READ, &got, &err, &call), PROGRESS_DONE, "%s", err.message);
        cr_expect_str_eq(s.sent[i].etag, named[i], "%zu", i);
        cr_expect(str_is(node_text(got.tree->first, "id"), ids[i]), "%zu", i);
        github_call_drop(call);
    }
    close_server(&s);
}

Test(github, nothing_is_followed_to_another_place)
{
    static const char *const links[] = {
        "Link: <https://evil.example/api/v3/issues?page=2>; rel=\"next\"\n",
        "Link: <https://ghe.example/api/v3evil/issues>; rel=\"next\"\n",
        "Link: <https://ghe.example/api/v4/issues>; rel=\"next\"\n",
    };
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        struct server s;
        struct github_answer got;
        struct error err;
        struct github_call *call;
        open_client(&s);
        answer(&s, (struct answer){.status = 200, .body = "[]", .headers = links[i]});
        cr_expect_eq(ask(&s, GITHUB_READ, &got, &err, &call), PROGRESS_FAILED, "%s", links[i]);
        cr_expect(str_search(str_of(err.message), STR("gets no token")) != STR_NONE);
        github_call_drop(call);
        close_server(&s);
    }
}

Test(github, a_redirect_is_followed_at_home_only)
{
    struct server s;
    struct github_answer got;
    struct error err;
    struct github_call *call;
    open_client(&s);
    answer(&s, (struct answer){.status = 301,
                               .body = "{}",
                               .headers = "Location: " API "/repositories/9/issues\n"});
    answer(&s, (struct answer){.status = 200, .body = "[]"});
    answer(&s, (struct answer){.status = 301,
                               .body = "{}",
                               .headers = "Location: https://evil.example/repositories/9\n"});
    cr_expect_eq(ask(&s, GITHUB_READ, &got, &err, &call), PROGRESS_DONE);
    cr_expect_str_eq(s.sent[1].url, API "/repositories/9/issues");
    github_call_drop(call);
    cr_expect_eq(ask(&s, GITHUB_READ, &got, &err, &call), PROGRESS_FAILED);
    cr_expect_eq(s.sent_count, 3);
    github_call_drop(call);
    close_server(&s);
}

// ---- refusals -----------------------------------------------------------------------------------

struct refusal_case {
    struct answer answer;
    enum error_kind kind;
    const char *says;
};

static const struct refusal_case refusal_cases[] = {
    {{.status = 403, .body = "{\"message\": \"Resource not accessible by integration\"}"},
     ERROR_DENIED,
     "the workflow needs `permissions:` with issues: write"},
    {{.status = 404, .body = "{\"message\": \"Not Found\"}"}, ERROR_ABSENT, "issues: write"},
    {{.status = 410, .body = "{\"message\": \"Issues are disabled\"}"}, ERROR_ABSENT, "disabled"},
    {{.status = 401, .body = "{\"message\": \"Bad credentials\"}"}, ERROR_DENIED, "not any more"},
    {{.status = 422,
      .body = "{\"message\": \"Validation Failed\", \"errors\": [{\"field\": \"title\", \"code\": "
              "\"missing_field\"}]}"},
     ERROR_INPUT,
     "Validation Failed: title missing_field"},
    {{.status = 422, .body = "{\"message\": \"no\", \"errors\": [\"that \\u001b[2J way\"]}"},
     ERROR_INPUT,
     "no: that"},
    {{.status = 403, .body = "{\"message\": \"you are ghs_not_to_be_seen\"}"},
     ERROR_DENIED,
     "you are"},
    {{.status = 400, .body = "<html>"}, ERROR_REMOTE, "refused"},
};

Test(github, a_refusal_says_what_is_missing_and_no_secret)
{
    for (size_t i = 0; i < sizeof refusal_cases / sizeof *refusal_cases; i++) {
        const struct refusal_case *c = &refusal_cases[i];
        struct server s;
        struct github_answer got;
        struct error err;
        struct github_call *call;
        open_client(&s);
        answer(&s, c->answer);
        cr_expect_eq(ask(&s, GITHUB_ONCE, &got, &err, &call), PROGRESS_FAILED);
        cr_expect_eq(err.kind, c->kind, "%s", err.message);
        cr_expect(str_search(str_of(err.message), str_of(c->says)) != STR_NONE, "%s", err.message);
        cr_expect(str_search(str_of(err.message), STR("not_to_be_seen")) == STR_NONE);
        cr_expect(!strchr(err.message, 0x1b));
        cr_expect_eq(s.sent_count, 1);
        github_call_drop(call);
        close_server(&s);
    }
}

Test(github, a_permission_that_only_the_answer_names_is_named)
{
    struct server s;
    struct github_answer got;
    struct error err;
    struct github_call *call;
    open_client(&s);
    answer(&s, (struct answer){.status = 403,
                               .body = "{\"message\": \"Resource not accessible\"}",
                               .headers = "X-Accepted-GitHub-Permissions: checks=write\n"});
    cr_assert(
        github_call_start(s.github, &(struct github_request){.path = STR("/x")}, &call, &err));
    cr_expect_eq(finish(&s, call, &got, &err), PROGRESS_FAILED);
    cr_expect(str_search(str_of(err.message), STR("checks")) != STR_NONE &&
                  str_search(str_of(err.message), STR("write")) != STR_NONE,
              "%s", err.message);
    github_call_drop(call);
    close_server(&s);
}

Test(github, who_cannot_be_asked_safely_is_not)
{
    static const struct {
        const char *api, *repository;
        bool token;
        const char *says;
    } cases[] = {
        {"http://ghe.example/api/v3", "acme/learn", true, "without TLS"},
        {API, "acme", true, "no repository"},
        {API, "acme/learn/x", true, "no repository"},
        {API, "acme/../x", true, "no repository"},
        {API, "acme/learn?x", true, "no repository"},
        {API, "acme/learn", false, "no token"},
        {NULL, "acme/learn", true, "where GitHub's API is"},
        {"ftp://x", "acme/learn", true, "GitHub's API"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct server s;
        struct error err;
        open_server(&s);
        cr_expect(
            !github_client_open(s.cloud,
                                &(struct github_account){.api_url = cases[i].api,
                                                         .repository = cases[i].repository,
                                                         .token = cases[i].token ? &s.token : NULL},
                                &s.github, &err),
            "%zu", i);
        cr_expect(str_search(str_of(err.message), str_of(cases[i].says)) != STR_NONE, "%s",
                  err.message);
        close_server(&s);
    }
}
