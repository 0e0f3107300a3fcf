// Cobertura XML, as coverage.py, gcovr, coverlet, scoverage, Istanbul and others write it. A
// class's own <lines> count; those under its <methods> only where it has none of its own.
#include "gate/base/limits.h"
#include "gate/base/number.h"
#include "gate/base/text.h"
#include "gate/doc/xml.h"
#include "gate/reports/registry.h"
#include "gate/reports/xml_root.h"

#include <stdlib.h>
#include <strings.h>

struct counts {
    uint64_t lines, lines_hit, branches, branches_hit;
};

struct stage { // lines of one class, or of its methods
    struct covered_file lines;
    struct branch_count *branches;
    size_t branch_count, branch_room;
    struct counts counts;
};

enum { VALID_LINES, COVERED_LINES, VALID_BRANCHES, COVERED_BRANCHES, SAYINGS };
enum { RATE_LINES, RATE_BRANCHES, RATES };
static const char *const saying_names[SAYINGS] = {"lines-valid", "lines-covered", "branches-valid",
                                                  "branches-covered"};
static const char *const rate_names[RATES] = {"line-rate", "branch-rate"};

struct reading {
    struct evidence *evidence;
    uint32_t report;
    struct arena arena; // of the stages
    struct xml *xml;
    struct stage own, of_methods;
    str class_file; // null data = outside of a class
    struct text file_name;
    uint64_t class_from;
    unsigned methods; // depth of <methods>
    struct text source;
    bool in_source, root_seen, homeless;
    struct counts plain;
    uint64_t said[SAYINGS]; // by the root's attributes
    bool has_said[SAYINGS];
    char rates[RATES][24]; // as written; empty = not said
};

static int recognise(const struct report_head *head)
{
    struct xml_root root = head->xml;
    if (!head->is_xml || !str_is(root.name, "coverage"))
        return 0;
    if (str_search(root.tag, STR("clover=")) != STR_NONE ||
        str_search(root.after, STR("<project")) != STR_NONE)
        return 0; // Clover has the same root element
    bool typical = str_search(root.tag, STR("line-rate=")) != STR_NONE ||
                   str_search(root.tag, STR("lines-valid=")) != STR_NONE ||
                   str_search(root.after, STR("<packages")) != STR_NONE ||
                   str_search(root.after, STR("<sources")) != STR_NONE;
    return typical ? 95 : 0;
}

// Digits only, the whole of `s`; past 64 bits it stays at the largest number.
static bool digits(const char *s, uint64_t *ret)
{
    uint64_t value = 0;
    if (*s == '\0')
        return false;
    for (; *s; s++) {
        unsigned digit = (unsigned)(*s - '0');
        if (digit > 9)
            return false;
        if (value > (UINT64_MAX - digit) / 10)
            value = UINT64_MAX;
        else
            value = value * 10 + digit;
    }
    *ret = value;
    return true;
}

static bool open_root(struct reading *r, const char *name, const char **attributes,
                      struct error *err)
{
    if (strcmp(name, "coverage") != 0)
        return error_set(err, ERROR_INPUT, "the root element is <%s>, not <coverage>", name);
    r->root_seen = true;
    for (size_t i = 0; i < SAYINGS; i++) { // "NaN" and "1.0" are said by some, and say nothing
        const char *value = xml_attribute(attributes, saying_names[i]);
        r->has_said[i] = value && digits(value, &r->said[i]);
    }
    for (size_t i = 0; i < RATES; i++) {
        const char *value = xml_attribute(attributes, rate_names[i]);
        if (value && strlen(value) < sizeof r->rates[i])
            memcpy(r->rates[i], value, strlen(value) + 1);
    }
    return true;
}

static bool open_class(struct reading *r, const char **attributes, struct error *err)
{
    const char *file = xml_attribute(attributes, "filename");
    if (!file || !*file)
        return error_set(err, ERROR_INPUT, "a <class> has no `filename`");
    if (r->class_file.data)
        return error_set(err, ERROR_INPUT, "a <class> stands inside another one");
    if (strlen(file) >= LIMIT_PATH)
        return error_set(err, ERROR_LIMIT, "a `filename` is longer than %u bytes", LIMIT_PATH);
    text_clear(&r->file_name);
    text_adds(&r->file_name, file);
    r->class_file = text_str(&r->file_name);
    r->class_from = xml_offset(r->xml);
    return true;
}

static bool is_true(const char *value)
{
    return value[0] == 't' ? strcmp(value, "true") == 0 : strcasecmp(value, "true") == 0;
}

