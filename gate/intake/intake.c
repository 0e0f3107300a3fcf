#include "gate/intake/intake.h"

#include "gate/base/glob.h"
#include "gate/base/limits.h"
#include "gate/doc/archive.h"
#include "gate/intake/find.h"
#include "gate/intake/go_modules.h"
#include "gate/reports/reader.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

// What test runners and coverage tools write when nobody tells them otherwise.
static const str usual_coverage[] = {
    STR_INIT("coverage.xml"),
    STR_INIT("cobertura.xml"),
    STR_INIT("**/cobertura-coverage.xml"),
    STR_INIT("**/coverage.cobertura.xml"),
    STR_INIT("coverage/coverage.xml"),
    STR_INIT("coverage/cobertura.xml"),
    STR_INIT("reports/coverage.xml"),
    STR_INIT("lcov.info"),
    STR_INIT("coverage.lcov"),
    STR_INIT("**/coverage/lcov.info"),
    STR_INIT("clover.xml"),
    STR_INIT("**/coverage/clover.xml"),
    STR_INIT("build/logs/clover.xml"),
    STR_INIT("**/target/site/jacoco/jacoco.xml"),
    STR_INIT("**/target/site/jacoco-aggregate/jacoco.xml"),
    STR_INIT("**/build/reports/jacoco/**/*.xml"),
    STR_INIT("**/build/reports/kover/**/*.xml"),
    STR_INIT("**/coverage.opencover.xml"),
    STR_INIT("coverage.json"),
    STR_INIT("**/coverage/coverage-final.json"),
    STR_INIT("**/coverage/.resultset.json"),
    STR_INIT("coverage.out"),
    STR_INIT("cover.out"),
    STR_INIT("coverage.txt"),
};
static const str usual_tests[] = {
    STR_INIT("junit.xml"),
    STR_INIT("junit-*.xml"),
    STR_INIT("test-results.xml"),
    STR_INIT("reports/junit.xml"),
    STR_INIT("reports/junit/**/*.xml"),
    STR_INIT("test-results/**/*.xml"),
    STR_INIT("test-reports/**/*.xml"),
    STR_INIT("**/target/surefire-reports/TEST-*.xml"),
    STR_INIT("**/target/failsafe-reports/TEST-*.xml"),
    STR_INIT("**/build/test-results/**/TEST-*.xml"),
    STR_INIT("target/nextest/**/junit.xml"),
    STR_INIT("test-results.json"),
    STR_INIT("test-results/results.json"),
    STR_INIT("playwright-report/results.json"),
    STR_INIT("mochawesome-report/mochawesome.json"),
    STR_INIT("jest-results.json"),
    STR_INIT("ctrf-report.json"),
    STR_INIT("ctrf/*.json"),
    STR_INIT("go-test.json"),
    STR_INIT("cucumber.json"),
    STR_INIT("cucumber-report.json"),
    STR_INIT("reports/cucumber.json"),
    STR_INIT("**/target/cucumber.json"),
    STR_INIT("*.tap"),
    STR_INIT("reports/*.tap"),
    STR_INIT("TestResult.xml"),
    STR_INIT("**/TestResults/*.trx"),
    STR_INIT("**/TestResults/TestResults.xml"),
    STR_INIT("test-output/testng-results.xml"),
};

static const str usual_vulnerabilities[] = {
    STR_INIT("trivy.json"),
    STR_INIT("trivy*.json"),
    STR_INIT("grype.json"),
    STR_INIT("grype*.json"),
    STR_INIT("snyk.json"),
    STR_INIT("snyk*.json"),
    STR_INIT("osv*.json"),
    STR_INIT("pip-audit.json"),
    STR_INIT("npm-audit.json"),
    STR_INIT("*.sarif"),
    STR_INIT("reports/*.sarif"),
    STR_INIT("reports/trivy*.json"),
    STR_INIT("reports/grype*.json"),
    STR_INIT("reports/snyk*.json"),
    STR_INIT("reports/pip-audit.json"),
    STR_INIT("reports/npm-audit.json"),
};
static const str usual_timings[] = {
    STR_INIT("k6-*.json"),
    STR_INIT("k6.json"),
    STR_INIT("reports/k6*.json"),
    STR_INIT("*_stats.csv"),
    STR_INIT("*.jtl"),
    STR_INIT("reports/*.jtl"),
    STR_INIT("lighthouse.json"),
    STR_INIT("reports/lighthouse*.json"),
};
static const str usual_statements[] = {
    STR_INIT("*.openvex.json"),
    STR_INIT("*.vex.json"),
    STR_INIT("vex/*.json"),
    STR_INIT(".vex/*.json"),
};

