#include "deploy/targets/google_parts.h"

#include "deploy/cloud/google_settings.h"
#include "gate/doc/json.h"

bool google_section_open(struct arena *arena, const struct target_setup *setup, str *project,
                         struct google_client **ret, struct error *err)
{
    struct google_account account = setup->google ? *setup->google : (struct google_account){0};
    if (!target_name_open(arena, setup, "project", project, err))
        return false;
    if (!project->len)
        *project = arena_str(arena, str_of(account.project));
    if (!project->len)
        return error_set(err, ERROR_INPUT,
                         "no project is named: give the target a `project`, or the section "
                         "`google` one for all");
    return google_client_open(setup->cloud, &account, ret, err);
}

static bool is_known(str value)
{
    return str_search(value, STR("${")) == STR_NONE;
}

void google_section_check(str project, str place, const char *key, const struct node *node,
                          struct problems *problems)
{
    if (target_name_check("project", project, node, problems) && is_known(project))
        google_project_check(project, node, problems);
    if (target_name_check(key, place, node, problems) && is_known(place))
        google_region_check(place, key, node, problems);
}

struct google_operation google_operation_read(const struct node *tree)
{
    struct google_operation operation = {.name = node_text(tree, "name")};
    const struct node *error = node_get(tree, "error");
    const struct node *errors = node_get(error, "errors"); // of Compute Engine
    const struct node *first = errors && errors->first ? errors->first : error;
    (void)json_get_bool(tree, "done", &operation.done);
    if (str_is(node_text(tree, "status"), "DONE"))
        operation.done = true;
    if (error) {
        operation.failed = true;
        operation.code = node_text(first, "code");
        operation.message = node_text(first, "message");
        if (!operation.message.len)
            operation.message = node_text(tree, "httpErrorMessage");
        if (!operation.message.len)
            operation.message = STR("no reason is given");
    }
    return operation;
}

str google_short_name(str name)
{
    size_t slash = str_find_last(name, '/');
    return slash == STR_NONE ? name : str_from(name, slash + 1);
}
