// JaCoCo XML: groups of packages of source files; a line is covered when any instruction of it was.
// What stands under <class> is said again under <sourcefile>, and passed over. gcovr writes the
// format too, but without instructions: whether a line ran is not known there.
#include "gate/base/limits.h"
#include "gate/base/number.h"
#include "gate/base/text.h"
#include "gate/doc/xml.h"
#include "gate/reports/registry.h"

#include <stdio.h>

enum { LINES, BRANCHES, SUMS };
static const char *const counter_names[SUMS] = {"LINE", "BRANCH"};

struct share {
    uint64_t covered, total;
};

struct scope { // the report, a group, a package or a source file, while it is open
    char name[160];
    struct share plain[SUMS], united[SUMS], said[SUMS];
    bool has_said[SUMS];
    uint64_t silent; // lines that do not say whether they ran
};

struct reading {
    struct evidence *evidence;
    uint32_t report;
    struct arena arena; // of the stage
    struct xml *xml;
    struct covered_file stage;
    struct branch_count *branches;
    size_t branch_count, branch_room;
    struct scope scopes[LIMIT_DOC_DEPTH];
    unsigned scope_count;
    unsigned in_class; // depth of <class> and <method>
    bool in_package, in_file, homeless;
    struct text package, file_name;
    uint64_t file_from;
};

static bool holds(str s, const char *needle)
{
    return str_search(s, str_of(needle)) != STR_NONE;
}

static int recognise(const struct report_head *head)
{
    static const char *const typical[] = {
        "<sessioninfo ", "<package name=", "<group name=", "<counter type=", "<sourcefile name="};
    if (!head->is_xml || !str_is(head->xml.name, "report"))
        return 0;
    str prolog = str_first(head->bytes, (size_t)(head->xml.name.data - head->bytes.data));
    if (holds(prolog, "//JACOCO//DTD") || holds(prolog, "jacoco.org/jacoco/"))
        return 95;
    size_t seen = holds(head->xml.tag, "name=");
    for (size_t i = 0; i < sizeof typical / sizeof *typical; i++)
        seen += holds(head->xml.after, typical[i]);
    return seen >= 2 ? 90 : 0;
}

// Digits only; past 64 bits the largest number. `what` is an attribute of <`element`>.
static bool read_number(const char *element, const char *what, const char *value, uint64_t *ret,
                        struct error *err)
{
    if (value && number_u64_saturating(str_of(value), ret))
        return true;
    return error_set(err, ERROR_INPUT, "a <%s> has no usable `%s`%s%.40s", element, what,
                     value ? ": " : "", value ? value : "");
}

static bool open_scope(struct reading *r, const char *kind, const char *name)
{
    struct scope *scope = &r->scopes[r->scope_count++]; // the depth of the XML bounds them
    str shown = str_shorten(str_of(name), sizeof scope->name - 16);
    memset(scope, 0, sizeof *scope);
    (void)snprintf(scope->name, sizeof scope->name, "%s%s" STR_FMT, kind,
                   *kind && shown.len ? " " : "", STR_ARG(shown));
    return true;
}

static bool open_file(struct reading *r, const char *name, struct error *err)
{
    if (!name || !*name)
        return error_set(err, ERROR_INPUT, "a <sourcefile> has no `name`");
    if (r->in_file)
        return error_set(err, ERROR_INPUT, "a <sourcefile> stands inside another one");
    text_clear(&r->file_name);
    if (r->in_package)
        text_add(&r->file_name, text_str(&r->package));
    if (r->file_name.len)
        text_addc(&r->file_name, '/');
    text_adds(&r->file_name, name);
    if (text_full(&r->file_name) || text_full(&r->package))
        return error_set(err, ERROR_LIMIT, "the path of a <sourcefile> is longer than %u bytes",
                         LIMIT_PATH);
    r->in_file = true;
    r->file_from = xml_offset(r->xml);
    return open_scope(r, "", text_c(&r->file_name));
}