// Names that other files bear as well: nobody misses a report where such a one is none.
static const str shared_names[] = {
    STR_INIT("coverage.out"),  STR_INIT("cover.out"),
    STR_INIT("coverage.txt"),  STR_INIT("coverage.json"),
    STR_INIT("cucumber.json"), // cucumber-js reads its settings from such a one
};

struct patterns {
    const str *items;
    size_t count;
};

struct wanted { // a file, and as evidence of what
    const char *path;
    str entry; // pattern of entries, when it is an archive; else empty
    unsigned kinds;
    bool if_known; // passed over when it is no report of these kinds
};

struct run {
    const struct intake_request *request;
    struct evidence *evidence;
    struct intake intake;
    int root;
    struct arena arena; // for the time of the run
    struct wanted *wanted;
    size_t wanted_count, wanted_room;
};

static bool want(struct run *run, const char *path, str entry, enum evidence_kind kind,
                 struct error *err)
{
    for (size_t i = 0; i < run->wanted_count; i++) {
        if (strcmp(run->wanted[i].path, path) == 0 && str_eq(run->wanted[i].entry, entry)) {
            run->wanted[i].kinds |= 1u << kind;
            return true;
        }
    }
    if (run->wanted_count >= LIMIT_REPORT_FILES)
        return error_set(err, ERROR_LIMIT, "the patterns match more than %u report files",
                         LIMIT_REPORT_FILES);
    run->wanted = arena_grow(&run->arena, run->wanted, run->wanted_count, &run->wanted_room,
                             sizeof *run->wanted);
    run->wanted[run->wanted_count++] =
        (struct wanted){.path = path, .entry = entry, .kinds = 1u << kind};
    return true;
}

static void miss(struct run *run, enum evidence_kind kind, str pattern)
{
    struct intake_search *search = &run->intake.search[kind];
    search->missing =
        arena_grow(&run->evidence->arena, (void *)search->missing, search->missing_count,
                   &search->missing_room, sizeof *search->missing);
    search->missing[search->missing_count++] = arena_copy(&run->evidence->arena, pattern);
}

static bool find_files(struct run *run, const str *patterns, size_t count, enum find_where where,
                       struct found *found, struct error *err)
{
    if (!run->request->recorded)
        return files_find(&run->arena, run->root, patterns, count, where, found, err);
    recorded_find(&run->arena, run->request->recorded, patterns, count, found);
    return true;
}

static str without_dot(str pattern)
{
    while (str_starts(pattern, STR("./")))
        pattern = str_from(pattern, 2);
    return pattern;
}

// Each pattern on its own, so that one without a match is known.
static bool find_named(struct run *run, enum evidence_kind kind, struct patterns patterns,
                       struct error *err)
{
    for (size_t i = 0; i < patterns.count; i++) {
        str entry = without_dot(patterns.items[i]);
        str file = str_cut(&entry, '!');
        struct found found = {0};
        if (!find_files(run, &file, 1, FIND_NAMED, &found, err))
            return false;
        if (found.count == 0)
            miss(run, kind, patterns.items[i]);
        for (size_t k = 0; k < found.count; k++)
            if (!want(run, found.items[k], entry, kind, err))
                return false;
    }
    return true;
}

static bool is_shared(str path)
{
    size_t slash = str_find_last(path, '/');
    str name = slash == STR_NONE ? path : str_from(path, slash + 1);
    for (size_t i = 0; i < sizeof shared_names / sizeof *shared_names; i++)
        if (str_eq(name, shared_names[i]))
            return true;
    return false;
}

static bool find_usual(struct run *run, enum evidence_kind kind, struct patterns patterns,
                       struct error *err)
{
    struct found found = {0};
    if (!find_files(run, patterns.items, patterns.count, FIND_USUAL, &found, err))
        return false;
    for (size_t i = 0; i < found.count; i++)
        if (!want(run, found.items[i], (str){NULL, 0}, kind, err))
            return false;
    for (size_t i = 0; i < run->wanted_count; i++)
        run->wanted[i].if_known = is_shared(str_of(run->wanted[i].path));
    return true;
}

static void note_looked_for(struct run *run, enum evidence_kind kind, struct patterns patterns)
{
    str words = {"", 0};
    for (size_t i = 0; i < patterns.count; i++)
        words = arena_format(i + 1 < patterns.count ? &run->arena : &run->evidence->arena,
                             STR_FMT "%s" STR_FMT, STR_ARG(words), i ? ", " : "",
                             STR_ARG(patterns.items[i]));
    run->intake.search[kind].looked_for = words.len ? words.data : NULL;
}

static struct patterns listed(const struct shape_list *list)
{
    return (struct patterns){list->items, list->count};
}