// "50% (1/2)": the two numbers in parentheses. A percentage alone says nothing about how many.
static bool add_branches(struct stage *stage, struct arena *arena, uint32_t line,
                         const char *condition, struct error *err)
{
    const char *open = strchr(condition, '(');
    char *end = NULL;
    if (!open)
        return true;
    unsigned long covered = strtoul(open + 1, &end, 10);
    unsigned long total = *end == '/' ? strtoul(end + 1, &end, 10) : 0;
    if (*end != ')' || open[1] < '0' || open[1] > '9' || covered > total || total > BRANCHES_MAX)
        return error_set(err, ERROR_INPUT, "`condition-coverage=\"%.60s\"` is not \"50%% (1/2)\"",
                         condition);
    if (total == 0)
        return true;
    stage->branches = arena_grow(arena, stage->branches, stage->branch_count, &stage->branch_room,
                                 sizeof *stage->branches);
    stage->branches[stage->branch_count++] =
        (struct branch_count){line, (uint16_t)covered, (uint16_t)total};
    stage->counts.branches += total;
    stage->counts.branches_hit += covered;
    return true;
}

static bool open_line(struct reading *r, const char **attributes, struct error *err)
{
    const char *number = NULL, *hits = NULL, *branch = NULL, *condition = NULL;
    for (; *attributes; attributes += 2) { // the hot loop: one look at the first letter
        const char *name = attributes[0];
        if (name[0] == 'n' && strcmp(name, "number") == 0)
            number = attributes[1];
        else if (name[0] == 'h' && strcmp(name, "hits") == 0)
            hits = attributes[1];
        else if (name[0] == 'b' && strcmp(name, "branch") == 0)
            branch = attributes[1];
        else if (name[0] == 'c' && strcmp(name, "condition-coverage") == 0)
            condition = attributes[1];
    }
    uint64_t line = 0, count = 0;
    if (!number || !digits(number, &line))
        return error_set(err, ERROR_INPUT, "a <line> has no usable `number`%s%.40s",
                         number ? ": " : "", number ? number : "");
    if (!hits || !digits(hits, &count))
        return error_set(err, ERROR_INPUT, "line %s has no usable `hits`%s%.40s", number,
                         hits ? ": " : "", hits ? hits : "");
    if (!r->class_file.data) {
        r->homeless = true;
        return true;
    }
    struct stage *stage = r->methods ? &r->of_methods : &r->own;
    if (line > LIMIT_SOURCE_LINE)
        return error_set(err, ERROR_INPUT, "line number %s is out of range (1 to %u)", number,
                         LIMIT_SOURCE_LINE);
    if (!covered_line(&r->arena, &stage->lines, (uint32_t)line, count, err))
        return false;
    stage->counts.lines++;
    stage->counts.lines_hit += count > 0;
    if (branch && condition && is_true(branch))
        return add_branches(stage, &r->arena, (uint32_t)line, condition, err);
    return true;
}

static void stage_clear(struct stage *stage)
{
    covered_clear(&stage->lines);
    stage->branch_count = 0;
    stage->counts = (struct counts){0};
}

static bool close_class(struct reading *r, struct error *err)
{
    struct stage *stage = r->own.counts.lines ? &r->own : &r->of_methods;
    struct covered_file *file = coverage_file(r->evidence, r->class_file);
    covered_counts(&r->arena, &stage->lines, stage->branches, stage->branch_count);
    if (!coverage_unite(r->evidence, file, &stage->lines, err))
        return false;
    coverage_range(r->evidence, file, r->report, r->class_from,
                   xml_offset(r->xml) + strlen("</class>"));
    r->plain.lines += stage->counts.lines;
    r->plain.lines_hit += stage->counts.lines_hit;
    r->plain.branches += stage->counts.branches;
    r->plain.branches_hit += stage->counts.branches_hit;
    stage_clear(&r->own);
    stage_clear(&r->of_methods);
    r->class_file = (str){NULL, 0};
    return true;
}

static bool on_open(void *context, const char *name, const char **attributes, struct error *err)
{
    struct reading *r = context;
    if (name[0] == 'l' && strcmp(name, "line") == 0)
        return open_line(r, attributes, err);
    if (!r->root_seen)
        return open_root(r, name, attributes, err);
    if (strcmp(name, "class") == 0)
        return open_class(r, attributes, err);
    if (strcmp(name, "methods") == 0)
        r->methods++;
    else if (strcmp(name, "source") == 0)
        r->in_source = true;
    return true;
}

