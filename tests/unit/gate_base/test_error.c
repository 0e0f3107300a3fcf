#include "../expect.h"
#include "gate/base/error.h"

#include <errno.h>

Test(error, set_at_and_wrap)
{
    struct error err = {.kind = ERROR_SYSTEM, .at = {"old", 1, 1}};
    char text[1024];
    cr_expect_not(error_set(&err, ERROR_INPUT, "`%s` is wrong", "x"));
    expect_error(&err, ERROR_INPUT, "`x` is wrong");
    cr_expect_not(error_at(&err, ERROR_LIMIT, (struct position){"f.yml", 3, 4}, "too long"));
    expect_error(&err, ERROR_LIMIT, "f.yml:3:4: too long");
    cr_expect_not(error_wrap(&err, "reading %s", "the policy"));
    expect_error(&err, ERROR_LIMIT, "f.yml:3:4: reading the policy: too long");
    err.at.column = 0;
    cr_expect_str_eq(error_text(&err, text, sizeof text), "f.yml:3: reading the policy: too long");
    err.at.line = 0;
    cr_expect_str_eq(error_text(&err, text, sizeof text), "f.yml: reading the policy: too long");
    cr_expect_str_eq(error_text(&err, text, 9), "f.yml: r");
}

Test(error, its_own_message_may_be_an_argument)
{
    struct error err = {0};
    (void)error_set(&err, ERROR_INPUT, "the cause");
    (void)error_set(&err, ERROR_REMOTE, "asking: %s: twice: %s", err.message, err.message);
    expect_error(&err, ERROR_REMOTE, "asking: the cause: twice: the cause");
}

Test(error, long_messages_are_cut_between_characters)
{
    for (size_t lead = 0; lead < 4; lead++) {
        char longest[1200];
        struct error err = {0};
        memset(longest, 'x', lead);
        for (size_t i = lead; i + 2 < sizeof longest; i += 2)
            memcpy(longest + i, "\xC3\xA9", 3);
        (void)error_set(&err, ERROR_INPUT, "%s", longest);
        size_t len = strlen(err.message);
        cr_expect(len < sizeof err.message && len > sizeof err.message - 8);
        cr_expect(str_is_utf8(str_of(err.message)));
        cr_expect(str_ends(str_of(err.message), STR("…")));
        (void)error_wrap(&err, "%s", longest);
        cr_expect(strlen(err.message) < sizeof err.message);
        cr_expect(str_is_utf8(str_of(err.message)) && str_ends(str_of(err.message), STR("…")));
    }
}

Test(error, errno_tells_absent_from_broken)
{
    struct error err = {0};
    errno = ENOENT;
    cr_expect_not(error_errno(&err, "opening", "x.yml"));
    expect_error(&err, ERROR_ABSENT, "opening x.yml: No such file or directory");
    errno = EACCES;
    (void)error_errno(&err, "opening", "x.yml");
    expect_error(&err, ERROR_SYSTEM, "opening x.yml: Permission denied");
}

Test(error, exit_codes)
{
    static const struct {
        enum error_kind kind;
        int code;
        const char *name;
    } rows[] = {{ERROR_NONE, 0, "none"},     {ERROR_INPUT, 2, "input"},
                {ERROR_DENIED, 1, "denied"}, {ERROR_ABSENT, 2, "absent"},
                {ERROR_LIMIT, 2, "limit"},   {ERROR_TRANSIENT, 3, "transient"},
                {ERROR_REMOTE, 3, "remote"}, {ERROR_SYSTEM, 3, "system"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect(error_exit_code(rows[i].kind) == rows[i].code, "%s", rows[i].name);
        cr_expect_str_eq(error_kind_name(rows[i].kind), rows[i].name);
    }
}
