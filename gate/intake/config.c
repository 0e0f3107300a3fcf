// The shape of `evidence:`.
#include "gate/intake/intake.h"

#include "gate/base/glob.h"

#include <stddef.h>

// A pattern stays inside the workspace by its own words; links are looked at when it is opened.
static void check_pattern(str pattern, struct position at, struct problems *problems)
{
    str rest = pattern, part;
    str archive = str_cut(&rest, '!');
    bool has_entry = archive.len < pattern.len;
    if (archive.len == 0 || (has_entry && rest.len == 0) || str_find(rest, '!') != STR_NONE)
        problem_at(problems, at, "`" STR_FMT "` is not PATTERN or ARCHIVE!PATTERN",
                   STR_ARG(pattern));
    else if (archive.data[0] == '/')
        problem_at(problems, at,
                   "`" STR_FMT "` is absolute: reports are named relative to the workspace",
                   STR_ARG(pattern));
    while (archive.len) {
        part = str_cut(&archive, '/');
        if (str_is(part, ".."))
            problem_at(problems, at, "`" STR_FMT "` leads out of the workspace: `..` is refused",
                       STR_ARG(pattern));
    }
}

static void check_patterns(const struct shape_list *list, const struct node *node, const char *key,
                           struct problems *problems)
{
    const struct node *reports = node_get(node, key);
    const struct node *item = reports && reports->kind == NODE_LIST ? reports->first : reports;
    for (size_t i = 0; i < list->count; i++) {
        check_pattern(((const str *)list->items)[i], item ? item->at : node->at, problems);
        item = item ? item->next : NULL;
    }
}

static void check_coverage(void *value, const struct node *node, struct problems *problems)
{
    const struct evidence_coverage *coverage = value;
    check_patterns(&coverage->reports, node, "reports", problems);
}

static void check_tests(void *value, const struct node *node, struct problems *problems)
{
    const struct evidence_tests *tests = value;
    check_patterns(&tests->reports, node, "reports", problems);
    check_patterns(&tests->base_reports, node, "base_reports", problems);
}

static void check_vulnerabilities(void *value, const struct node *node, struct problems *problems)
{
    const struct evidence_vulnerabilities *vulnerabilities = value;
    check_patterns(&vulnerabilities->reports, node, "reports", problems);
    check_patterns(&vulnerabilities->vex, node, "vex", problems);
    check_patterns(&vulnerabilities->catalogues, node, "catalogues", problems);
}

static void check_performance(void *value, const struct node *node, struct problems *problems)
{
    const struct evidence_performance *performance = value;
    check_patterns(&performance->reports, node, "reports", problems);
}

static const struct shape_field coverage_fields[] = {
    {.key = "reports",
     .kind = SHAPE_LIST,
     .offset = offsetof(struct evidence_coverage, reports),
     .shape = &shape_of_str,
     .min = 1,
     .max = 256,
     .required = true,
     .doc = "Files, patterns with `**`, or ARCHIVE!PATTERN; each must match at least one file."},
    {.key = "shards",
     .kind = SHAPE_INT,
     .offset = offsetof(struct evidence_coverage, shards),
     .min = 1,
     .max = 4096,
     .doc = "How many reports there must be. Fewer is missing evidence."},
    {.key = "strip",
     .kind = SHAPE_LIST,
     .offset = offsetof(struct evidence_coverage, strip),
     .shape = &shape_of_str,
     .doc = "Prefixes that reported paths have in front of the repository's."},
    {0}};

static const struct shape coverage_shape = {.name = "coverage evidence",
                                            .size_bytes = sizeof(struct evidence_coverage),
                                            .fields = coverage_fields,
                                            .shorthand = "reports",
                                            .position_offset =
                                                offsetof(struct evidence_coverage, at) + 1,
                                            .check = check_coverage,
                                            .doc = "Where the coverage reports are."};

static const struct shape_field tests_fields[] = {
    {.key = "reports",
     .kind = SHAPE_LIST,
     .offset = offsetof(struct evidence_tests, reports),
     .shape = &shape_of_str,
     .min = 1,
     .max = 256,
     .required = true,
     .doc = "Files, patterns with `**`, or ARCHIVE!PATTERN; each must match at least one file."},
    {.key = "base_reports",
     .kind = SHAPE_LIST,
     .offset = offsetof(struct evidence_tests, base_reports),
     .shape = &shape_of_str,
     .max = 256,
     .doc = "Reports of the same tests run on the base's code: what a fix has to fail there."},
    {.key = "at_least",
     .kind = SHAPE_PERCENT,
     .offset = offsetof(struct evidence_tests, at_least),
     .doc = "Of the baseline's number of tests so many must have been run."},
    {0}};

static const struct shape tests_shape = {.name = "test evidence",
                                         .size_bytes = sizeof(struct evidence_tests),
                                         .fields = tests_fields,
                                         .shorthand = "reports",
                                         .position_offset = offsetof(struct evidence_tests, at) + 1,
                                         .check = check_tests,
                                         .doc = "Where the test reports are."};

static const struct shape_field vulnerabilities_fields[] = {
    {.key = "reports",
     .kind = SHAPE_LIST,
     .offset = offsetof(struct evidence_vulnerabilities, reports),
     .shape = &shape_of_str,
     .min = 1,
     .max = 256,
     .required = true,
     .doc = "Files, patterns with `**`, or ARCHIVE!PATTERN; each must match at least one file."},
    {.key = "max_age",
     .kind = SHAPE_DURATION,
     .offset = offsetof(struct evidence_vulnerabilities, max_age_ms),
     .doc = "A report that was made longer ago is stale, which is missing evidence."},
    {.key = "vex",
     .kind = SHAPE_LIST,
     .offset = offsetof(struct evidence_vulnerabilities, vex),
     .shape = &shape_of_str,
     .max = 256,
     .doc = "VEX documents: CycloneDX, OpenVEX or CSAF."},
    {.key = "catalogues",
     .kind = SHAPE_LIST,
     .offset = offsetof(struct evidence_vulnerabilities, catalogues),
     .shape = &shape_of_str,
     .max = 256,
     .doc = "KEV and EPSS files."},
    {0}};

