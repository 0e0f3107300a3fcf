// sluice risk list, sluice risk roadmap: the register of the working tree.
#include "actions/cli/risk_parts.h"
#include "actions/report/risk_text.h"
#include "gate/base/limits.h"
#include "gate/base/moment.h"
#include "gate/companion.h"
#include "gate/matrices.h"

// Where the configuration names it, or the usual places when there is no configuration.
static bool find_register(struct invocation *call, struct judgement *judgement,
                          struct source *ret_tree, struct companion *ret)
{
    struct policy_request request;
    struct error absent = {0};
    str named = {NULL, 0};
    if (!judgement_open_tree(call, judgement, &request))
        return false;
    if (policy_load(call->arena, &request, &judgement->policy, &absent)) {
        named = node_text(node_get(judgement->policy.tree, "evidence"), "risks");
    } else if (absent.kind != ERROR_ABSENT || call->config_path) {
        call->error = absent;
        return false;
    }
    *ret_tree = request.tree;
    if (!companion_find(call->arena, COMPANION_RISKS, &request.tree, named, ret, &call->error))
        return false;
    return ret->found || error_set(&call->error, ERROR_ABSENT,
                                   "there is no risk register: %s is not there; `sluice risk "
                                   "suggest` and `sluice risk import` make a beginning",
                                   ret->path);
}

static bool read_register(struct invocation *call, struct risk_register *ret, const char **ret_path)
{
    struct judgement judgement = {0};
    struct problems problems = {.arena = call->arena};
    struct companion file;
    struct source tree;
    const struct node *root;
    bool ok = find_register(call, &judgement, &tree, &file) &&
              companion_parse(call->arena, COMPANION_RISKS, &file, &root, &call->error);
    if (ok && !register_bind(call->arena, &tree, root, ret, &problems)) {
        problems_sort(&problems);
        ok = problems_none(&problems, &call->error);
    }
    if (ok)
        *ret_path = file.path;
    judgement_done(&judgement);
    return ok;
}

static int word_number(const char *const *words, const char *word)
{
    for (int i = 0; words[i]; i++)
        if (strcmp(words[i], word) == 0)
            return i;
    return RISK_ANY;
}

static bool read_filter(struct invocation *call, const struct risk_register *risks,
                        struct risk_filter *ret)
{
    static const char *const statuses[] = {"open", "mitigating", "accepted", "closed", NULL};
    static const char *const severities[] = {"low", "medium", "high", "critical", NULL};
    const char *status = option_text(&call->options, "status");
    const char *severity = option_text(&call->options, "severity");
    const char *flow = option_text(&call->options, "flow");
    ret->status = status ? word_number(statuses, status) : RISK_NOT_CLOSED;
    ret->severity = severity ? word_number(severities, severity) : RISK_ANY;
    ret->flow = str_of(flow);
    if (!flow)
        return true;
    const struct risk_flow *flows = risks->flows.items;
    for (size_t i = 0; i < risks->flows.count; i++)
        if (str_eq(flows[i].name, ret->flow))
            return true;
    return error_set(&call->error, ERROR_INPUT, "--flow %s: the register has no such flow", flow);
}

static bool print(struct invocation *call, struct text *out)
{
    bool ok =
        !text_full(out) || error_set(&call->error, ERROR_LIMIT, "the list is larger than %u bytes",
                                     LIMIT_DECISION_BYTES);
    ok = ok && command_print(call, text_str(out));
    text_done(out);
    return ok;
}

static bool open_view(struct invocation *call, struct risk_register *risks, struct risk_view *ret)
{
    int64_t now_ms;
    *ret = (struct risk_view){.risks = risks};
    if (!risk_moment(call, &now_ms) || !read_register(call, risks, &ret->path))
        return false;
    ret->today_days = now_ms / MS_DAY;
    return true;
}

bool risk_list(struct invocation *call)
{
    struct risk_register risks;
    struct risk_view view;
    struct risk_filter filter;
    struct text out = text_of(LIMIT_DECISION_BYTES);
    if (!open_view(call, &risks, &view) || !read_filter(call, &risks, &filter))
        return false;
    view.count = risk_select(call->arena, &risks, &filter, &view.items);
    risk_sort_by_exposure(view.items, view.count);
    if (call->format == FORMAT_JSON)
        risk_list_json(&view, &out);
    else if (call->format == FORMAT_MARKDOWN)
        risk_list_markdown(&view, &out);
    else
        risk_list_text(&view, &out);
    return print(call, &out);
}

bool risk_roadmap(struct invocation *call)
{
    struct risk_register risks;
    struct risk_view view;
    struct roadmap roadmap;
    struct text out = text_of(LIMIT_DECISION_BYTES);
    if (!open_view(call, &risks, &view))
        return false;
    roadmap_make(call->arena, &risks, view.today_days, &roadmap);
    view.count = roadmap.count;
    view.items = ARENA_ARRAY(call->arena, const struct risk *, roadmap.count + 1);
    for (size_t i = 0; i < roadmap.count; i++)
        view.items[i] = roadmap.steps[i].risk;
    if (call->format == FORMAT_JSON)
        roadmap_json(&view, &roadmap, &out);
    else if (call->format == FORMAT_MARKDOWN)
        roadmap_markdown(&view, &roadmap, &out);
    else
        roadmap_text(&view, &roadmap, &out);
    return print(call, &out);
}
