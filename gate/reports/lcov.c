// LCOV tracefiles: DA gives lines, BRDA branches with names; functions, MC/DC and versions are
// passed over. The format has no end mark of its own: whole records that are missing at its end
// cannot be seen, a record that is cut can.
#include "gate/base/limits.h"
#include "gate/base/text.h"
#include "gate/reports/lines.h"
#include "gate/reports/registry.h"

#include <endian.h>

enum { SAID_LF, SAID_LH, SAID_BRF, SAID_BRH, SAYINGS };

struct reading {
    struct evidence *evidence;
    uint32_t report;
    struct arena arena; // of the stage
    struct covered_file stage;
    struct branch_arm *arms;
    size_t arm_count, arm_room;
    uint64_t lines, lines_hit, arms_taken; // as listed in the record
    uint64_t said[SAYINGS];
    bool has_said[SAYINGS];
    struct text file_name; // of the open record
    bool in_record, any_line;
    bool headed; // a test name (TN) stands there, and its record has not begun
    uint64_t record_from;
    struct lines input;
};

// What may stand in a record besides what is read here.
static const char *const passed_over[] = {"TN:",  "FN:",   "FNDA:", "FNF:", "FNH:", "FNL:", "FNA:",
                                          "VER:", "MCDC:", "MCF:",  "MCH:", "KF:",  NULL};

static bool is_passed_over(str line)
{
    for (size_t i = 0; passed_over[i]; i++)
        if (str_starts(line, str_of(passed_over[i])))
            return true;
    return line.len == 0 || line.data[0] == '#';
}

static int recognise(const struct report_head *head)
{
    int score = 0;
    str rest = head->bytes, line;
    if (str_starts(rest, STR("\xef\xbb\xbf")))
        rest = str_from(rest, 3);
    while (report_head_line(&rest, &line)) {
        if (str_starts(line, STR("SF:")))
            return line.len > 3 ? 95 : 60;
        if (!is_passed_over(line))
            return 0;
        if (line.len && line.data[0] != '#')
            score = 60; // a test name alone: LCOV, but nothing in it so far
    }
    return score;
}

static bool refuse(struct reading *r, struct error *err, const char *what, str line)
{
    return lines_refuse(&r->input, line, err, what);
}

// Digits up to a comma or the end of the line; past 64 bits the largest number. Moves *s past them.
static bool digits(str *s, uint64_t *ret)
{
    uint64_t value = 0;
    size_t n = 0;
    for (; n < s->len; n++) {
        unsigned digit = (unsigned)(s->data[n] - '0');
        if (digit > 9)
            break;
        if (value > (UINT64_MAX - digit) / 10)
            value = UINT64_MAX;
        else
            value = value * 10 + digit;
    }
    if (n == 0 || (n < s->len && s->data[n] != ','))
        return false;
    *s = str_make(s->data + n, s->len - n);
    *ret = value;
    return true;
}

static bool skip_comma(str *s)
{
    if (s->len < 2 || s->data[0] != ',')
        return false;
    *s = str_make(s->data + 1, s->len - 1);
    return true;
}

static bool line_number(struct reading *r, str whole, uint64_t line, struct error *err)
{
    if (line >= 1 && line <= LIMIT_SOURCE_LINE)
        return true;
    return refuse(r, err, "the line number is out of range", whole);
}

static bool read_da(struct reading *r, str whole, struct error *err)
{
    str s = str_make(whole.data + 3, whole.len - 3);
    uint64_t line, hits;
    if (!digits(&s, &line) || !skip_comma(&s) || !digits(&s, &hits)) // a checksum may follow
        return refuse(r, err, "this is not `DA:LINE,HITS`", whole);
    if (!line_number(r, whole, line, err) ||
        !covered_line(&r->arena, &r->stage, (uint32_t)line, hits, err))
        return false;
    r->lines++;
    r->lines_hit += hits > 0;
    return true;
}

