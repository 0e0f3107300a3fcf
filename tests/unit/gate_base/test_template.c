#include "../expect.h"
#include "gate/base/template.h"

static const struct template_value values[] = {
    {"host", STR_INIT("app1")},
    {"release.digest", STR_INIT("a b/\xC3\xA9?&")},
    {"env.URL", STR_INIT("http://x/?a=b")},
    {"quoted", STR_INIT("it's \"x\"\\`\n\t")},
    {"empty", STR_INIT("")},
    {NULL, {NULL, 0}},
};

static void expands(const char *source, enum template_language language, const char *want)
{
    struct text out = text_of(1000);
    struct error err = {0};
    cr_expect(template_expand(str_of(source), values, language, &out, &err), "%s: %s", source,
              err.message);
    expect_str(text_str(&out), want);
    text_done(&out);
}

Test(template, names_are_replaced)
{
    expands("", TEMPLATE_PLAIN, "");
    expands("plain", TEMPLATE_PLAIN, "plain");
    expands("http://${host}:8000/${host}", TEMPLATE_PLAIN, "http://app1:8000/app1");
    expands("${empty}", TEMPLATE_PLAIN, "");
    expands("$5 $ ${host}$", TEMPLATE_PLAIN, "$5 $ app1$");
    expands("$${host}", TEMPLATE_PLAIN, "${host}");
    expands("$$${host}", TEMPLATE_PLAIN, "$${host}");
    expands("a}b{c", TEMPLATE_PLAIN, "a}b{c");
}

Test(template, values_are_escaped_for_their_language)
{
    expands("/x/${release.digest}", TEMPLATE_URL, "/x/a%20b%2F%C3%A9%3F%26");
    expands("${env.URL}/q", TEMPLATE_URL, "http://x/?a=b/q");
    expands("{l=\"${quoted}\"}", TEMPLATE_PROMQL, "{l=\"it\\x27s \\x22x\\x22\\\\\\x60\\n\\x09\"}");
    expands("echo ${quoted}", TEMPLATE_SHELL, "echo 'it'\\''s \"x\"\\`\n\t'");
    expands("x ${empty}", TEMPLATE_SHELL, "x ''");
    expands("${quoted}", TEMPLATE_PLAIN, "it's \"x\"\\`\n\t");
}

static void refuses(const char *source, enum error_kind kind, const char *want)
{
    struct text out = text_of(40);
    struct error err = {0};
    cr_expect_not(template_expand(str_of(source), values, TEMPLATE_PLAIN, &out, &err), "%s",
                  source);
    expect_error(&err, kind, want);
    text_done(&out);
}

Test(template, mistakes_are_named)
{
    refuses("a ${hots}", ERROR_INPUT,
            "`${hots}` is not known here; known are ${host}, ${release.digest}, ${env.URL}, "
            "${quoted}, ${empty}");
    refuses("${}", ERROR_INPUT,
            "`${}` is not known here; known are ${host}, ${release.digest}, ${env.URL}, "
            "${quoted}, ${empty}");
    refuses("${env.USER}", ERROR_INPUT,
            "`${env.USER}` is not set: name it in the list `env:`, and give it a value in the "
            "environment");
    refuses("a ${host", ERROR_INPUT, "`${` is not closed in `a ${host`");
    refuses("0123456789012345678901234567890123456789${host}", ERROR_LIMIT,
            "the expansion of `0123456789012345678901234567890123456789${host}` is too long");
    static const struct template_value none[] = {{NULL, {NULL, 0}}};
    struct text out = text_of(40);
    struct error err = {0};
    cr_expect_not(template_expand(STR("${x}"), none, TEMPLATE_PLAIN, &out, &err));
    expect_error(&err, ERROR_INPUT, "`${x}` is not known here; known are none");
    text_done(&out);
}

static bool collect(void *context, str name)
{
    struct text *names = context;
    text_addf(names, "[" STR_FMT "]", STR_ARG(name));
    return !str_is(name, "stop");
}

Test(template, names_can_be_visited)
{
    struct text names = text_of(1000);
    cr_expect(template_names(STR("${a} $${b} ${c.d}$"), collect, &names));
    expect_str(text_str(&names), "[a][c.d]");
    text_clear(&names);
    cr_expect_not(template_names(STR("${a}${stop}${b}"), collect, &names));
    expect_str(text_str(&names), "[a][stop]");
    text_done(&names);
}
