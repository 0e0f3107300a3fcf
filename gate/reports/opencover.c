// OpenCover XML, as OpenCover, coverlet and AltCover write it. A sequence point counts for its
// first line, a branch point for the line that it names (older writers name none: the last sequence
// point before it in the method). Modules, classes and methods that were skipped are passed over.
#include "gate/base/limits.h"
#include "gate/base/number.h"
#include "gate/base/text.h"
#include "gate/doc/xml.h"
#include "gate/reports/opencover_module.h"
#include "gate/reports/registry.h"

enum { HIDDEN_LINE = 0xFEEFEE }; // a compiler's mark of a point that stands for no source

struct reading {
    struct evidence *evidence;
    uint32_t report;
    struct xml *xml;
    struct opencover_files files; // of the module at hand
    struct opencover_method method;
    struct arena arena; // of the stage
    struct covered_file stage;
    struct branch_arm *arms;
    size_t arm_count, arm_room;
    uint64_t file; // uid of the stage's file
    str file_name; // null data = the stage is empty
    uint64_t from; // where the stage's first method begins
    struct opencover_scope scopes[OPENCOVER_SCOPES];
    unsigned scope_count, skip; // skip: depth of what was skipped, 0 = nothing
    uint64_t modules, modules_skipped;
    uint64_t homeless; // points of no file
    uint64_t method_from;
    bool in_name;
};

static int recognise(const struct report_head *head)
{
    if (!head->is_xml || !str_is(head->xml.name, "CoverageSession"))
        return 0;
    bool typical = str_search(head->xml.after, STR("<Modules")) != STR_NONE ||
                   str_search(head->xml.after, STR("<Summary")) != STR_NONE;
    return typical ? 95 : 0;
}

// Digits only; past 64 bits the largest number.
static bool read_number(const char *element, const char *what, const char *value, uint64_t *ret,
                        struct error *err)
{
    if (value && number_u64_saturating(str_of(value), ret))
        return true;
    return error_set(err, ERROR_INPUT, "a <%s> has no usable `%s`%s%.40s", element, what,
                     value ? ": " : "", value ? value : "");
}

static uint64_t offset_here(const struct reading *r)
{
    return xml_offset(r->xml);
}

// What was gathered of one file goes into the evidence.
static bool close_stage(struct reading *r, uint64_t to, struct error *err)
{
    if (!r->file_name.data)
        return true;
    struct covered_file *file = coverage_file(r->evidence, r->file_name);
    covered_arms(&r->arena, &r->stage, r->arms, r->arm_count);
    if (!coverage_unite(r->evidence, file, &r->stage, err))
        return false;
    coverage_range(r->evidence, file, r->report, r->from, to);
    covered_clear(&r->stage);
    r->arm_count = 0;
    r->file_name = (str){NULL, 0};
    return true;
}

// The stage is that of this file from now on; *ret is false when there is no such file.
static bool enter_file(struct reading *r, uint64_t uid, bool *ret, struct error *err)
{
    *ret = true;
    if (r->file_name.data && r->file == uid)
        return true;
    str name = opencover_files_find(&r->files, uid);
    if (!name.data) {
        r->homeless++;
        *ret = false;
        return true;
    }
    if (!close_stage(r, offset_here(r), err))
        return false;
    r->file = uid;
    r->file_name = name;
    r->from = r->method_from;
    return true;
}

struct point {
    const char *visits, *line, *file, *offset, *ordinal, *path;
};

static struct point point_of(const char **attributes)
{
    struct point point = {0};
    for (; *attributes; attributes += 2) { // the hot loop: one look at the first letter
        const char *name = attributes[0];
        if (name[0] == 'v' && strcmp(name, "vc") == 0)
            point.visits = attributes[1];
        else if (name[0] == 's' && strcmp(name, "sl") == 0)
            point.line = attributes[1];
        else if (name[0] == 'f' && strcmp(name, "fileid") == 0)
            point.file = attributes[1];
        else if (name[0] == 'o' && strcmp(name, "offset") == 0)
            point.offset = attributes[1];
        else if (name[0] == 'o' && strcmp(name, "ordinal") == 0)
            point.ordinal = attributes[1];
        else if (name[0] == 'p' && strcmp(name, "path") == 0)
            point.path = attributes[1];
    }
    return point;
}

