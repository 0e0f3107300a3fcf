#include "deploy/cloud/aws_xml.h"
#include "deploy/cloud/cloud_parts.h"
#include "deploy/cloud/hmac.h"
#include "deploy/cloud/rs256.h"
#include "deploy/cloud/url_parts.h"
#include "gate/base/limits.h"

#include <criterion/criterion.h>
#include <stdio.h>

// RFC 4231, cases 1, 2 and 6.
Test(parts, hmac_sha256)
{
    char ones[20], long_key[131], hex[SHA256_HEX];
    unsigned char digest[SHA256_BYTES];
    memset(ones, 0x0b, sizeof ones);
    memset(long_key, 0xaa, sizeof long_key);
    const struct {
        str key, message;
        const char *hex;
    } rows[] = {
        {str_make(ones, sizeof ones), STR("Hi There"),
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {STR("Jefe"), STR("what do ya want for nothing?"),
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {str_make(long_key, sizeof long_key),
         STR("Test Using Larger Than Block-Size Key - Hash Key First"),
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        hmac_sha256(rows[i].key, rows[i].message, digest);
        cr_expect_str_eq(sha256_hex(digest, hex), rows[i].hex);
    }
}

// A refusal may hold what was sent, also cut off in the middle.
Test(parts, secrets_are_hidden_in_the_words_of_others)
{
    static const struct {
        const char *words, *secret, *want;
    } rows[] = {
        {"token: IQoJb3JpZ2luX2VjEJ, twice: IQoJb3JpZ2luX2VjEJ.", "IQoJb3JpZ2luX2VjEJ",
         "token: ******************, twice: ******************."},
        {"the canonical string is IQoJb3JpZ2", "IQoJb3JpZ2luX2VjEJ",
         "the canonical string is **********"},
        {"IQoJb3IQoJb3JpZ2luX2VjEJ", "IQoJb3JpZ2luX2VjEJ", "IQoJb3******************"},
        {"only IQoJb3J of it", "IQoJb3JpZ2luX2VjEJ", "only IQoJb3J of it"},
        {"a short secret is a word", "secret", "a short secret is a word"},
        {"no secret", "", "no secret"},
        {"", "IQoJb3JpZ2luX2VjEJ", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char words[100];
        (void)snprintf(words, sizeof words, "%s", rows[i].words);
        cloud_hide(str_of(words), str_of(rows[i].secret));
        cr_expect_str_eq(words, rows[i].want);
    }
}

Test(parts, base64url)
{
    static const struct {
        const char *plain, *coded;
    } rows[] = {{"", ""},        {"f", "Zg"},        {"fo", "Zm8"},
                {"foo", "Zm9v"}, {"foob", "Zm9vYg"}, {"\xfb\xff\xfe", "-__-"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct text out = text_of(64);
        base64url_add(&out, str_of(rows[i].plain));
        cr_expect_str_eq(text_c(&out), rows[i].coded);
        text_done(&out);
    }
}

Test(parts, urls)
{
    struct url_parts parts;
    struct error err;
    cr_assert(url_split(STR("https://Host:8443/a%20b?c=d?e"), &parts, &err));
    cr_expect(parts.secure && str_is(parts.host, "Host:8443") && str_is(parts.name, "Host"));
    cr_expect(str_is(parts.path, "/a%20b") && str_is(parts.query, "c=d?e"));
    cr_assert(url_split(STR("http://[::1]:80?x"), &parts, &err));
    cr_expect(str_is(parts.host, "[::1]") && str_is(parts.name, "[::1]"));
    cr_expect(str_is(parts.path, "") && str_is(parts.query, "x"));
    cr_assert(url_split(STR("http://[::1]"), &parts, &err));
    cr_expect(str_is(parts.name, "[::1]") && url_is_loopback(parts.name));
    struct text out = text_of(256);
    url_decode(&out, STR("a%20%2f%zz%4"));
    cr_expect_str_eq(text_c(&out), "a /%zz%4");
    text_clear(&out);
    url_encode(&out, STR("a b/é~"), URL_PATH);
    cr_expect_str_eq(text_c(&out), "a%20b/%C3%A9~");
    text_done(&out);
}

Test(parts, xml_as_a_tree)
{
    static const struct {
        const char *xml, *path, *text;
    } rows[] = {
        {"<A><B> x </B></A>", "B", "x"},
        {"<A xmlns='u'><!-- c --><B>x<![CDATA[<y>]]>&amp;</B></A>", "B", "x<y>&"},
        {"<A><B/></A>", "B", ""},
    };
    struct arena arena = {0};
    const struct node *tree;
    struct error err;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cr_assert(aws_xml_read(&arena, str_of(rows[i].xml), &tree, &err), "%s", err.message);
        cr_expect(str_is(node_text(tree, rows[i].path), rows[i].text), "%s", rows[i].xml);
    }
    cr_assert(aws_xml_read(&arena,
                           STR("<A><L><member><n>1</n></member></L><M><x>1</x><x>2</x></M>"
                               "<N><a>1</a><b>2</b></N><E/></A>"),
                           &tree, &err));
    cr_expect_eq(node_get(tree, "L")->kind, NODE_LIST);
    cr_expect(str_is(node_text(node_get(tree, "L")->first, "n"), "1"));
    cr_expect_eq(node_get(tree, "M")->kind, NODE_LIST);
    cr_expect_eq(node_get(tree, "M")->count, 2);
    cr_expect_eq(node_get(tree, "N")->kind, NODE_MAP);
    cr_expect_null(node_get(tree, "E")->first);
    static const char *const broken[] = {"", "x", "<A>", "<A></B>", "{}", "<A>&nope;</A>"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        cr_expect_not(aws_xml_read(&arena, str_of(broken[i]), &tree, &err), "%s", broken[i]);
    struct text deep = text_of(65536);
    for (unsigned i = 0; i < LIMIT_DOC_DEPTH + 5; i++)
        text_adds(&deep, "<a>");
    cr_expect_not(aws_xml_read(&arena, text_str(&deep), &tree, &err));
    text_done(&deep);
    arena_done(&arena);
}

static int64_t now_ms;

static int64_t read_clock(void *self)
{
    (void)self;
    return now_ms;
}

Test(parts, a_bucket_lets_the_burst_go_and_then_keeps_the_pace)
{
    struct clock_port clock = {NULL, read_clock};
    struct cloud *cloud = cloud_open(&(struct cloud_ports){.clock = &clock});
    now_ms = 1000000;
    for (int i = 0; i < 5; i++)
        cr_expect_eq(pace_take(cloud, "b", "p", 10, 5), now_ms, "call %d", i);
    for (int i = 1; i <= 20; i++)
        cr_expect_eq(pace_take(cloud, "b", "p", 10, 5), now_ms + 100 * i, "call %d", i);
    cr_expect_eq(pace_take(cloud, "b", "q", 10, 5), now_ms, "another place has its own");
    now_ms += 60000;
    for (int i = 0; i < 5; i++)
        cr_expect_eq(pace_take(cloud, "b", "p", 10, 5), now_ms, "rested, call %d", i);
    pace_throttled(cloud, "b", "p");
    pace_throttled(cloud, "b", "p"); // of the same moment: once
    cr_expect(pace_take(cloud, "b", "p", 10, 5) > now_ms, "the burst is gone");
    int64_t first = pace_take(cloud, "b", "p", 10, 5), second = pace_take(cloud, "b", "p", 10, 5);
    cr_expect(second - first >= 160 && second - first <= 170, "%lld", (long long)(second - first));
    for (int i = 0; i < 100; i++)
        pace_went_well(cloud, "b", "p");
    now_ms += 600000;
    for (int i = 0; i < 5; i++)
        cr_expect_eq(pace_take(cloud, "b", "p", 10, 5), now_ms, "well again, call %d", i);
    now_ms -= 500000000; // the machine's clock was set back
    cr_expect_leq(pace_take(cloud, "b", "p", 10, 5), now_ms + 1000);
    cloud_close(cloud);
}

Test(parts, headers_of_an_answer)
{
    str headers = STR("Content-Type: a\nETag:  \"x\" \nx-amzn-requestid: 7\n");
    cr_expect(str_is(cloud_header(headers, "etag"), "\"x\""));
    cr_expect(str_is(cloud_header(headers, "X-Amzn-RequestId"), "7"));
    cr_expect_eq(cloud_header(headers, "ET").len, 0);
}
