// Clover XML, as Clover and OpenClover, PHPUnit, Istanbul and gcovr write it. Every <line> of a
// <file> counts, wherever in it it stands. What stands under <testproject> is the coverage of the
// tests' own sources, and passed over.
//
// Two dialects differ in a `cond` line. Clover's `truecount` and `falsecount` say how often the
// condition was true and false: two branches. Istanbul's say how many branches of the line were
// covered and how many were missed, and have a `count` beside them. What the file's <metrics> say
// decides; where they say nothing it is taken for Clover's.
#include "gate/base/limits.h"
#include "gate/base/number.h"
#include "gate/base/text.h"
#include "gate/doc/xml.h"
#include "gate/reports/clover_metrics.h"
#include "gate/reports/registry.h"

#include <stdlib.h>

struct condition {
    uint32_t line;
    bool has_count;
    uint64_t trues, falses;
};

struct reading {
    struct evidence *evidence;
    uint32_t report;
    struct arena arena; // of the stage
    struct xml *xml;
    struct covered_file stage;
    struct condition *conditions;
    size_t condition_count, condition_room;
    struct branch_count *branches;
    size_t branch_room;
    struct metrics scopes[LIMIT_DOC_DEPTH]; // <project>, <package>s and <file> that are open
    unsigned scope_count;
    unsigned in_class, skip; // depth of <class>; of <testproject> in the document, 0 = outside
    bool in_file, homeless, like_istanbul;
    struct text package, file_name;
    size_t package_lens[LIMIT_DOC_DEPTH]; // of `package` before each open <package>
    unsigned package_count;
    uint64_t file_from;
};

static int recognise(const struct report_head *head)
{
    struct xml_root root = head->xml;
    if (!head->is_xml || !str_is(root.name, "coverage") ||
        str_search(root.tag, STR("line-rate=")) != STR_NONE ||
        str_search(root.tag, STR("lines-valid=")) != STR_NONE)
        return 0; // Cobertura has the same root element
    int seen = (str_search(root.tag, STR("clover=")) != STR_NONE) +
               (str_search(root.tag, STR("generated=")) != STR_NONE) +
               (str_search(root.after, STR("<project")) != STR_NONE);
    return seen >= 2 ? 95 : 0;
}

// Digits only; past 64 bits the largest number.
static bool read_number(const char *what, const char *value, uint64_t *ret, struct error *err)
{
    if (value && number_u64_saturating(str_of(value), ret))
        return true;
    return error_set(err, ERROR_INPUT, "a <line> has no usable `%s`%s%.40s", what,
                     value ? ": " : "", value ? value : "");
}

// A bare file name lies in its package; Java's have dots between folders, PHP's backslashes.
static void add_package(struct reading *r, const char *name)
{
    r->package_lens[r->package_count++] = r->package.len;
    str outer = text_str(&r->package);
    struct text folder = text_of(LIMIT_PATH);
    for (const char *c = name; *c; c++)
        text_addc(&folder, (char)(*c == '.' || *c == '\\' ? '/' : *c));
    // An inner package says its whole name, or what it adds to the outer one's.
    str inner = text_str(&folder);
    bool whole = str_starts(inner, outer) &&
                 (outer.len == 0 || inner.len == outer.len || inner.data[outer.len] == '/');
    if (!whole)
        text_addc(&r->package, '/');
    text_add(&r->package, whole ? str_from(inner, outer.len) : inner);
    text_done(&folder);
}

static struct metrics *open_scope(struct reading *r, const char *kind, const char *name)
{
    struct metrics *scope = &r->scopes[r->scope_count++]; // the depth of the XML bounds them
    metrics_init(scope, kind, name);
    return scope;
}

static bool open_file(struct reading *r, const char **attributes, struct error *err)
{
    const char *path = xml_attribute(attributes, "path");
    const char *name = xml_attribute(attributes, "name");
    if (r->in_file)
        return error_set(err, ERROR_INPUT, "a <file> stands inside another one");
    text_clear(&r->file_name);
    if (path && *path) {
        text_adds(&r->file_name, path);
    } else if (name && *name) {
        bool bare = !strchr(name, '/') && !strchr(name, '\\');
        if (bare && r->package.len) {
            text_add(&r->file_name, text_str(&r->package));
            text_addc(&r->file_name, '/');
        }
        text_adds(&r->file_name, name);
    } else {
        return error_set(err, ERROR_INPUT, "a <file> has neither `path` nor `name`");
    }
    if (text_full(&r->file_name) || text_full(&r->package))
        return error_set(err, ERROR_LIMIT, "the path of a <file> is longer than %u bytes",
                         LIMIT_PATH);
    r->in_file = true;
    r->file_from = xml_offset(r->xml);
    (void)open_scope(r, "", text_c(&r->file_name));
    return true;
}

static void add_condition(struct reading *r, struct condition one)
{
    r->conditions = arena_grow(&r->arena, r->conditions, r->condition_count, &r->condition_room,
                               sizeof *r->conditions);
    r->conditions[r->condition_count++] = one;
}

