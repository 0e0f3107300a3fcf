#include "gate/base/arena.h"
#include "gate/base/limits.h"
#include "gate/reports/lines.h"

#include "../expect.h"

#include <stdio.h>

struct heard {
    struct text text; // "1@0+4 one|" for each line: number, offset, size, line
    struct lines *lines;
    uint32_t refuse_at; // the number of the line that the handler refuses; 0 = none
    bool with_place;    // the handler names the place itself
};

static bool hear(void *context, str line, struct error *err)
{
    struct heard *heard = context;
    const struct lines *lines = heard->lines;
    if (lines->number == heard->refuse_at)
        return heard->with_place ? lines_refuse(lines, line, err, "no")
                                 : error_set(err, ERROR_INPUT, "not this one");
    text_addf(&heard->text, "%u@%llu+%llu " STR_FMT "|", lines->number,
              (unsigned long long)lines->offset, (unsigned long long)lines->size, STR_ARG(line));
    return true;
}

// Feeds in pieces. The answer: what was heard, and the error.
static bool read_in(struct heard *heard, str bytes, size_t piece, bool *ret_ended_whole,
                    struct error *err)
{
    struct lines lines = lines_of("a.txt", hear, heard);
    heard->lines = &lines;
    heard->text = text_of(1 << 22);
    bool ok = true;
    while (ok && bytes.len) {
        str part = str_first(bytes, piece);
        ok = lines_feed(&lines, part, err);
        bytes = str_from(bytes, part.len);
    }
    ok = ok && lines_end(&lines, err);
    *ret_ended_whole = lines.ended_whole;
    lines_done(&lines);
    return ok;
}

Test(lines, come_out_whole_wherever_a_piece_ends)
{
    static const struct {
        const char *name;
        str bytes;
        const char *want;
        bool ended_whole;
    } rows[] = {
        {"nothing", STR_INIT(""), "", true},
        {"two lines", STR_INIT("one\ntwo\n"), "1@0+4 one|2@4+4 two|", true},
        {"no end of the last one", STR_INIT("one\ntwo"), "1@0+4 one|2@4+3 two|", false},
        {"one line without an end", STR_INIT("one"), "1@0+3 one|", false},
        {"CRLF", STR_INIT("one\r\ntwo\r\n"), "1@0+5 one|2@5+5 two|", true},
        {"CR at the end of the file", STR_INIT("one\r\ntwo\r"), "1@0+5 one|2@5+4 two|", false},
        {"one CR belongs to the line end", STR_INIT("one\r\r\n"), "1@0+6 one\r|", true},
        {"a CR inside of a line", STR_INIT("o\rne\n"), "1@0+5 o\rne|", true},
        {"empty lines", STR_INIT("\n\r\n\na\n"), "1@0+1 |2@1+2 |3@3+1 |4@4+2 a|", true},
        {"a byte order mark", STR_INIT("\xef\xbb\xbfone\ntwo\n"), "1@0+7 one|2@7+4 two|", true},
        {"a mark and nothing else", STR_INIT("\xef\xbb\xbf"), "1@0+3 |", false},
        {"a mark, not at the beginning",
         STR_INIT("a\n\xef\xbb\xbf"
                  "b\n"),
         "1@0+2 a|2@2+5 \xef\xbb\xbf"
         "b|",
         true},
        {"a part of a mark", STR_INIT("\xef\xbb\n"), "1@0+3 \xef\xbb|", true},
        {"bytes that are no text", STR_INIT("\xff\xfe\n"), "1@0+3 \xff\xfe|", true},
    };
    static const size_t pieces[] = {1, 2, 3, 1000};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t k = 0; k < sizeof pieces / sizeof *pieces; k++) {
            struct heard heard = {.refuse_at = 0};
            struct error err = {0};
            bool whole;
            cr_assert(read_in(&heard, rows[i].bytes, pieces[k], &whole, &err), "%s", rows[i].name);
            cr_expect_str_eq(text_c(&heard.text), rows[i].want, "%s in %zu: %s", rows[i].name,
                             pieces[k], text_c(&heard.text));
            cr_expect_eq(whole, rows[i].ended_whole, "%s in %zu", rows[i].name, pieces[k]);
            text_done(&heard.text);
        }
    }
}

