// Go's cover profile: "mode: set|count|atomic", then one block of statements a line. Every line of
// a block counts, the ones of its braces too; a line on which several blocks stand ran when any of
// them did. Profiles that were put together repeat blocks, and may repeat the mode.
//
//     mode: set
//     example.com/shop/pay/card.go:12.34,15.2 3 1      FILE:LINE.COLUMN,LINE.COLUMN STATEMENTS
//     COUNT
#include "gate/base/limits.h"
#include "gate/base/number.h"
#include "gate/base/text.h"
#include "gate/reports/lines.h"
#include "gate/reports/registry.h"

struct reading {
    struct evidence *evidence;
    uint32_t report;
    struct arena arena; // of the stage
    struct covered_file stage;
    struct text file_name; // of the stage; empty = none
    uint64_t from;         // of the stage's first block
    bool headed, any_line;
    struct lines input;
};

static bool is_mode(str line)
{
    return str_is(line, "mode: set") || str_is(line, "mode: count") || str_is(line, "mode: atomic");
}

static str without_end(str line)
{
    while (line.len && memchr("\r\t ", line.data[line.len - 1], 3))
        line.len--;
    return line;
}

static int recognise(const struct report_head *head)
{
    str rest = head->bytes, line;
    if (str_starts(rest, STR("\xef\xbb\xbf")))
        rest = str_from(rest, 3);
    return report_head_line(&rest, &line) && is_mode(without_end(line)) ? 95 : 0;
}

struct block {
    str file;
    uint64_t first, last, count;
};

// The number at the end of *s, which is cut off together with the character before it, that must
// be `before`. Past 64 bits the largest number.
static bool number_at_end(str *s, char before, uint64_t *ret)
{
    size_t n = s->len;
    while (n && s->data[n - 1] >= '0' && s->data[n - 1] <= '9')
        n--;
    if (n == 0 || s->data[n - 1] != before ||
        !number_u64_saturating(str_make(s->data + n, s->len - n), ret))
        return false;
    s->len = n - 1;
    return true;
}

// Read from its end, because a file's name may hold anything.
static bool block_of(str line, struct block *ret)
{
    uint64_t statements, column;
    str s = line;
    bool ok = number_at_end(&s, ' ', &ret->count) && number_at_end(&s, ' ', &statements) &&
              number_at_end(&s, '.', &column) && number_at_end(&s, ',', &ret->last) &&
              number_at_end(&s, '.', &column) && number_at_end(&s, ':', &ret->first) && s.len > 0;
    ret->file = s;
    return ok;
}

static bool close_stage(struct reading *r, uint64_t to, struct error *err)
{
    if (r->file_name.len == 0)
        return true;
    struct covered_file *file = coverage_file(r->evidence, text_str(&r->file_name));
    if (!coverage_unite(r->evidence, file, &r->stage, err))
        return false;
    coverage_range(r->evidence, file, r->report, r->from, to);
    covered_clear(&r->stage);
    text_clear(&r->file_name);
    return true;
}

static bool read_block(struct reading *r, str line, struct error *err)
{
    struct block block;
    if (!block_of(line, &block))
        return lines_refuse(&r->input, line, err,
                            "this is not `FILE:LINE.COLUMN,LINE.COLUMN STATEMENTS COUNT`");
    if (block.first == 0 || block.last > LIMIT_SOURCE_LINE || block.first > block.last)
        return lines_refuse(&r->input, line, err, "the lines of the block are out of range");
    if (!str_eq(block.file, text_str(&r->file_name))) {
        if (block.file.len >= LIMIT_PATH || !str_is_utf8(block.file))
            return lines_refuse(&r->input, line, err, "the block names no file");
        if (!close_stage(r, r->input.offset, err))
            return false;
        text_add(&r->file_name, block.file);
        r->from = r->input.offset;
    }
    r->any_line = true;
    return covered_lines(&r->arena, &r->stage, (uint32_t)block.first, (uint32_t)block.last,
                         block.count, err);
}

static bool on_line(void *context, str line, struct error *err)
{
    struct reading *r = context;
    line = without_end(line);
    if (is_mode(line)) {
        r->headed = true;
        return true;
    }
    if (!r->headed)
        return lines_refuse(&r->input, line, err, "the first line is not `mode: set|count|atomic`");
    return line.len == 0 || read_block(r, line, err);
}

// ---- plain lines --------------------------------------------------------------------------------
// A block of the file at hand, read where it stands. What is not exactly as expected is left to
// read_block.

enum { PLAIN_BYTES = 6 * (LINES_DIGITS + 1) };

// From behind `FILE:`; returns where the next line begins, or null.
static const char *plain_block(struct reading *r, const char *at)
{
    static const char after[] = {'.', ',', '.', ' ', ' ', '\n'};
    uint64_t numbers[sizeof after];
    for (size_t i = 0; i < sizeof after; i++) {
        const char *end = lines_number(at, &numbers[i]);
        if (end == at || *end != after[i])
            return NULL;
        at = end + 1;
    }
    uint64_t first = numbers[0], last = numbers[2];
    struct error ignored; // the range is checked before
    if (first == 0 || last > LIMIT_SOURCE_LINE || first > last ||
        !covered_lines(&r->arena, &r->stage, (uint32_t)first, (uint32_t)last, numbers[5], &ignored))
        return NULL;
    return at;
}

static size_t read_plain(void *context, str bytes, uint32_t *lines)
{
    struct reading *r = context;
    const char *at = bytes.data, *end = bytes.data + bytes.len;
    str name = text_str(&r->file_name);
    while (name.len && (size_t)(end - at) > name.len + PLAIN_BYTES && at[name.len] == ':' &&
           memcmp(at, name.data, name.len) == 0) {
        const char *next = plain_block(r, at + name.len + 1);
        if (!next)
            break;
        at = next;
        ++*lines;
    }
    return (size_t)(at - bytes.data);
}

static bool open_reading(struct evidence *evidence, uint32_t report, struct reading **ret,
                         struct error *err)
{
    (void)err;
    struct reading *r = memory_alloc(sizeof *r);
    r->evidence = evidence;
    r->report = report;
    r->file_name = text_of(LIMIT_PATH);
    r->input = lines_of(evidence->reports[report].path, on_line, r);
    r->input.plain = read_plain;
    *ret = r;
    return true;
}

static bool feed(struct reading *r, str bytes, struct error *err)
{
    return lines_feed(&r->input, bytes, err);
}

static bool end(struct reading *r, struct error *err)
{
    if (!lines_end(&r->input, err) || !close_stage(r, r->input.offset, err))
        return false;
    struct report *report = &r->evidence->reports[r->report];
    report->empty = !r->any_line;
    if (report->empty)
        report_suspect(r->evidence, report, "the report holds no line");
    return true;
}

static void close_reading(struct reading *r)
{
    text_done(&r->file_name);
    lines_done(&r->input);
    arena_done(&r->arena);
    memory_free(r);
}

const struct report_reader go_cover_reader = {
    .name = "go-cover",
    .title = "Go cover profile",
    .form = REPORT_LINES,
    .kind = EVIDENCE_COVERAGE,
    .record_end = "\n",
    .recognise = recognise,
    .open = open_reading,
    .feed = feed,
    .end = end,
    .close = close_reading,
};