// BRDA:LINE,BLOCK,BRANCH,TAKEN. BLOCK and BRANCH are the name; BRANCH may hold commas.
static bool read_brda(struct reading *r, str whole, struct error *err)
{
    str s = str_make(whole.data + 5, whole.len - 5);
    uint64_t line, taken = 0;
    size_t last = str_find_last(s, ',');
    bool ok = digits(&s, &line) && skip_comma(&s);
    str name = ok ? str_make(s.data, (size_t)(whole.data + 5 + last - s.data)) : s;
    ok = ok && whole.data + 5 + last > s.data && str_find(name, ',') != STR_NONE;
    str count = ok ? str_make(name.data + name.len + 1, s.len - name.len - 1) : s;
    ok = ok && (str_is(count, "-") || (digits(&count, &taken) && count.len == 0));
    if (!ok)
        return refuse(r, err, "this is not `BRDA:LINE,BLOCK,BRANCH,TAKEN`", whole);
    if (!line_number(r, whole, line, err))
        return false;
    if (r->arm_count == LIMIT_FILE_PLACES)
        return error_set(err, ERROR_LIMIT, "a source file has more than %u branches",
                         LIMIT_FILE_PLACES);
    r->arms = arena_grow(&r->arena, r->arms, r->arm_count, &r->arm_room, sizeof *r->arms);
    r->arms[r->arm_count++] = (struct branch_arm){(uint32_t)line, branch_arm_of(name, taken > 0)};
    r->arms_taken += taken > 0;
    return true;
}

static bool read_saying(struct reading *r, str whole, size_t key, int what, struct error *err)
{
    str s = str_from(whole, key);
    if (!digits(&s, &r->said[what]) || s.len)
        return refuse(r, err, "a number is expected here", whole);
    r->has_said[what] = true;
    return true;
}

static bool open_record(struct reading *r, str whole, struct error *err)
{
    str name = str_from(whole, 3);
    if (r->in_record)
        return refuse(r, err, "a record begins before the end_of_record of the one before", whole);
    if (name.len == 0 || name.len >= LIMIT_PATH || !str_is_utf8(name))
        return refuse(r, err, "SF: names no file", whole);
    text_clear(&r->file_name);
    text_add(&r->file_name, name);
    r->in_record = true;
    r->headed = false;
    r->record_from = r->input.offset;
    return true;
}

static void compare(struct reading *r, const struct coverage_totals *totals)
{
    static const char *const names[SAYINGS] = {"LF", "LH", "BRF", "BRH"};
    const uint64_t plain[SAYINGS] = {r->lines, r->lines_hit, r->arm_count, r->arms_taken};
    const uint64_t united[SAYINGS] = {totals->lines_total, totals->lines_covered,
                                      totals->branches_total, totals->branches_covered};
    for (size_t i = 0; i < SAYINGS; i++)
        if (r->has_said[i] && r->said[i] != plain[i] && r->said[i] != united[i])
            report_suspect(r->evidence, &r->evidence->reports[r->report],
                           "line %u: %s of " STR_FMT " says %llu, but the record holds %llu",
                           r->input.number, names[i],
                           STR_ARG(str_first(text_str(&r->file_name), 200)),
                           (unsigned long long)r->said[i], (unsigned long long)united[i]);
}

static bool close_record(struct reading *r, str whole, struct error *err)
{
    struct coverage_totals totals = {0};
    if (!r->in_record)
        return refuse(r, err, "a record ends that did not begin", whole);
    covered_arms(&r->arena, &r->stage, r->arms, r->arm_count);
    covered_file_totals(&r->stage, &totals);
    compare(r, &totals);
    r->any_line |= totals.lines_total > 0;
    struct covered_file *file = coverage_file(r->evidence, text_str(&r->file_name));
    if (!coverage_unite(r->evidence, file, &r->stage, err))
        return false;
    coverage_range(r->evidence, file, r->report, r->record_from, r->input.offset + whole.len);
    covered_clear(&r->stage);
    r->arm_count = 0;
    r->lines = r->lines_hit = r->arms_taken = 0;
    memset(r->has_said, 0, sizeof r->has_said);
    r->in_record = false;
    return true;
}

