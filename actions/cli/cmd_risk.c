// sluice risk: the register as a working tool. Each word after it is one function of risk_parts.h.
#include "actions/cli/commands.h"
#include "actions/cli/risk_parts.h"
#include "gate/base/moment.h"

static const char *const statuses[] = {"open", "mitigating", "accepted", "closed", "all", NULL};
static const char *const severities[] = {"low", "medium", "high", "critical", NULL};

static const struct option options[] = {
    {.name = "status",
     .argument = "STATUS",
     .choices = statuses,
     .help = "list: only these (default: all but closed)."},
    {.name = "severity",
     .argument = "SEVERITY",
     .choices = severities,
     .help = "list: only these."},
    {.name = "flow", .argument = "NAME", .help = "list: only risks of this business flow."},
    {.name = "base",
     .argument = "REV",
     .help = "score: the change since the merge base with REV (default: first parent)."},
    {.name = "window",
     .argument = "TIME",
     .help = "score, suggest: how far back commits are counted (90d)."},
    {.name = "most", .argument = "N", .help = "suggest: how many entries (10)."},
    {.name = "at", .argument = "TIME", .help = "As of this moment (RFC 3339)."},
    {0},
};

static const struct part {
    const char *name;
    bool takes_file;
    bool yaml; // what it prints: no other format
    const char *options[4];
    bool (*run)(struct invocation *call);
} parts[] = {
    {"list", false, false, {"status", "severity", "flow", "at"}, risk_list},
    {"roadmap", false, false, {"at"}, risk_roadmap},
    {"score", false, false, {"base", "window", "at"}, risk_score_print},
    {"suggest", false, true, {"window", "most", "at"}, risk_suggest_print},
    {"import", true, true, {NULL}, risk_import},
};

static const struct part *find_part(struct invocation *call)
{
    const char *name = call->options.operands[0];
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strcmp(parts[i].name, name) == 0)
            return &parts[i];
    (void)error_set(&call->error, ERROR_INPUT,
                    "`sluice risk %s`: there are list, roadmap, score, suggest and import", name);
    return NULL;
}

static bool takes_option(const struct part *part, const char *name)
{
    for (size_t i = 0; i < sizeof part->options / sizeof *part->options; i++)
        if (part->options[i] && strcmp(part->options[i], name) == 0)
            return true;
    return false;
}

// What another part takes is refused, not ignored.
static bool check_words(struct invocation *call, const struct part *part)
{
    for (size_t i = 0; i < sizeof options / sizeof *options && options[i].name; i++)
        if (option_given(&call->options, options[i].name) && !takes_option(part, options[i].name))
            return error_set(&call->error, ERROR_INPUT, "`sluice risk %s` takes no --%s",
                             part->name, options[i].name);
    size_t count = call->options.operand_count;
    if (part->takes_file && count < 2)
        return error_set(&call->error, ERROR_INPUT, "`sluice risk %s FILE`: the file is missing",
                         part->name);
    if (!part->takes_file && count > 1)
        return error_set(&call->error, ERROR_INPUT, "`sluice risk %s` takes no `%s`", part->name,
                         call->options.operands[1]);
    if (part->yaml && call->format != FORMAT_TEXT)
        return error_set(&call->error, ERROR_INPUT,
                         "`sluice risk %s` prints YAML: it takes no other --format", part->name);
    return true;
}

bool risk_moment(struct invocation *call, int64_t *ret_ms)
{
    const char *at = option_text(&call->options, "at");
    *ret_ms = call->now_ms;
    return !at || moment_parse(str_of(at), ret_ms) ||
           error_set(&call->error, ERROR_INPUT,
                     "--at %s is not a moment such as 2027-01-31T12:00:00Z", at);
}

static int run(struct invocation *call)
{
    const struct part *part = find_part(call);
    bool ok = part && check_words(call, part) && part->run(call);
    return ok ? 0 : command_failed(call);
}

const struct command command_risk = {
    .name = "risk",
    .operands = "list|roadmap|score|suggest|import [FILE]",
    .operands_min = 1,
    .operands_max = 2,
    .summary = "the register by exposure, the roadmap, the risk of a change, new entries",
    .description =
        "list     the risk register of the working tree by exposure = points of its matrix (by\n"
        "         default likelihood x impact) x business weight; what is past its date is marked\n"
        "roadmap  the open risks by exposure per day of effort, what is not estimated last; how\n"
        "         many days it takes, and how much exposure is left\n"
        "score    what speaks against releasing the change at hand, from 0 to 100: risks that it\n"
        "         touches, uncovered lines, size, churn, migrations and hotspots\n"
        "suggest  entries for the register, from how often files are changed, how many of their\n"
        "         lines no test runs, and incidents in the ledger; YAML to paste\n"
        "import   a risk list as CSV into a register as YAML; columns are known by their headings",
    .options = options,
    .formats = 1U << FORMAT_TEXT | 1U << FORMAT_JSON | 1U << FORMAT_MARKDOWN,
    .run = run,
};
