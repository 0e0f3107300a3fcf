#include "actions/cli/commands.h"
#include "actions/cli/judgement.h"
#include "actions/cli/starter.h"
#include "actions/report/escape.h"
#include "gate/base/limits.h"
#include "gate/git/facts.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct option options[] = {
    {.name = "dry-run", .help = "Print the files instead of writing them."},
    {.name = "rollout", .help = "The workflows that release, resume and roll back, too."},
    {.name = "force", .help = "Write files anew that are there already."},
    {0},
};

struct proposal {
    const char *path; // in the working tree
    struct text text;
};

enum { MOST = 7 }; // proposals

// ---- what is measured today ---------------------------------------------------------------------
static struct shape_list patterns(struct arena *arena, const struct project *project, bool coverage)
{
    str *items = ARENA_ARRAY(arena, str, project->part_count + 1);
    for (size_t i = 0; i < project->part_count; i++) {
        const struct project_kind *kind = project->parts[i].kind;
        items[i] = arena_format(arena, "%s%s", project->parts[i].folder,
                                coverage ? kind->coverage : kind->results);
    }
    return (struct shape_list){items, project->part_count};
}

// Reports of an earlier run, when they lie there.
static bool measure(struct invocation *call, const char *root, const struct project *project,
                    struct evidence *evidence)
{
    struct intake ignored;
    struct evidence_coverage coverage = {.reports = patterns(call->arena, project, true)};
    struct evidence_tests tests = {.reports = patterns(call->arena, project, false)};
    struct evidence_config config = {.coverage = &coverage, .tests = &tests};
    struct intake_request request = {.root = *root ? root : ".",
                                     .config = project->part_count ? &config : NULL};
    return intake_run(&request, evidence, &ignored, &call->error);
}

// ---- writing ------------------------------------------------------------------------------------
static bool make_folders(struct invocation *call, int root, const char *path)
{
    char folder[LIMIT_PATH];
    for (size_t i = 0; path[i] && i < sizeof folder - 1; i++) {
        folder[i] = path[i];
        folder[i + 1] = 0;
        if (path[i + 1] == '/' && mkdirat(root, folder, 0777) != 0 && errno != EEXIST)
            return error_errno(&call->error, "making the folder", folder);
    }
    return true;
}