static bool read_other(struct reading *r, str line, struct error *err)
{
    if (is_passed_over(line)) {
        r->headed |= str_starts(line, STR("TN:"));
        return true;
    }
    size_t n = 0;
    while (n < line.len && line.data[n] >= 'A' && line.data[n] <= 'Z')
        n++;
    bool a_key = n > 0 && n < line.len && line.data[n] == ':';
    if (r->in_record && !a_key)
        return refuse(r, err, "this line is not LCOV", line);
    if (!str_is_utf8(line))
        return refuse(r, err, "this line is not LCOV", line);
    report_suspect(r->evidence, &r->evidence->reports[r->report],
                   "line %u is unknown: `" STR_FMT "`", r->input.number,
                   STR_ARG(str_first(line, 60)));
    return true;
}

static bool read_line(struct reading *r, str line, struct error *err)
{
    static const struct {
        str key;
        int what;
    } sayings[] = {{STR_INIT("LF:"), SAID_LF},
                   {STR_INIT("LH:"), SAID_LH},
                   {STR_INIT("BRF:"), SAID_BRF},
                   {STR_INIT("BRH:"), SAID_BRH}};
    bool da = str_starts(line, STR("DA:"));
    if (da && r->in_record)
        return read_da(r, line, err);
    bool brda = !da && str_starts(line, STR("BRDA:"));
    if (brda && r->in_record)
        return read_brda(r, line, err);
    if (da || brda)
        return refuse(r, err, "this line stands outside of a record (SF: is missing)", line);
    if (str_starts(line, STR("SF:")))
        return open_record(r, line, err);
    if (str_is(line, "end_of_record"))
        return close_record(r, line, err);
    for (size_t i = 0; i < sizeof sayings / sizeof *sayings; i++)
        if (str_starts(line, sayings[i].key))
            return read_saying(r, line, sayings[i].key.len, sayings[i].what, err);
    return read_other(r, line, err);
}

static bool on_line(void *context, str line, struct error *err)
{
    while (line.len && memchr("\r\t ", line.data[line.len - 1], 3))
        line.len--;
    return read_line(context, line, err);
}

// ---- plain lines --------------------------------------------------------------------------------
// Nearly all lines of a large report, read where they stand. What is not exactly as expected is
// left to read_line, which knows what may be wrong with it.

enum { PLAIN_BYTES = 96, PASSED_BYTES = 4096 };
_Static_assert(PLAIN_BYTES > 4 * (LINES_DIGITS + 1) + 5, "a whole BRDA line fits");

// Hits up to the end of the line, eight bytes at once: only whether there are any matters. Returns
// where the line ends, or null: that is for lines_number.
static inline const char *plain_hits(const char *at, bool *ret)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), high = ones * 0x80;
    uint64_t word;
    memcpy(&word, at, sizeof word);
    word = le64toh(word);
    uint64_t unlike = word ^ ones * '\n', ends = (unlike - ones) & ~unlike & high;
    if (!ends)
        return NULL;
    unsigned bits = (unsigned)__builtin_ctzll(ends) - 7; // of the bytes before
    uint64_t before = (UINT64_C(1) << bits) - 1, digits = (word ^ ones * '0') & before;
    if (bits == 0 || ((digits + (ones * 0x76 & before)) | digits) & high)
        return NULL; // some byte is no digit
    *ret = digits != 0;
    return at + bits / 8;
}