static bool add_branches(struct reading *r, uint32_t line, uint64_t missed, uint64_t covered,
                         struct error *err)
{
    if (missed > BRANCHES_MAX || covered > BRANCHES_MAX - missed)
        return error_set(err, ERROR_INPUT, "line %u has more than %u branches", line, BRANCHES_MAX);
    if (missed + covered == 0)
        return true;
    r->branches =
        arena_grow(&r->arena, r->branches, r->branch_count, &r->branch_room, sizeof *r->branches);
    r->branches[r->branch_count++] =
        (struct branch_count){line, (uint16_t)covered, (uint16_t)(missed + covered)};
    struct share *plain = &r->scopes[r->scope_count - 1].plain[BRANCHES];
    plain->covered += covered;
    plain->total += missed + covered;
    return true;
}

static bool open_line(struct reading *r, const char **attributes, struct error *err)
{
    const char *number = NULL, *ran = NULL, *missed = NULL, *branches[2] = {NULL, NULL};
    for (; *attributes; attributes += 2) { // the hot loop: all names have two letters
        const char *name = attributes[0];
        if (name[0] == '\0' || name[1] == '\0' || name[2] != '\0')
            continue;
        if (name[0] == 'n' && name[1] == 'r')
            number = attributes[1];
        else if (name[1] == 'i')
            *(name[0] == 'c' ? &ran : &missed) = attributes[1];
        else if (name[1] == 'b')
            branches[name[0] == 'c'] = attributes[1];
    }
    uint64_t line = 0, instructions = 0, count[2] = {0, 0};
    if (!read_number("line", "nr", number, &line, err) ||
        (ran && !read_number("line", "ci", ran, &instructions, err)) ||
        (missed && !read_number("line", "mi", missed, &(uint64_t){0}, err)) ||
        (branches[0] && !read_number("line", "mb", branches[0], &count[0], err)) ||
        (branches[1] && !read_number("line", "cb", branches[1], &count[1], err)))
        return false;
    if (!r->in_file) {
        r->homeless = true;
        return true;
    }
    if (line > LIMIT_SOURCE_LINE)
        return error_set(err, ERROR_INPUT, "line number %.40s is out of range (1 to %u)", number,
                         LIMIT_SOURCE_LINE);
    struct scope *scope = &r->scopes[r->scope_count - 1];
    bool hit = ran ? instructions > 0 : count[1] > 0; // a branch that was taken ran
    scope->silent += !ran && !hit;
    if (!covered_line(&r->arena, &r->stage, (uint32_t)line, hit, err))
        return false;
    scope->plain[LINES].total++;
    scope->plain[LINES].covered += hit;
    return add_branches(r, (uint32_t)line, count[0], count[1], err);
}

static bool open_counter(struct reading *r, const char **attributes, struct error *err)
{
    const char *type = xml_attribute(attributes, "type");
    uint64_t missed, covered;
    if (r->in_class || !type || r->scope_count == 0)
        return true;
    for (int i = 0; i < SUMS; i++) {
        struct scope *scope = &r->scopes[r->scope_count - 1];
        if (strcmp(type, counter_names[i]) != 0)
            continue;
        if (!read_number("counter", "missed", xml_attribute(attributes, "missed"), &missed, err) ||
            !read_number("counter", "covered", xml_attribute(attributes, "covered"), &covered, err))
            return false;
        uint64_t total = missed > UINT64_MAX - covered ? UINT64_MAX : missed + covered;
        scope->said[i] = (struct share){covered, total};
        scope->has_said[i] = true;
    }
    return true;
}

static bool is_share(struct share a, struct share b)
{
    return a.covered == b.covered && a.total == b.total;
}

static void compare(struct reading *r, const struct scope *scope)
{
    for (int i = 0; i < SUMS; i++) {
        struct share said = scope->said[i], united = scope->united[i];
        bool silent = i == LINES && scope->silent > 0 &&
                      (said.total == scope->plain[i].total || said.total == united.total);
        if (!scope->has_said[i] || silent || is_share(said, scope->plain[i]) ||
            is_share(said, united))
            continue;
        report_suspect(r->evidence, &r->evidence->reports[r->report],
                       "`%s` of %s says %llu of %llu, but it holds %llu of %llu", counter_names[i],
                       scope->name, (unsigned long long)said.covered,
                       (unsigned long long)said.total, (unsigned long long)united.covered,
                       (unsigned long long)united.total);
    }
}