static bool write_all(int file, str bytes)
{
    while (bytes.len) {
        ssize_t n = write(file, bytes.data, bytes.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes = str_from(bytes, (size_t)n);
    }
    return true;
}

// *ret_kept: there is one already, and it was left alone.
static bool write_proposal(struct invocation *call, int root, const struct proposal *one,
                           bool force, bool *ret_kept)
{
    int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (force ? O_TRUNC : O_EXCL);
    if (!make_folders(call, root, one->path))
        return false;
    int file = openat(root, one->path, flags, 0666);
    *ret_kept = file < 0 && errno == EEXIST;
    if (*ret_kept)
        return true;
    if (file < 0)
        return error_errno(&call->error, "writing", one->path);
    bool ok = write_all(file, text_str(&one->text));
    ok = close(file) == 0 && ok;
    return ok || error_set(&call->error, ERROR_SYSTEM, "writing %s failed", one->path);
}

static void add_found(const struct starter *starter, struct text *out)
{
    const struct project *project = starter->project;
    int floor = starter_floor(starter->measured);
    text_adds(out, "found ");
    if (project->part_count == 0)
        text_adds(out, "no kind of project that is known here");
    for (size_t i = 0; i < project->part_count; i++) {
        text_addf(out, "%s%s", i ? ", " : "", project->parts[i].kind->name);
        if (*project->parts[i].folder)
            text_addf(out, " in %s", project->parts[i].folder);
    }
    if (floor >= 0)
        text_addf(out, "; the reports that lie here hold %d %% coverage", floor);
    text_addc(out, '\n');
}

static bool write_proposals(struct invocation *call, int root, const struct proposal *proposals,
                            size_t count, struct text *out)
{
    bool force = option_given(&call->options, "force");
    for (size_t i = 0; i < count; i++) {
        bool kept;
        if (!write_proposal(call, root, &proposals[i], force, &kept))
            return false;
        text_addf(out, "%s %s%s\n", kept ? "kept " : "wrote", proposals[i].path,
                  kept ? " (it was there; --force writes it anew)" : "");
    }
    return true;
}

static struct text *add(struct proposal *proposals, size_t *count, const char *path)
{
    proposals[*count] = (struct proposal){path, text_of(LIMIT_CONFIG_BYTES)};
    return &proposals[(*count)++].text;
}

static size_t propose(const struct starter *starter, bool rollout, struct proposal proposals[MOST])
{
    size_t count = 0;
    starter_configuration(starter, add(proposals, &count, POLICY_PATH));
    starter_register(starter, add(proposals, &count, "risk-register.yml"));
    starter_workflow(starter, add(proposals, &count, ".github/workflows/sluice.yml"));
    starter_comment(add(proposals, &count, ".github/workflows/sluice-comment.yml"));
    if (rollout) {
        starter_release(add(proposals, &count, ".github/workflows/sluice-release.yml"));
        starter_resume(add(proposals, &count, ".github/workflows/sluice-resume.yml"));
        starter_rollback(add(proposals, &count, ".github/workflows/sluice-rollback.yml"));
    }
    return count;
}

static const char *default_branch(struct invocation *call, struct repository *repository)
{
    struct error ignored;
    str branch = {NULL, 0};
    if (repository && repository_branch(call->arena, repository, &branch, &ignored) && branch.len)
        return arena_copy(call->arena, branch);
    return "main";
}

static bool initialise(struct invocation *call, struct judgement *judgement, struct text *out)
{
    struct policy_request request;
    struct project project;
    struct evidence evidence = {0};
    struct proposal proposals[MOST];
    if (!judgement_open_tree(call, judgement, &request))
        return false;
    const char *root = *judgement->root ? judgement->root : ".";
    int folder = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return error_errno(&call->error, "opening", root);
    bool ok = project_look(call->arena, root, &project, &call->error) &&
              measure(call, root, &project, &evidence);
    if (ok) {
        struct starter starter = {&project, &evidence, default_branch(call, judgement->repository)};
        size_t count = propose(&starter, option_given(&call->options, "rollout"), proposals);
        add_found(&starter, out);
        if (option_given(&call->options, "dry-run"))
            for (size_t i = 0; i < count; i++)
                text_addf(out, "\n--- %s\n%s", proposals[i].path, text_c(&proposals[i].text));
        else
            ok = write_proposals(call, folder, proposals, count, out);
        text_adds(out, "\nNext:\n");
        starter_next(&starter, out);
        for (size_t i = 0; i < count; i++)
            text_done(&proposals[i].text);
    }
    (void)close(folder);
    evidence_done(&evidence);
    return ok;
}

static int run(struct invocation *call)
{
    struct judgement judgement = {0};
    struct text out = text_of(LIMIT_SUMMARY_BYTES), safe = text_of(LIMIT_SUMMARY_BYTES);
    bool ok = initialise(call, &judgement, &out);
    if (ok) {
        str rest = text_str(&out); // names of folders may hold anything
        while (rest.len) {
            terminal_escape(str_cut(&rest, '\n'), &safe);
            text_addc(&safe, '\n');
        }
        ok = call->quiet || command_print(call, text_str(&safe));
    }
    text_done(&out);
    text_done(&safe);
    repository_close(judgement.repository);
    return ok ? 0 : command_failed(call);
}

const struct command command_init = {
    .name = "init",
    .operands = "",
    .summary = "writes a starter configuration, risk register and workflow for this repository",
    .description = "Looks at the repository and writes .github/sluice.yml, risk-register.yml and\n"
                   ".github/workflows/sluice.yml that fit it; with --rollout also the workflows "
                   "that release,\nresume and roll back. What is there already is kept.",
    .options = options,
    .formats = 1U << FORMAT_TEXT,
    .run = run,
};