// From behind `DA:`; returns where the next line begins, or null.
static inline const char *plain_da(struct reading *r, const char *from)
{
    struct covered_file *stage = &r->stage;
    uint64_t line, hits = 0;
    bool hit;
    const char *comma = lines_number(from, &line);
    if (*comma != ',' || line == 0 || line >= stage->lines_room || line > LIMIT_SOURCE_LINE)
        return NULL;
    const char *end = plain_hits(comma + 1, &hit);
    if (!end) {
        end = lines_number(comma + 1, &hits);
        if (*end != '\n' || end == comma + 1)
            return NULL;
        hit = hits > 0;
    }
    uint64_t bit = UINT64_C(1) << (line % 64);
    stage->known[line / 64] |= bit;
    covered_hit(stage)[line / 64] |= hit ? bit : 0;
    stage->last_line = line > stage->last_line ? (uint32_t)line : stage->last_line;
    r->lines++;
    r->lines_hit += hit;
    return end + 1;
}

// From behind `BRDA:`, where BLOCK and BRANCH are numbers.
static inline const char *plain_brda(struct reading *r, const char *from)
{
    uint64_t line, number, taken = 0;
    const char *name = lines_number(from, &line) + 1, *end = lines_number(name, &number);
    if (name[-1] != ',' || *end != ',' || line == 0 || line > LIMIT_SOURCE_LINE ||
        r->arm_count == r->arm_room || r->arm_count == LIMIT_FILE_PLACES)
        return NULL;
    end = lines_number(end + 1, &number);
    if (*end != ',')
        return NULL;
    str named = str_make(name, (size_t)(end - name));
    const char *count = end + 1;
    end = *count == '-' ? count + 1 : lines_number(count, &taken);
    if (*end != '\n' || end == count)
        return NULL;
    r->arms[r->arm_count++] = (struct branch_arm){(uint32_t)line, branch_arm_of(named, taken > 0)};
    r->arms_taken += taken > 0;
    return end + 1;
}

// Functions (FN, FNDA, FNL, FNA), which are passed over.
static inline const char *plain_function(const char *at, size_t left)
{
    bool known = at[2] == ':' || (at[3] == ':' && (at[2] == 'L' || at[2] == 'A')) ||
                 memcmp(at, "FNDA:", 5) == 0;
    if (!known)
        return NULL;
    const char *end = memchr(at, '\n', left < PASSED_BYTES ? left : PASSED_BYTES);
    return end ? end + 1 : NULL;
}

static size_t read_plain(void *context, str bytes, uint32_t *lines)
{
    struct reading *r = context;
    const char *at = bytes.data, *end = bytes.data + bytes.len;
    while (r->in_record && end - at >= PLAIN_BYTES) {
        const char *next = NULL;
        if (memcmp(at, "DA:", 3) == 0)
            next = plain_da(r, at + 3);
        else if (memcmp(at, "BRDA:", 5) == 0)
            next = plain_brda(r, at + 5);
        else if (memcmp(at, "FN", 2) == 0)
            next = plain_function(at, (size_t)(end - at));
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
    if (!lines_end(&r->input, err))
        return false;
    if (r->in_record)
        return error_at(err, ERROR_INPUT, (struct position){r->input.path, r->input.number, 0},
                        "the file ends inside the record of " STR_FMT ": end_of_record is missing",
                        STR_ARG(str_first(text_str(&r->file_name), 200)));
    struct report *report = &r->evidence->reports[r->report];
    report->empty = !r->any_line;
    if (report->empty)
        report_suspect(r->evidence, report, "the report holds no line");
    else if (r->headed)
        report_suspect(r->evidence, report,
                       "the file ends with a test name (TN) whose record is missing");
    return true;
}

static void close_reading(struct reading *r)
{
    text_done(&r->file_name);
    lines_done(&r->input);
    arena_done(&r->arena);
    memory_free(r);
}

const struct report_reader lcov_reader = {
    .name = "lcov",
    .title = "LCOV",
    .form = REPORT_LINES,
    .kind = EVIDENCE_COVERAGE,
    .record_end = "end_of_record",
    .recognise = recognise,
    .open = open_reading,
    .feed = feed,
    .end = end,
    .close = close_reading,
};
