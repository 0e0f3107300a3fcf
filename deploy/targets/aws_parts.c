#include "deploy/targets/aws_parts.h"

#include "deploy/cloud/aws_settings.h"
#include "deploy/cloud/endpoint_settings.h"

void aws_section_check(const struct aws_section *section, const struct node *node,
                       struct problems *problems)
{
    aws_region_check(section->region, node, problems);
    aws_role_check(section->role, node, problems);
}

bool aws_section_open(const struct aws_section *section, const struct target_setup *setup,
                      struct aws_client **ret, struct error *err)
{
    struct arena arena = {0};
    struct aws_account account = setup->aws ? *setup->aws : (struct aws_account){0};
    if (section->region.len)
        account.region = arena_copy(&arena, section->region);
    if (section->role.len)
        account.role = arena_copy(&arena, section->role);
    bool ok = aws_client_open(setup->cloud, &account, ret, err);
    arena_done(&arena);
    return ok;
}

void aws_arn_check(const char *key, str value, const char *part, const struct node *node,
                   struct problems *problems)
{
    bool fixed = str_search(value, STR("${")) == STR_NONE;
    if (!value.len || !target_name_check(key, value, node, problems) || !fixed)
        return;
    if (!str_starts(value, STR("arn:")) || str_search(value, str_of(part)) == STR_NONE)
        problem_at(problems, account_position(node, key),
                   "`%s` must be an ARN with `%s` in it, such as "
                   "`arn:aws:elasticloadbalancing:eu-west-1:123456789012%sapp/…`",
                   key, part, part);
}

str aws_arn_name(str arn)
{
    size_t slash = str_find_last(arn, '/');
    return slash == STR_NONE ? arn : str_from(arn, slash + 1);
}
