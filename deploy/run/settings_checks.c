// What the checks of all sections share: where a value stands, and rules of more than one of them.
#include "deploy/run/settings_parts.h"
#include "gate/base/visible.h"

struct position settings_at(const struct node *map, const char *key)
{
    const struct node *node = node_get(map, key);
    return node ? node->at : map->at;
}

struct position settings_item_at(const struct node *list, size_t n)
{
    const struct node *item = list->kind == NODE_LIST ? list->first : NULL;
    while (item && n--)
        item = item->next;
    return item ? item->at : list->at;
}

void settings_check_name(const char *what, str name, struct position at, struct problems *problems)
{
    if (!visible_name(name))
        problem_at(problems, at, "%s `" STR_FMT "`: " VISIBLE_NAME, what,
                   STR_ARG(str_shorten(name, VISIBLE_NAME_MAX)));
}

void settings_check_name_of(const char *what, const struct node *map, const char *key,
                            struct problems *problems)
{
    const struct node *node = node_get(map, key);
    if (node && node->kind == NODE_STRING)
        settings_check_name(what, node->text, node->at, problems);
}

void settings_check_steps(const struct shape_list *list, struct problems *problems)
{
    const struct step_settings *steps = list->items;
    struct fraction last = {0, 1};
    for (size_t i = 0; i < list->count; i++) {
        if (fraction_cmp(steps[i].to, (struct fraction){1, 1}) > 0)
            problem_at(problems, steps[i].at, "a step cannot be above `100%%`");
        else if (fraction_cmp(steps[i].to, last) <= 0 && i == 0)
            problem_at(problems, steps[i].at, "the first step must be above 0%%");
        else if (fraction_cmp(steps[i].to, last) <= 0)
            problem_at(problems, steps[i].at,
                       "steps must rise: this share is not above the one before");
        last = steps[i].to;
    }
    if (list->count && fraction_cmp(last, (struct fraction){1, 1}) < 0)
        problem_at(problems, steps[list->count - 1].at, "the last step must be `100%%`");
}