// VEX documents and catalogues are statements; both lists together.
static struct patterns statements(struct run *run, const struct evidence_vulnerabilities *config)
{
    size_t count = config->vex.count + config->catalogues.count;
    str *items = ARENA_ARRAY(&run->arena, str, count + 1);
    if (config->vex.count)
        memcpy(items, config->vex.items, config->vex.count * sizeof *items);
    if (config->catalogues.count)
        memcpy(items + config->vex.count, config->catalogues.items,
               config->catalogues.count * sizeof *items);
    return (struct patterns){items, count};
}

static void named_patterns(struct run *run, struct patterns ret[EVIDENCE_KINDS])
{
    const struct evidence_config *config = run->request->config;
    memset(ret, 0, EVIDENCE_KINDS * sizeof *ret);
    if (!config)
        return;
    if (config->coverage)
        ret[EVIDENCE_COVERAGE] = listed(&config->coverage->reports);
    if (config->tests)
        ret[EVIDENCE_TESTS] = listed(&config->tests->reports);
    if (config->performance)
        ret[EVIDENCE_TIMINGS] = listed(&config->performance->reports);
    if (config->vulnerabilities) {
        ret[EVIDENCE_VULNERABILITIES] = listed(&config->vulnerabilities->reports);
        ret[EVIDENCE_STATEMENTS] = statements(run, config->vulnerabilities);
    }
}

#define USUAL(list)                                                                                \
    {                                                                                              \
        (list), sizeof(list) / sizeof *(list)                                                      \
    }

static bool find(struct run *run, struct error *err)
{
    static const struct patterns usual[EVIDENCE_KINDS] = {
        [EVIDENCE_COVERAGE] = USUAL(usual_coverage),
        [EVIDENCE_TESTS] = USUAL(usual_tests),
        [EVIDENCE_VULNERABILITIES] = USUAL(usual_vulnerabilities),
        [EVIDENCE_TIMINGS] = USUAL(usual_timings),
        [EVIDENCE_STATEMENTS] = USUAL(usual_statements),
    };
    const struct evidence_config *config = run->request->config;
    struct patterns named[EVIDENCE_KINDS];
    bool silent = true;
    named_patterns(run, named);
    for (int i = 0; i < EVIDENCE_KINDS; i++)
        silent &= named[i].count == 0;
    if (config && config->coverage)
        run->intake.search[EVIDENCE_COVERAGE].shards = (uint32_t)config->coverage->shards;
    for (int i = 0; i < EVIDENCE_KINDS; i++) {
        enum evidence_kind kind = (enum evidence_kind)i;
        struct patterns patterns = silent ? usual[i] : named[i];
        if (patterns.count == 0)
            continue;
        run->intake.search[i].asked = !silent;
        note_looked_for(run, kind, patterns);
        if (!(silent ? find_usual(run, kind, patterns, err) : find_named(run, kind, patterns, err)))
            return false;
    }
    return true;
}

// A report that could not even be opened is one with an error.
static void note_failure(struct run *run, const struct wanted *wanted, const char *entry,
                         const struct error *failed)
{
    struct error again;
    struct report_feed *feed = report_feed_open(run->evidence, wanted->path, entry, wanted->kinds);
    (void)report_feed_end(feed, failed, &again);
}

static bool read_entry(struct run *run, struct archive_reader *archive, const struct wanted *wanted,
                       const char *entry, struct error *err)
{
    struct error failed, of_report;
    struct report_feed *feed = report_feed_open(run->evidence, wanted->path, entry, wanted->kinds);
    for (;;) {
        str chunk;
        bool ok = archive_read(archive, &chunk, &failed);
        if (ok && chunk.len) {
            report_feed_bytes(feed, chunk);
            continue;
        }
        (void)report_feed_end(feed, ok ? NULL : &failed, &of_report);
        if (!ok)
            *err = failed;
        return ok;
    }
}

// True when the archive was read to its end; *ret_hits: entries that the pattern matched.
static bool read_entries(struct run *run, struct archive_reader *archive,
                         const struct wanted *wanted, size_t *ret_hits, struct error *err)
{
    for (;;) {
        struct archive_member entry;
        bool more;
        if (!archive_next(archive, &entry, &more, err))
            return false;
        if (!more)
            return true;
        if (!glob_match(wanted->entry, entry.path))
            continue;
        if (run->evidence->report_count >= LIMIT_REPORT_FILES)
            return error_set(err, ERROR_LIMIT, "the patterns match more than %u report files",
                             LIMIT_REPORT_FILES);
        const char *name = arena_copy(&run->arena, entry.path);
        ++*ret_hits;
        if (!read_entry(run, archive, wanted, name, err))
            return false;
    }
}