Test(lines, a_nul_is_refused_with_its_line)
{
    static const struct {
        str bytes;
        const char *want, *heard;
    } rows[] = {
        {STR_INIT("\0"), "a.txt:1: a NUL byte stands in this line", ""},
        {STR_INIT("one\ntw\0o\nthree\n"), "a.txt:2: a NUL byte stands in this line", "1@0+4 one|"},
        {STR_INIT("one\ntwo\n\0"), "a.txt:3: a NUL byte stands in this line",
         "1@0+4 one|2@4+4 two|"},
    };
    static const size_t pieces[] = {1, 2, 5, 1000};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t k = 0; k < sizeof pieces / sizeof *pieces; k++) {
            struct heard heard = {.refuse_at = 0};
            struct error err = {0};
            char line[1024];
            bool whole;
            cr_assert_not(read_in(&heard, rows[i].bytes, pieces[k], &whole, &err));
            cr_expect_eq(err.kind, ERROR_INPUT);
            cr_expect_str_eq(error_text(&err, line, sizeof line), rows[i].want, "in %zu: %s",
                             pieces[k], line);
            cr_expect_str_eq(text_c(&heard.text), rows[i].heard);
            text_done(&heard.text);
        }
    }
}

Test(lines, one_that_is_too_long_is_a_limit)
{
    static const size_t pieces[] = {1000, 65536, 4u << 20};
    for (int over = 0; over < 2; over++) {
        size_t length = LIMIT_TOKEN_BYTES + (size_t)over;
        char *bytes = memory_alloc(length + 3);
        memset(bytes, 'x', length + 2);
        bytes[0] = 'a';
        bytes[1] = bytes[length + 2] = '\n';
        for (size_t k = 0; k < sizeof pieces / sizeof *pieces; k++) {
            for (int ended = 0; ended < 2; ended++) {
                struct heard heard = {.refuse_at = 0};
                struct error err = {0};
                bool whole;
                bool ok = read_in(&heard, str_make(bytes, length + 2 + (size_t)ended), pieces[k],
                                  &whole, &err);
                cr_expect_eq(ok, !over, "%zu over %d: %s", pieces[k], over, err.message);
                if (over) {
                    cr_expect_eq(err.kind, ERROR_LIMIT);
                    cr_expect_eq(err.at.line, 2);
                    cr_expect_str_eq(text_c(&heard.text), "1@0+2 a|");
                }
                text_done(&heard.text);
            }
        }
        memory_free(bytes);
    }
}

Test(lines, the_refusal_of_a_handler_stops_with_its_place)
{
    for (int with_place = 0; with_place < 2; with_place++) {
        struct heard heard = {.refuse_at = 2, .with_place = with_place};
        struct error err = {0};
        char line[1024];
        bool whole;
        cr_assert_not(read_in(&heard, STR("one\ntwo\nthree\n"), 2, &whole, &err));
        cr_expect_str_eq(error_text(&err, line, sizeof line),
                         with_place ? "a.txt:2:1: no: `two`" : "a.txt:2:1: not this one");
        cr_expect_str_eq(text_c(&heard.text), "1@0+4 one|");
        text_done(&heard.text);
    }
}

Test(lines, a_refused_line_is_shown_only_when_it_is_text)
{
    static const struct {
        str line;
        const char *want;
    } rows[] = {
        {STR_INIT("plain"), "wrong: `plain`"},
        {STR_INIT("\xff\xfe"), "wrong"},
        {STR_INIT("éééééééééééééééééééééééééééééééééééé"), // cut between characters
         "wrong: `éééééééééééééééééééééééééééééé`"},
    };
    struct lines lines = lines_of("a.txt", hear, NULL);
    lines.number = 7;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        cr_assert_not(lines_refuse(&lines, rows[i].line, &err, "wrong"));
        cr_expect_str_eq(err.message, rows[i].want, "%s", err.message);
        cr_expect_eq(err.at.line, 7);
    }
    lines_done(&lines);
}