// The file that a point names, else the method's.
static bool file_of(const struct reading *r, const char *element, const struct point *point,
                    uint64_t *ret, struct error *err)
{
    *ret = 0;
    if (point->file && !read_number(element, "fileid", point->file, ret, err))
        return false;
    if (*ret == 0)
        *ret = r->method.file;
    return true;
}

static bool check_line(uint64_t line, struct error *err)
{
    if (line >= 1 && line <= LIMIT_SOURCE_LINE)
        return true;
    return error_set(err, ERROR_INPUT, "line number %llu is out of range (1 to %u)",
                     (unsigned long long)line, LIMIT_SOURCE_LINE);
}

static bool sequence_point(struct reading *r, const char **attributes, struct error *err)
{
    static const char element[] = "SequencePoint";
    struct point point = point_of(attributes);
    uint64_t line, visits, file, offset = 0;
    bool known;
    if (!read_number(element, "vc", point.visits, &visits, err) ||
        !read_number(element, "sl", point.line, &line, err) ||
        (point.offset && !read_number(element, "offset", point.offset, &offset, err)) ||
        !file_of(r, element, &point, &file, err))
        return false;
    opencover_scope_point(&r->scopes[r->scope_count - 1], OPENCOVER_POINTS, visits > 0);
    if (line == HIDDEN_LINE)
        return true;
    if (!check_line(line, err) || !enter_file(r, file, &known, err))
        return false;
    if (!known)
        return true;
    if (point.offset)
        opencover_method_point(&r->method, offset, (uint32_t)line, file);
    return covered_line(&r->arena, &r->stage, (uint32_t)line, visits, err);
}

// Where an older writer's branch point stands. False when no sequence point comes before it.
static bool place_branch(const struct reading *r, const struct point *point, uint64_t *line,
                         uint64_t *file, bool *ret, struct error *err)
{
    uint64_t offset = 0;
    if (point->offset && !read_number("BranchPoint", "offset", point->offset, &offset, err))
        return false;
    *ret = opencover_method_place(&r->method, offset, line, file);
    return true;
}

static bool branch_point(struct reading *r, const char **attributes, struct error *err)
{
    static const char element[] = "BranchPoint";
    struct point point = point_of(attributes);
    uint64_t line = 0, visits, file;
    bool known = true;
    if (!read_number(element, "vc", point.visits, &visits, err) ||
        (point.line && !read_number(element, "sl", point.line, &line, err)) ||
        !file_of(r, element, &point, &file, err))
        return false;
    opencover_scope_point(&r->scopes[r->scope_count - 1], OPENCOVER_BRANCHES, visits > 0);
    if (line == HIDDEN_LINE)
        return true;
    if (line == 0 && !place_branch(r, &point, &line, &file, &known, err))
        return false;
    if (!known) {
        r->homeless++;
        return true;
    }
    if (!check_line(line, err) || !enter_file(r, file, &known, err))
        return false;
    if (!known)
        return true;
    str name = opencover_method_arm(&r->method, point.ordinal, point.path);
    r->arms = arena_grow(&r->arena, r->arms, r->arm_count, &r->arm_room, sizeof *r->arms);
    r->arms[r->arm_count++] = (struct branch_arm){(uint32_t)line, branch_arm_of(name, visits > 0)};
    return true;
}

static bool open_source(struct reading *r, const char **attributes, struct error *err)
{
    uint64_t uid;
    const char *path = xml_attribute(attributes, "fullPath");
    if (!read_number("File", "uid", xml_attribute(attributes, "uid"), &uid, err))
        return false;
    if (!path || !*path)
        return error_set(err, ERROR_INPUT, "a <File> has no `fullPath`");
    if (strlen(path) >= LIMIT_PATH)
        return error_set(err, ERROR_LIMIT, "a `fullPath` is longer than %u bytes", LIMIT_PATH);
    return opencover_files_add(&r->files, uid, str_of(path), err);
}

// False for the names of other elements.
static bool rank_of(const char *name, enum opencover_rank *ret)
{
    static const char *const names[] = {"CoverageSession", "Module", "Class", "Method"};
    for (int i = 0; i < OPENCOVER_SCOPES; i++) {
        if (strcmp(name, names[i]) == 0) {
            *ret = (enum opencover_rank)i;
            return true;
        }
    }
    return false;
}