struct line {
    const char *number, *count, *type, *trues, *falses;
};

static struct line line_of(const char **attributes)
{
    struct line line = {0};
    for (; *attributes; attributes += 2) { // the hot loop: one look at the first letter
        const char *name = attributes[0];
        if (name[0] == 'n' && strcmp(name, "num") == 0)
            line.number = attributes[1];
        else if (name[0] == 'c' && strcmp(name, "count") == 0)
            line.count = attributes[1];
        else if (name[0] == 't' && strcmp(name, "type") == 0)
            line.type = attributes[1];
        else if (name[0] == 't' && strcmp(name, "truecount") == 0)
            line.trues = attributes[1];
        else if (name[0] == 'f' && strcmp(name, "falsecount") == 0)
            line.falses = attributes[1];
    }
    return line;
}

static bool open_line(struct reading *r, const char **attributes, struct error *err)
{
    struct line said = line_of(attributes);
    struct condition one = {.has_count = said.count != NULL};
    uint64_t line = 0, count = 0;
    bool is_condition = said.type && strcmp(said.type, "cond") == 0;
    if (!read_number("num", said.number, &line, err) ||
        ((said.count || !is_condition) && !read_number("count", said.count, &count, err)) ||
        (is_condition && (!read_number("truecount", said.trues, &one.trues, err) ||
                          !read_number("falsecount", said.falses, &one.falses, err))))
        return false;
    if (!r->in_file) {
        r->homeless = true;
        return true;
    }
    if (line > LIMIT_SOURCE_LINE)
        return error_set(err, ERROR_INPUT, "line number %.40s is out of range (1 to %u)",
                         said.number, LIMIT_SOURCE_LINE);
    bool hit = said.count ? count > 0 : one.trues > 0 || one.falses > 0;
    struct metrics *scope = &r->scopes[r->scope_count - 1];
    struct metrics_share *listed = &scope->listed[METRICS_STATEMENTS];
    if (is_condition)
        listed = &scope->conditions;
    else if (said.type && strcmp(said.type, "method") == 0)
        listed = &scope->listed[METRICS_METHODS];
    listed->total++;
    listed->covered += hit;
    one.line = (uint32_t)line;
    if (is_condition)
        add_condition(r, one);
    return covered_line(&r->arena, &r->stage, one.line, hit, err);
}

static int by_line(const void *a, const void *b)
{
    const struct condition *x = a, *y = b;
    return (x->line > y->line) - (x->line < y->line);
}

// How many branches of a condition there are, and how many were covered.
static struct metrics_share branches_of(const struct condition *one, bool counted)
{
    if (counted)
        return (struct metrics_share){one->trues, one->trues + one->falses};
    return (struct metrics_share){(one->trues > 0 ? 1u : 0u) + (one->falses > 0 ? 1u : 0u), 2};
}

static bool is_counted(const struct reading *r)
{
    const struct metrics *scope = &r->scopes[r->scope_count - 1];
    struct metrics_share sums[2] = {0};
    bool has_count = true;
    for (size_t i = 0; i < r->condition_count; i++) {
        const struct condition *one = &r->conditions[i];
        if (one->trues > BRANCHES_MAX || one->falses > BRANCHES_MAX - one->trues)
            return false; // a line has no such number of branches
        has_count = has_count && one->has_count;
        for (int counted = 0; counted < 2; counted++) {
            struct metrics_share share = branches_of(one, counted);
            sums[counted].covered += share.covered;
            sums[counted].total += share.total;
        }
    }
    bool times = metrics_say_branches(scope, sums[0], false);
    bool branches = metrics_say_branches(scope, sums[1], false);
    if (times != branches)
        return branches;
    return has_count && (branches || metrics_say_branches(scope, sums[1], true));
}

static uint16_t at_most(uint64_t branches)
{
    return branches > BRANCHES_MAX ? BRANCHES_MAX : (uint16_t)branches;
}

// The conditions of one line add up: each is another one of the same source.
static void take_branches(struct reading *r)
{
    size_t count = 0;
    bool counted = is_counted(r);
    struct metrics_share *sum = &r->scopes[r->scope_count - 1].listed[METRICS_BRANCHES];
    for (size_t i = 1; i < r->condition_count; i++) {
        if (r->conditions[i - 1].line <= r->conditions[i].line)
            continue;
        qsort(r->conditions, r->condition_count, sizeof *r->conditions, by_line);
        break;
    }
    for (size_t i = 0; i < r->condition_count; i++) {
        struct metrics_share share = branches_of(&r->conditions[i], counted);
        uint32_t line = r->conditions[i].line;
        sum->covered += share.covered;
        sum->total += share.total;
        if (count && r->branches[count - 1].line == line) {
            share.covered += r->branches[count - 1].covered;
            share.total += r->branches[count - 1].total;
            count--;
        }
        r->branches =
            arena_grow(&r->arena, r->branches, count, &r->branch_room, sizeof *r->branches);
        if (share.total > 0)
            r->branches[count++] =
                (struct branch_count){line, at_most(share.covered), at_most(share.total)};
    }
    covered_counts(&r->arena, &r->stage, r->branches, count);
}

