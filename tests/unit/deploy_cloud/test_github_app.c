// The client of GitHub as an app: its token, and when it gets another.
#include "deploy/cloud/rs256.h"
#include "github_server.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>

static void make_key(struct secret *ret)
{
    EVP_PKEY *key = EVP_RSA_gen(2048);
    BIO *memory = BIO_new(BIO_s_mem());
    char *bytes;
    cr_assert(PEM_write_bio_PrivateKey(memory, key, NULL, NULL, 0, NULL, NULL));
    long size = BIO_get_mem_data(memory, &bytes);
    secret_take(ret, str_make(bytes, (size_t)size));
    BIO_free(memory);
    EVP_PKEY_free(key);
}

#define TOKEN(name, end)                                                                           \
    ((struct answer){.status = 201,                                                                \
                     .body = "{\"token\": \"" name "\", \"expires_at\": \"" end "\"}"})
#define INSTALLATION ((struct answer){.status = 200, .body = "{\"id\": 99}"})
#define GOOD ((struct answer){.status = 200, .body = "[]"})

static void open_app(struct server *s)
{
    struct error err;
    open_server(s);
    make_key(&s->key);
    cr_assert(github_client_open(
        s->cloud,
        &(struct github_account){
            .api_url = API, .repository = "acme/learn", .app_id = "123", .key = &s->key},
        &s->github, &err));
}

Test(github_app, an_app_gets_a_token_and_renews_it_in_time)
{
    struct server s;
    struct github_answer got;
    struct error err;
    struct github_call *call;
    open_app(&s); // the clock begins at 2027-01-15T08:00:00Z
    answer(&s, INSTALLATION);
    answer(&s, TOKEN("ghs_one", "2027-01-15T09:00:00Z"));
    answer(&s, GOOD);
    answer(&s, INSTALLATION);
    answer(&s, TOKEN("ghs_two", "2027-01-15T10:00:00Z"));
    answer(&s, GOOD);
    cr_assert_eq(ask(&s, GITHUB_READ, &got, &err, &call), PROGRESS_DONE, "%s", err.message);
    github_call_drop(call);
    cr_expect_str_eq(s.sent[0].url, API "/repos/acme/learn/installation");
    cr_expect_str_eq(s.sent[1].url, API "/app/installations/99/access_tokens");
    cr_expect(str_search(str_of(s.sent[1].body), STR("\"learn\"")) != STR_NONE);
    cr_expect_str_eq(s.sent[2].bearer, "ghs_one");
    s.now_ms = NOW + 56 * MS_MINUTE;
    cr_assert_eq(ask(&s, GITHUB_READ, &got, &err, &call), PROGRESS_DONE, "%s", err.message);
    github_call_drop(call);
    const struct sent *last = &s.sent[s.sent_count - 1];
    cr_expect_str_eq(last->url, API "/repos/acme/learn/issues");
    cr_expect_str_eq(last->bearer, "ghs_two");
    close_server(&s);
}

Test(github_app, a_token_that_is_refused_is_renewed_once)
{
    struct server s;
    struct github_answer got;
    struct error err;
    struct github_call *call;
    struct answer refused = {.status = 401, .body = "{\"message\": \"Bad credentials\"}"};
    open_app(&s);
    answer(&s, INSTALLATION);
    answer(&s, TOKEN("ghs_one", "2027-01-15T09:00:00Z"));
    answer(&s, refused);
    answer(&s, INSTALLATION);
    answer(&s, TOKEN("ghs_two", "2027-01-15T09:00:00Z"));
    answer(&s, refused);
    cr_expect_eq(ask(&s, GITHUB_ONCE, &got, &err, &call), PROGRESS_FAILED);
    cr_expect_eq(err.kind, ERROR_DENIED, "%s", err.message);
    cr_expect_eq(s.sent_count, 6);
    cr_expect_str_eq(s.sent[5].bearer, "ghs_two");
    cr_expect(str_search(str_of(err.message), STR("ghs_two")) == STR_NONE);
    github_call_drop(call);
    close_server(&s);
}

Test(github_app, an_app_that_is_not_installed_says_so)
{
    struct server s;
    struct github_answer got;
    struct error err;
    struct github_call *call;
    open_app(&s);
    answer(&s, (struct answer){.status = 404, .body = "{\"message\": \"Not Found\"}"});
    cr_expect_eq(ask(&s, GITHUB_READ, &got, &err, &call), PROGRESS_FAILED);
    cr_expect(str_search(str_of(err.message), STR("is it installed there?")) != STR_NONE, "%s",
              err.message);
    github_call_drop(call);
    close_server(&s);
}