// What the report as a whole says may also be the sum of what remains when its files were united.
static void compare_whole(struct reading *r, struct scope *scope)
{
    struct coverage_totals totals = coverage_totals(&r->evidence->coverage);
    scope->united[LINES] = (struct share){totals.lines_covered, totals.lines_total};
    scope->united[BRANCHES] = (struct share){totals.branches_covered, totals.branches_total};
    compare(r, scope);
    if (scope->silent)
        report_suspect(r->evidence, &r->evidence->reports[r->report],
                       "%llu of %llu lines do not say whether they ran (`ci` is missing): they "
                       "count as not covered",
                       (unsigned long long)scope->silent,
                       (unsigned long long)scope->plain[LINES].total);
}

static void close_scope(struct reading *r)
{
    struct scope *scope = &r->scopes[--r->scope_count];
    if (r->scope_count == 0) {
        compare_whole(r, scope);
        return;
    }
    struct scope *outer = scope - 1;
    compare(r, scope);
    for (int i = 0; i < SUMS; i++) {
        outer->plain[i].covered += scope->plain[i].covered;
        outer->plain[i].total += scope->plain[i].total;
        outer->united[i].covered += scope->united[i].covered;
        outer->united[i].total += scope->united[i].total;
    }
    outer->silent += scope->silent;
}

static bool close_file(struct reading *r, struct error *err)
{
    struct coverage_totals totals = {0};
    struct scope *scope = &r->scopes[r->scope_count - 1];
    struct covered_file *file = coverage_file(r->evidence, text_str(&r->file_name));
    covered_counts(&r->arena, &r->stage, r->branches, r->branch_count);
    covered_file_totals(&r->stage, &totals);
    scope->united[LINES] = (struct share){totals.lines_covered, totals.lines_total};
    scope->united[BRANCHES] = (struct share){totals.branches_covered, totals.branches_total};
    if (!coverage_unite(r->evidence, file, &r->stage, err))
        return false;
    coverage_range(r->evidence, file, r->report, r->file_from,
                   xml_offset(r->xml) + strlen("</sourcefile>"));
    covered_clear(&r->stage);
    r->branch_count = 0;
    r->in_file = false;
    close_scope(r);
    return true;
}

static bool on_open(void *context, const char *name, const char **attributes, struct error *err)
{
    struct reading *r = context;
    if (name[0] == 'l' && strcmp(name, "line") == 0)
        return open_line(r, attributes, err);
    if (name[0] == 'c' && strcmp(name, "counter") == 0)
        return open_counter(r, attributes, err);
    const char *own = xml_attribute(attributes, "name");
    if (xml_depth(r->xml) == 1 && strcmp(name, "report") != 0)
        return error_set(err, ERROR_INPUT, "the root element is <%s>, not <report>", name);
    if (strcmp(name, "class") == 0 || strcmp(name, "method") == 0)
        r->in_class++;
    else if (strcmp(name, "sourcefile") == 0)
        return open_file(r, own, err);
    else if (r->in_file)
        return true; // nothing else of ours stands in a source file
    else if (strcmp(name, "package") == 0) {
        if (!own || r->in_package)
            return error_set(err, ERROR_INPUT, "a <package> %s",
                             own ? "stands inside another one" : "has no `name`");
        r->in_package = true;
        text_clear(&r->package);
        text_adds(&r->package, own);
        return open_scope(r, "package", own);
    } else if (strcmp(name, "group") == 0)
        return open_scope(r, "group", own ? own : "");
    else if (strcmp(name, "report") == 0)
        return open_scope(r, "the report", "");
    return true;
}

static bool on_close(void *context, const char *name, struct error *err)
{
    struct reading *r = context;
    if (name[0] == 'l' || (name[0] == 'c' && name[1] == 'o'))
        return true;
    if (strcmp(name, "class") == 0 || strcmp(name, "method") == 0)
        r->in_class--;
    else if (strcmp(name, "sourcefile") == 0)
        return close_file(r, err);
    else if (r->in_file)
        return true;
    bool package = strcmp(name, "package") == 0;
    if (package || strcmp(name, "group") == 0 || strcmp(name, "report") == 0)
        close_scope(r);
    r->in_package = r->in_package && !package;
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
        report_suspect(r->evidence, report, "lines stand outside of any <sourcefile>: not counted");
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

const struct report_reader jacoco_reader = {
    .name = "jacoco",
    .title = "JaCoCo XML",
    .form = REPORT_XML,
    .kind = EVIDENCE_COVERAGE,
    .recognise = recognise,
    .open = open_reading,
    .feed = feed,
    .end = end,
    .close = close_reading,
};