static const struct shape vulnerabilities_shape = {
    .name = "vulnerability evidence",
    .size_bytes = sizeof(struct evidence_vulnerabilities),
    .fields = vulnerabilities_fields,
    .shorthand = "reports",
    .position_offset = offsetof(struct evidence_vulnerabilities, at) + 1,
    .check = check_vulnerabilities,
    .doc = "Where the scanners' reports are, and what is known beside them."};

static const struct shape_field performance_fields[] = {
    {.key = "reports",
     .kind = SHAPE_LIST,
     .offset = offsetof(struct evidence_performance, reports),
     .shape = &shape_of_str,
     .min = 1,
     .max = 256,
     .required = true,
     .doc = "Files, patterns with `**`, or ARCHIVE!PATTERN; each must match at least one file."},
    {0}};

static const struct shape performance_shape = {.name = "performance evidence",
                                               .size_bytes = sizeof(struct evidence_performance),
                                               .fields = performance_fields,
                                               .shorthand = "reports",
                                               .position_offset =
                                                   offsetof(struct evidence_performance, at) + 1,
                                               .check = check_performance,
                                               .doc = "Where the load tests' reports are."};

static void check_dependencies(void *value, const struct node *node, struct problems *problems)
{
    const struct evidence_dependencies *dependencies = value;
    const struct node *locks = node_get(node, "locks");
    const struct node *item = locks && locks->kind == NODE_LIST ? locks->first : locks;
    for (size_t i = 0; i < dependencies->locks.count; i++) {
        str path = ((const str *)dependencies->locks.items)[i];
        struct position at = item ? item->at : node->at;
        if (glob_is_pattern(path) || str_find(path, '!') != STR_NONE)
            problem_at(problems, at, "`" STR_FMT "` is a pattern: lock files are named one by one",
                       STR_ARG(path));
        else
            check_pattern(path, at, problems);
        item = item ? item->next : NULL;
    }
}

static const struct shape_field dependencies_fields[] = {
    {.key = "locks",
     .kind = SHAPE_LIST,
     .offset = offsetof(struct evidence_dependencies, locks),
     .shape = &shape_of_str,
     .min = 1,
     .max = 256,
     .required = true,
     .doc = "Files of the repository: requirements files, poetry.lock, uv.lock, Pipfile.lock, "
            "pyproject.toml, .python-version, runtime.txt, package-lock.json, yarn.lock, "
            "pnpm-lock.yaml, package.json, .nvmrc, .tool-versions, go.mod, Dockerfiles, compose "
            "files."},
    {0}};

static const struct shape dependencies_shape = {
    .name = "dependency evidence",
    .size_bytes = sizeof(struct evidence_dependencies),
    .fields = dependencies_fields,
    .shorthand = "locks",
    .position_offset = offsetof(struct evidence_dependencies, at) + 1,
    .check = check_dependencies,
    .doc = "Where the versions of packages, images and runtimes stand."};

static const char *const on_missing_choices[] = {"block", "hold", "warn", NULL};

static const struct shape_field evidence_fields[] = {
    {.key = "coverage",
     .kind = SHAPE_OPTIONAL,
     .offset = offsetof(struct evidence_config, coverage),
     .shape = &coverage_shape,
     .doc = "Coverage reports."},
    {.key = "tests",
     .kind = SHAPE_OPTIONAL,
     .offset = offsetof(struct evidence_config, tests),
     .shape = &tests_shape,
     .doc = "Test reports."},
    {.key = "performance",
     .kind = SHAPE_OPTIONAL,
     .offset = offsetof(struct evidence_config, performance),
     .shape = &performance_shape,
     .doc = "Reports of load tests."},
    {.key = "vulnerabilities",
     .kind = SHAPE_OPTIONAL,
     .offset = offsetof(struct evidence_config, vulnerabilities),
     .shape = &vulnerabilities_shape,
     .doc = "Reports of scanners, VEX documents and catalogues."},
    {.key = "dependencies",
     .kind = SHAPE_OPTIONAL,
     .offset = offsetof(struct evidence_config, dependencies),
     .shape = &dependencies_shape,
     .doc = "Lock files: which versions there are, before and after a change."},
    {.key = "risks",
     .kind = SHAPE_STR,
     .offset = offsetof(struct evidence_config, risks),
     .doc = "The risk register, a YAML file in the repository."},
    {.key = "waivers",
     .kind = SHAPE_STR,
     .offset = offsetof(struct evidence_config, waivers),
     .doc = "Findings that are let pass until a day, a YAML file in the repository."},
    {.key = "quarantine",
     .kind = SHAPE_STR,
     .offset = offsetof(struct evidence_config, quarantine),
     .doc = "Tests that are known to be unreliable, a YAML file in the repository."},
    {.key = "on_missing",
     .kind = SHAPE_CHOICE,
     .offset = offsetof(struct evidence_config, on_missing),
     .choices = on_missing_choices,
     .fallback = "block",
     .doc = "What missing or unusable evidence does. It never passes."},
    {0}};

const struct shape evidence_shape = {
    .name = "evidence",
    .size_bytes = sizeof(struct evidence_config),
    .fields = evidence_fields,
    .position_offset = offsetof(struct evidence_config, at) + 1,
    .doc = "What must be there, so that \"nothing found\" differs from \"nothing looked\"."};