static void close_scope(struct reading *r)
{
    struct metrics *scope = &r->scopes[--r->scope_count];
    struct metrics *outer = r->scope_count ? scope - 1 : NULL;
    metrics_close(scope, outer, r->like_istanbul, r->evidence, &r->evidence->reports[r->report]);
}

static bool close_file(struct reading *r, struct error *err)
{
    struct metrics *scope = &r->scopes[r->scope_count - 1];
    struct coverage_totals totals = {0};
    struct covered_file *file = coverage_file(r->evidence, text_str(&r->file_name));
    take_branches(r);
    covered_file_totals(&r->stage, &totals);
    scope->united = (struct metrics_share){totals.lines_covered, totals.lines_total};
    if (!coverage_unite(r->evidence, file, &r->stage, err))
        return false;
    coverage_range(r->evidence, file, r->report, r->file_from,
                   xml_offset(r->xml) + strlen("</file>"));
    covered_clear(&r->stage);
    r->condition_count = 0;
    r->in_file = false;
    close_scope(r);
    return true;
}

static bool open_root(struct reading *r, const char *name, const char **attributes,
                      struct error *err)
{
    const char *version = xml_attribute(attributes, "clover");
    if (strcmp(name, "coverage") != 0)
        return error_set(err, ERROR_INPUT, "the root element is <%s>, not <coverage>", name);
    r->like_istanbul = version && strcmp(version, "3.2.0") == 0; // what it always writes
    return true;
}

static bool on_open(void *context, const char *name, const char **attributes, struct error *err)
{
    struct reading *r = context;
    if (r->skip)
        return true;
    if (name[0] == 'l' && strcmp(name, "line") == 0)
        return open_line(r, attributes, err);
    const char *own = xml_attribute(attributes, "name");
    if (xml_depth(r->xml) == 1)
        return open_root(r, name, attributes, err);
    if (strcmp(name, "file") == 0)
        return open_file(r, attributes, err);
    if (strcmp(name, "class") == 0)
        r->in_class++;
    else if (strcmp(name, "metrics") == 0 && !r->in_class && r->scope_count)
        metrics_say(&r->scopes[r->scope_count - 1], attributes);
    else if (r->in_file)
        return true;
    else if (strcmp(name, "testproject") == 0)
        r->skip = xml_depth(r->xml);
    else if (strcmp(name, "project") == 0)
        (void)open_scope(r, "the project", "");
    else if (strcmp(name, "package") == 0) {
        add_package(r, own ? own : "");
        (void)open_scope(r, "package", own ? own : "");
    }
    return true;
}

static bool on_close(void *context, const char *name, struct error *err)
{
    struct reading *r = context;
    if (r->skip) {
        if (r->skip == xml_depth(r->xml))
            r->skip = 0;
        return true;
    }
    if (name[0] == 'l')
        return true;
    if (strcmp(name, "file") == 0)
        return close_file(r, err);
    if (strcmp(name, "class") == 0)
        r->in_class--;
    else if (r->in_file)
        return true;
    bool package = strcmp(name, "package") == 0;
    if (package)
        r->package.len = r->package_lens[--r->package_count];
    if (package || strcmp(name, "project") == 0)
        close_scope(r);
    return true;
}

static bool open_reading(struct evidence *evidence, uint32_t report, struct reading **ret,
                         struct error *err)
{
    (void)err;
    struct reading *r = memory_alloc(sizeof *r);
    struct xml_handler handler = {.open = on_open, .close = on_close, .context = r};
    r->evidence = evidence;
    r->report = report;
    r->package = text_of(LIMIT_PATH);
    r->file_name = text_of(LIMIT_PATH - 1);
    r->xml = xml_open(evidence->reports[report].path, &handler);
    *ret = r;
    return true;
}

static bool feed(struct reading *r, str bytes, struct error *err)
{
    return xml_feed(r->xml, bytes, err);
}

static bool end(struct reading *r, struct error *err)
{
    if (!xml_end(r->xml, err))
        return false;
    struct report *report = &r->evidence->reports[r->report];
    if (r->homeless)
        report_suspect(r->evidence, report, "lines stand outside of any <file>: not counted");
    report->empty = coverage_totals(&r->evidence->coverage).lines_total == 0;
    if (report->empty)
        report_suspect(r->evidence, report, "the report holds no line");
    return true;
}

static void close_reading(struct reading *r)
{
    xml_close(r->xml);
    text_done(&r->package);
    text_done(&r->file_name);
    arena_done(&r->arena);
    memory_free(r);
}

const struct report_reader clover_reader = {
    .name = "clover",
    .title = "Clover XML",
    .form = REPORT_XML,
    .kind = EVIDENCE_COVERAGE,
    .recognise = recognise,
    .open = open_reading,
    .feed = feed,
    .end = end,
    .close = close_reading,
};
