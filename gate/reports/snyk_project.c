#include "gate/reports/snyk_project.h"

#include "gate/base/limits.h"
#include "gate/base/number.h"

#include <stdlib.h>

void snyk_projects_init(struct snyk_projects *projects, struct evidence *evidence, uint32_t report)
{
    *projects = (struct snyk_projects){.evidence = evidence, .report = report};
    projects->base = evidence->vulnerabilities.count;
    for (int i = 0; i < SNYK_DEPTH; i++)
        projects->open[i].target = projects->open[i].path = text_of(LIMIT_TOKEN_BYTES);
}

void snyk_projects_done(struct snyk_projects *projects)
{
    for (int i = 0; i < SNYK_DEPTH; i++) {
        text_done(&projects->open[i].target);
        text_done(&projects->open[i].path);
    }
    arena_done(&projects->arena);
}

bool snyk_project_begin(struct snyk_projects *projects, struct error *err)
{
    if (projects->depth == SNYK_DEPTH)
        return error_set(err, ERROR_INPUT, "a project stands in a project, more than %d deep",
                         SNYK_DEPTH);
    struct snyk_project *project = &projects->open[projects->depth++];
    text_clear(&project->target);
    text_clear(&project->path);
    project->unique = project->dependencies = -1;
    project->not_ok = project->failed = project->has_list = project->is_known = false;
    project->first = projects->evidence->vulnerabilities.count;
    project->number = ++projects->count;
    project->listed = 0;
    return true;
}

struct snyk_project *snyk_project(struct snyk_projects *projects)
{
    return &projects->open[projects->depth - 1];
}

static struct report *report_of(struct snyk_projects *projects)
{
    return &projects->evidence->reports[projects->report];
}

void snyk_project_failed(struct snyk_projects *projects, str sentence)
{
    snyk_project(projects)->failed = true;
    report_scanner_failed(projects->evidence, report_of(projects),
                          sentence.len ? sentence : STR("it gives an error instead of a result"));
}

void snyk_project_entry(struct snyk_projects *projects)
{
    const struct vulnerabilities *all = &projects->evidence->vulnerabilities;
    struct snyk_project *project = snyk_project(projects);
    projects->owners = arena_grow(&projects->arena, projects->owners, projects->owner_count,
                                  &projects->owner_room, sizeof *projects->owners);
    projects->owners[projects->owner_count++] = project->number;
    project->listed += !all->items[all->count - 1].suppressed;
}

static int by_text(const void *a, const void *b)
{
    return str_cmp(*(const str *)a, *(const str *)b);
}

// Snyk lists a vulnerability once for each path that leads to it, and counts it once. `with_inner`:
// with those of the projects in it, which the count of an image contains.
static uint64_t unique_of(const struct snyk_projects *projects, const struct snyk_project *project,
                          bool with_inner)
{
    const struct vulnerabilities *all = &projects->evidence->vulnerabilities;
    struct arena arena = {0};
    str *ids = ARENA_ARRAY(&arena, str, all->count - project->first + 1);
    size_t count = 0;
    uint64_t unique = 0;
    for (size_t i = project->first; i < all->count; i++)
        if ((with_inner || projects->owners[i - projects->base] == project->number) &&
            !all->items[i].suppressed)
            ids[count++] = all->items[i].id;
    qsort(ids, count, sizeof *ids, by_text);
    for (size_t i = 0; i < count; i++)
        unique += i == 0 || !str_eq(ids[i], ids[i - 1]);
    arena_done(&arena);
    return unique;
}

static void compare(struct snyk_projects *projects, const struct snyk_project *project, str name)
{
    uint64_t said = (uint64_t)project->unique;
    uint64_t unique = unique_of(projects, project, false);
    uint64_t with_inner = unique_of(projects, project, true);
    name = str_shorten(name.len ? name : STR("a project"), 200);
    if (project->unique >= 0 && said != unique && said != project->listed && said != with_inner)
        report_suspect(projects->evidence, report_of(projects),
                       STR_FMT " counts %llu vulnerabilities, and lists %llu", STR_ARG(name),
                       (unsigned long long)said, (unsigned long long)unique);
    else if (project->not_ok && project->unique < 0 && project->listed == 0)
        report_suspect(projects->evidence, report_of(projects),
                       STR_FMT " says that it is not ok, and lists nothing", STR_ARG(name));
}

bool snyk_project_end(struct snyk_projects *projects, struct error *err)
{
    struct vulnerabilities *all = &projects->evidence->vulnerabilities;
    struct snyk_project *project = snyk_project(projects);
    str name = text_str(project->target.len ? &project->target : &project->path);
    if (!project->has_list && !project->failed)
        return error_set(err, ERROR_INPUT, "a project has no list of vulnerabilities");
    if (!project->is_known && !project->failed)
        return error_set(err, ERROR_INPUT, "a project says nothing of itself: is this Snyk's?");
    if (project->failed) {
        projects->tested = true; // it is said already
    } else {
        compare(projects, project, name);
        projects->tested |= project->dependencies != 0 || all->count > project->first;
    }
    str kept = all->count > project->first && name.len ? arena_str(&projects->evidence->arena, name)
                                                       : (str){"", 0};
    for (size_t i = project->first; i < all->count; i++)
        if (all->items[i].path.len == 0)
            all->items[i].path = kept;
    projects->depth--;
    return true;
}

bool snyk_projects_end(struct snyk_projects *projects, struct error *err)
{
    if (projects->count == 0)
        return error_set(err, ERROR_INPUT, "there is no project in it");
    if (!projects->tested)
        report_nothing_audited(projects->evidence, report_of(projects),
                               "no project has a dependency");
    return true;
}

bool snyk_count(const struct json_event *event, const char *what, int64_t *ret, struct error *err)
{
    uint32_t count;
    if (!number_u32(event->text, &count))
        return error_set(err, ERROR_INPUT, "`%s` is no count: `" STR_FMT "`", what,
                         STR_ARG(str_shorten(event->text, 40)));
    *ret = count;
    return true;
}