static bool open_scope(struct reading *r, enum opencover_rank rank, const char *name,
                       const char **attributes, struct error *err)
{
    bool skipped = xml_attribute(attributes, "skippedDueTo") != NULL;
    if (r->scope_count && rank <= r->scopes[r->scope_count - 1].rank)
        return error_set(err, ERROR_INPUT, "a <%s> stands where none can be", name);
    r->modules += rank == OPENCOVER_MODULE;
    r->modules_skipped += rank == OPENCOVER_MODULE && skipped;
    if (skipped) {
        r->skip = xml_depth(r->xml);
        return true;
    }
    if (rank == OPENCOVER_MODULE)
        opencover_files_clear(&r->files);
    if (rank == OPENCOVER_METHOD) {
        opencover_method_clear(&r->method);
        r->method_from = offset_here(r);
    }
    uint32_t at = rank == OPENCOVER_SESSION ? 0 : xml_position(r->xml).line;
    opencover_scope_init(&r->scopes[r->scope_count++], rank, at);
    return true;
}

static bool on_open(void *context, const char *name, const char **attributes, struct error *err)
{
    struct reading *r = context;
    if (r->skip)
        return true;
    if (name[0] == 'S' && strcmp(name, "SequencePoint") == 0)
        return sequence_point(r, attributes, err);
    if (name[0] == 'B' && strcmp(name, "BranchPoint") == 0)
        return branch_point(r, attributes, err);
    enum opencover_rank rank;
    if (xml_depth(r->xml) == 1 && strcmp(name, "CoverageSession") != 0)
        return error_set(err, ERROR_INPUT, "the root element is <%s>, not <CoverageSession>", name);
    if (strcmp(name, "Summary") == 0)
        opencover_scope_say(&r->scopes[r->scope_count - 1], attributes);
    else if (strcmp(name, "File") == 0)
        return open_source(r, attributes, err);
    else if (strcmp(name, "FileRef") == 0)
        return read_number("FileRef", "uid", xml_attribute(attributes, "uid"), &r->method.file,
                           err);
    else if (strcmp(name, "Name") == 0)
        r->in_name = true;
    else if (rank_of(name, &rank))
        return open_scope(r, rank, name, attributes, err);
    return true;
}

static bool on_close(void *context, const char *name, struct error *err)
{
    struct reading *r = context;
    enum opencover_rank rank;
    if (r->skip) {
        if (r->skip == xml_depth(r->xml))
            r->skip = 0;
        return true;
    }
    if (name[0] == 'S' || name[0] == 'B')
        return true;
    r->in_name = false;
    if (!rank_of(name, &rank))
        return true;
    if (rank != OPENCOVER_METHOD && !close_stage(r, offset_here(r) + 2, err)) // "</"
        return false;
    struct opencover_scope *scope = &r->scopes[--r->scope_count];
    opencover_scope_close(scope, r->scope_count ? scope - 1 : NULL, r->evidence,
                          &r->evidence->reports[r->report]);
    return true;
}

static bool on_text(void *context, str text, struct error *err)
{
    struct reading *r = context;
    (void)err;
    if (r->in_name)
        opencover_method_name(&r->method, text);
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
    opencover_method_init(&r->method);
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
        report_suspect(r->evidence, report, "%llu points belong to no <File>: not counted",
                       (unsigned long long)r->homeless);
    report->empty = coverage_totals(&r->evidence->coverage).lines_total == 0;
    if (report->empty && r->modules && r->modules == r->modules_skipped)
        report_suspect(r->evidence, report,
                       "the report holds no line: all of its %llu modules were skipped",
                       (unsigned long long)r->modules);
    else if (report->empty)
        report_suspect(r->evidence, report, "the report holds no line");
    return true;
}

static void close_reading(struct reading *r)
{
    xml_close(r->xml);
    opencover_files_clear(&r->files);
    opencover_method_done(&r->method);
    arena_done(&r->arena);
    memory_free(r);
}

const struct report_reader opencover_reader = {
    .name = "opencover",
    .title = "OpenCover XML",
    .form = REPORT_XML,
    .kind = EVIDENCE_COVERAGE,
    .recognise = recognise,
    .open = open_reading,
    .feed = feed,
    .end = end,
    .close = close_reading,
};
