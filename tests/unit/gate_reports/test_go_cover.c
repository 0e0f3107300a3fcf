#include "feed.h"

#include "gate/base/limits.h"

static struct evidence evidence;

static void done(void)
{
    evidence_done(&evidence);
}

TestSuite(go_cover, .fini = done);

Test(go_cover, lines_of_blocks)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"mode: set\na.go:1.1,1.9 1 1\n", "lines 1/1 branches 0/0 files 1"},
        {"mode: set\na.go:1.1,3.9 1 0\na.go:3.1,3.9 0 1\n", "lines 1/3 branches 0/0 files 1"},
        {"mode: count\na.go:60.1,70.2 1 1\na.go:1.1,200.2 1 0\n",
         "lines 11/200 branches 0/0 files 1"},
        {"mode: count\na.go:63.1,64.2 1 99999999999999999999\n", "lines 2/2 branches 0/0 files 1"},
        {"mode: atomic\r\nx:y z.go:2.1,2.2 1 1\r\n\r\n", "lines 1/1 branches 0/0 files 1"},
        {"mode: set\na.go:1.1,2.2 1 0\nb.go:1.1,2.2 1 0\na.go:2.1,2.2 1 5",
         "lines 1/4 branches 0/0 files 2"},
        {"mode: set\na.go:1.1,16777216.2 1 1\n", "lines 16777216/16777216 branches 0/0 files 1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        feed_good(&evidence, "c.out", rows[i].text);
        cr_expect_str_eq(coverage_words(&evidence), rows[i].want, "%s", rows[i].text);
        cr_expect_str_eq(suspicions(&evidence), "");
        evidence_done(&evidence);
    }
}

// Against a loop over single lines.
Test(go_cover, ranges_are_filled_as_lines_are)
{
    struct arena arena = {0};
    struct error err = {0};
    static const uint32_t ends[] = {1, 2, 62, 63, 64, 65, 127, 128, 129, 300};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        for (size_t k = i; k < sizeof ends / sizeof *ends; k++) {
            struct covered_file filled = {0}, single = {0};
            cr_assert(covered_lines(&arena, &filled, ends[i], ends[k], k % 2, &err));
            for (uint32_t line = ends[i]; line <= ends[k]; line++)
                cr_assert(covered_line(&arena, &single, line, k % 2, &err));
            for (uint32_t line = 0; line < 400; line++)
                cr_expect(line_known(&filled, line) == line_known(&single, line) &&
                              line_hit(&filled, line) == line_hit(&single, line),
                          "%u to %u: %u", ends[i], ends[k], line);
            cr_expect_eq(filled.last_line, single.last_line);
        }
    }
    struct covered_file none = {0};
    cr_expect_not(covered_lines(&arena, &none, 0, 1, 1, &err));
    cr_expect_not(covered_lines(&arena, &none, 3, 2, 1, &err));
    cr_expect_not(covered_lines(&arena, &none, 1, LIMIT_SOURCE_LINE + 1, 1, &err));
    arena_done(&arena);
}

Test(go_cover, bytes_are_those_of_the_blocks)
{
    const char *text = "mode: set\na.go:1.1,1.9 1 1\na.go:2.1,2.9 1 1\nb.go:1.1,1.9 1 1\n";
    feed_good(&evidence, "c.out", text);
    const struct byte_range *range = covered_range(&evidence.coverage.files[0], 0);
    expect_str(str_make(text + range->from, range->size), "a.go:1.1,1.9 1 1\na.go:2.1,2.9 1 1\n");
}

Test(go_cover, what_is_wrong_is_refused_with_its_place)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"mode: set\n:1.1,1.2 1 1\n", "c.out:2:1: this is not `FILE:LINE.COLUMN,LINE.COLUMN "
                                      "STATEMENTS COUNT`: `:1.1,1.2 1 1`"},
        {"mode: set\na.go:1.1,1.2 1\n", "c.out:2:1: this is not `FILE:LINE.COLUMN,LINE.COLUMN "
                                        "STATEMENTS COUNT`: `a.go:1.1,1.2 1`"},
        {"mode: set\na.go:1.1,1.2 1 x\n", "c.out:2:1: this is not `FILE:LINE.COLUMN,LINE.COLUMN "
                                          "STATEMENTS COUNT`: `a.go:1.1,1.2 1 x`"},
        {"mode: set\na.go:1,1.2 1 1\n", "c.out:2:1: this is not `FILE:LINE.COLUMN,LINE.COLUMN "
                                        "STATEMENTS COUNT`: `a.go:1,1.2 1 1`"},
        {"mode: set\na.go:2.1,1.2 1 1\n",
         "c.out:2:1: the lines of the block are out of range: `a.go:2.1,1.2 1 1`"},
        {"mode: set\na.go:1.1,16777217.2 1 1\n",
         "c.out:2:1: the lines of the block are out of range: `a.go:1.1,16777217.2 1 1`"},
        {"mode: set\n\xff.go:1.1,1.2 1 1\n", "c.out:2:1: the block names no file"},
        {"mode: set\nmode: fast\n", "c.out:2:1: this is not `FILE:LINE.COLUMN,LINE.COLUMN "
                                    "STATEMENTS COUNT`: `mode: fast`"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        cr_expect_not(feed(&evidence, "c.out", rows[i].text, &err), "%s", rows[i].text);
        expect_error(&err, ERROR_INPUT, rows[i].want);
        cr_expect_eq(evidence.coverage.count, 0);
    }
}

Test(go_cover, other_modes_are_not_taken_for_one)
{
    static const char *const texts[] = {"mode: \n", "mode: fast\n", "\nmode: set\n", "mode set\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct error err = {0};
        cr_expect_not(feed(&evidence, "c.out", texts[i], &err));
        expect_contains(str_of(err.message), "no report that is known here");
    }
}