static bool on_close(void *context, const char *name, struct error *err)
{
    struct reading *r = context;
    if (name[0] == 'l')
        return true;
    if (strcmp(name, "class") == 0)
        return close_class(r, err);
    if (strcmp(name, "methods") == 0) {
        r->methods--;
    } else if (strcmp(name, "source") == 0) {
        str source = str_trim(text_str(&r->source));
        if (text_full(&r->source))
            return error_set(err, ERROR_LIMIT, "a <source> is longer than %u bytes", LIMIT_PATH);
        if (source.len)
            report_source(r->evidence, &r->evidence->reports[r->report], source);
        text_clear(&r->source);
        r->in_source = false;
    }
    return true;
}

static bool on_text(void *context, str text, struct error *err)
{
    struct reading *r = context;
    (void)err;
    if (r->in_source)
        text_add(&r->source, text);
    return true;
}

static bool open_reading(struct evidence *evidence, uint32_t report, struct reading **ret,
                         struct error *err)
{
    (void)err;
    struct reading *r = memory_alloc(sizeof *r);
    struct xml_handler handler = {
        .open = on_open, .close = on_close, .text = on_text, .context = r};
    r->evidence = evidence;
    r->report = report;
    r->source = text_of(LIMIT_PATH);
    r->file_name = text_of(LIMIT_PATH);
    r->xml = xml_open(evidence->reports[report].path, &handler);
    *ret = r;
    return true;
}

static bool feed(struct reading *r, str bytes, struct error *err)
{
    return xml_feed(r->xml, bytes, err);
}

static void compare_count(struct reading *r, int what, uint64_t plain, uint64_t united)
{
    struct report *report = &r->evidence->reports[r->report];
    if (r->has_said[what] && r->said[what] != plain && r->said[what] != united)
        report_suspect(r->evidence, report, "`%s` says %llu, but the file holds %llu",
                       saying_names[what], (unsigned long long)r->said[what],
                       (unsigned long long)united);
}

// A rate is believed within one unit of its last digit; it matters only where no count is said.
static void compare_rate(struct reading *r, int what, uint64_t hit, uint64_t total)
{
    double said = 0;
    const char *text = r->rates[what];
    const char *point = strchr(text, '.');
    size_t decimals = point ? strlen(point + 1) : 0;
    if (total == 0 || !number_double(str_of(text), &said))
        return;
    double unit = decimals ? 1 : 0.005, off = (double)hit / (double)total - said;
    for (size_t i = 0; i < decimals && i < 6; i++)
        unit /= 10;
    if ((off < 0 ? -off : off) > unit * 1.0001)
        report_suspect(r->evidence, &r->evidence->reports[r->report],
                       "`%s` says %s, but the file holds %llu of %llu", rate_names[what], text,
                       (unsigned long long)hit, (unsigned long long)total);
}

static void compare(struct reading *r)
{
    struct coverage_totals totals = coverage_totals(&r->evidence->coverage);
    compare_count(r, VALID_LINES, r->plain.lines, totals.lines_total);
    compare_count(r, COVERED_LINES, r->plain.lines_hit, totals.lines_covered);
    compare_count(r, VALID_BRANCHES, r->plain.branches, totals.branches_total);
    compare_count(r, COVERED_BRANCHES, r->plain.branches_hit, totals.branches_covered);
    if (!r->has_said[VALID_LINES])
        compare_rate(r, RATE_LINES, totals.lines_covered, totals.lines_total);
    if (!r->has_said[VALID_BRANCHES])
        compare_rate(r, RATE_BRANCHES, totals.branches_covered, totals.branches_total);
    struct report *report = &r->evidence->reports[r->report];
    if (r->homeless)
        report_suspect(r->evidence, report, "lines stand outside of any <class>: not counted");
    report->empty = totals.lines_total == 0;
    if (report->empty)
        report_suspect(r->evidence, report, "the report holds no line");
}

static bool end(struct reading *r, struct error *err)
{
    if (!xml_end(r->xml, err))
        return false;
    compare(r);
    return true;
}

static void close_reading(struct reading *r)
{
    xml_close(r->xml);
    text_done(&r->source);
    text_done(&r->file_name);
    arena_done(&r->arena);
    memory_free(r);
}

const struct report_reader cobertura_reader = {
    .name = "cobertura",
    .title = "Cobertura XML",
    .form = REPORT_XML,
    .kind = EVIDENCE_COVERAGE,
    .recognise = recognise,
    .open = open_reading,
    .feed = feed,
    .end = end,
    .close = close_reading,
};