static void read_archive(struct run *run, const struct wanted *wanted)
{
    struct archive_reader *archive = NULL;
    struct error failed;
    size_t hits = 0, before = run->evidence->report_count;
    const char *path = arena_format(&run->arena, "%s/%s", run->request->root, wanted->path).data;
    const char *pattern = arena_copy(&run->arena, wanted->entry);
    int file;
    bool ok = file_open(run->root, wanted->path, &file, &failed); // inside of the workspace?
    if (ok)
        (void)close(file);
    ok = ok && archive_open(path, &archive, &failed) &&
         read_entries(run, archive, wanted, &hits, &failed);
    archive_close(archive);
    if (!ok && (hits == 0 || run->evidence->reports[before + hits - 1].error.kind == ERROR_NONE))
        note_failure(run, wanted, pattern, &failed); // else the entry it broke in says so
    if (ok && hits == 0)
        for (int kind = 0; kind < EVIDENCE_KINDS; kind++)
            if (wanted->kinds >> kind & 1)
                miss(run, (enum evidence_kind)kind,
                     arena_format(&run->arena, "%s!%s", wanted->path, pattern));
}

// By its first bytes.
static bool is_known(struct run *run, int file, unsigned kinds)
{
    enum { LOOK_BYTES = 64 * 1024 };
    struct error unknown;
    const struct report_reader *reader;
    char *bytes = arena_alloc(&run->arena, LOOK_BYTES);
    size_t len = 0;
    for (ssize_t got = 1; got > 0 && len<LOOK_BYTES; len += got> 0 ? (size_t)got : 0)
        got = pread(file, bytes + len, LOOK_BYTES - len, (off_t)len);
    return report_recognise(str_make(bytes, len), len < LOOK_BYTES, &reader, &unknown) &&
           ((1u << reader->kind | reader->also) & kinds);
}

static void read_file(struct run *run, const struct wanted *wanted)
{
    struct error failed;
    int file;
    if (!file_open(run->root, wanted->path, &file, &failed)) {
        note_failure(run, wanted, NULL, &failed);
        return;
    }
    if (!wanted->if_known || is_known(run, file, wanted->kinds))
        (void)report_read_file(run->evidence, file, wanted->path, wanted->kinds, &failed);
    (void)close(file);
}

static void count_usable(struct run *run)
{
    for (size_t i = 0; i < run->evidence->report_count; i++) {
        const struct report *report = &run->evidence->reports[i];
        run->intake.search[report->kind].usable +=
            report->error.kind == ERROR_NONE && !report->duplicate && !report->empty;
    }
}

static bool covers_go(const struct coverage *coverage)
{
    for (size_t i = 0; i < coverage->count; i++)
        if (str_ends(coverage->files[i].reported, STR(".go")))
            return true;
    return false;
}

static bool map_paths(struct run *run, struct error *err)
{
    const struct intake_request *request = run->request;
    struct path_map map = {0};
    if (request->paths) {
        static const str none[1];
        map.paths = request->paths->count ? request->paths->items : none;
        map.path_count = request->paths->count;
    }
    if (request->config && request->config->coverage) {
        map.strip = request->config->coverage->strip.items;
        map.strip_count = request->config->coverage->strip.count;
    }
    struct go_modules modules = {0};
    if (request->paths && covers_go(&run->evidence->coverage))
        go_modules_find(&run->arena, run->root, request->paths, &modules);
    map.modules = modules.items;
    map.module_count = modules.count;
    char *root = realpath(request->root, NULL);
    map.root = root;
    bool ok = path_map_apply(&map, run->evidence, &run->intake.unmatched, err);
    free(root);
    return ok;
}

static int by_path(const void *a, const void *b)
{
    const struct wanted *x = a, *y = b;
    int order = strcmp(x->path, y->path);
    return order ? order : str_cmp(x->entry, y->entry);
}

bool intake_run(const struct intake_request *request, struct evidence *evidence, struct intake *ret,
                struct error *err)
{
    struct run run = {.request = request, .evidence = evidence};
    run.root = open(request->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (run.root < 0)
        return error_errno(err, "opening the workspace", request->root);
    bool ok = find(&run, err);
    if (ok && run.wanted_count)
        qsort(run.wanted, run.wanted_count, sizeof *run.wanted, by_path);
    for (size_t i = 0; ok && i < run.wanted_count; i++) {
        const struct wanted *wanted = &run.wanted[i];
        if (request->recorded)
            (void)recorded_read(request->recorded, wanted->path, wanted->entry, wanted->kinds,
                                evidence);
        else if (wanted->entry.len)
            read_archive(&run, &run.wanted[i]);
        else
            read_file(&run, &run.wanted[i]);
    }
    if (ok) {
        tests_settle(&evidence->tests);
        count_usable(&run);
        ok = map_paths(&run, err);
    }
    (void)close(run.root);
    arena_done(&run.arena);
    if (ok)
        *ret = run.intake;
    return ok;
}
