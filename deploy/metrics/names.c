#include "deploy/metrics/names.h"

static bool is_inventory_name(str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
            return false;
    }
    return name.len > 0;
}

struct check {
    const char *const *known;
    bool inventory;
    str unknown;
};

static bool visit_check(void *context, str name)
{
    struct check *check = context;
    bool known = str_starts(name, STR("env.")) && name.len > 4;
    for (size_t i = 0; check->known[i]; i++)
        known = known || str_is(name, check->known[i]);
    if (known || (check->inventory && is_inventory_name(name)))
        return true;
    check->unknown = name.len ? name : STR(" ");
    return false;
}

// Expanding with nothing known finds an unclosed `${`; names themselves are looked at by
// visit_check.
static bool is_closed(str source)
{
    for (size_t at; (at = str_search(source, STR("${"))) != STR_NONE;) {
        source = str_from(source, at + 2);
        if (str_find(source, '}') == STR_NONE)
            return false;
    }
    return true;
}

void names_check(str key, str source, const char *const *known, bool inventory,
                 const struct node *section, struct problems *problems)
{
    const struct node *node = NULL;
    for (const struct node *n = section->first; n; n = n->next)
        if (str_eq(n->key, key))
            node = n;
    struct position at = node ? node->at : section->at;
    struct check check = {.known = known, .inventory = inventory};
    if (!is_closed(source)) {
        problem_at(problems, at, "`${` is not closed in `" STR_FMT "`", STR_ARG(key));
        return;
    }
    if (template_names(source, visit_check, &check))
        return;
    struct text list = text_of(512);
    for (size_t i = 0; known[i]; i++)
        text_addf(&list, "`${%s}`, ", known[i]);
    problem_at(problems, at, "`${" STR_FMT "}` is not known in `" STR_FMT "`; known are %s%s",
               STR_ARG(check.unknown), STR_ARG(key), text_c(&list),
               inventory ? "the inventory's variables and `${env.NAME}`" : "and `${env.NAME}`");
    text_done(&list);
}

struct search {
    const char *name; // null: anything that is not of the environment
    bool found;
};

static bool visit_search(void *context, str name)
{
    struct search *search = context;
    search->found = search->name ? str_is(name, search->name) : !str_starts(name, STR("env."));
    return !search->found;
}

bool names_has(str source, const char *name)
{
    struct search search = {.name = name};
    (void)template_names(source, visit_search, &search);
    return search.found;
}

bool names_vary(str source)
{
    return names_has(source, NULL);
}

struct reach {
    const struct template_value *env;
    str missing;
};

static bool visit_reach(void *context, str name)
{
    struct reach *reach = context;
    const struct template_value *v = reach->env;
    if (!str_starts(name, STR("env.")))
        return true;
    while (v && v->name && !str_is(name, v->name))
        v++;
    if (v && v->name)
        return true;
    reach->missing = name;
    return false;
}

bool names_open(str source, const struct template_value *env, struct error *err)
{
    struct reach reach = {.env = env};
    if (template_names(source, visit_reach, &reach))
        return true;
    str name = str_from(reach.missing, 4);
    return error_set(err, ERROR_INPUT,
                     "`${env." STR_FMT "}` has no value: list " STR_FMT
                     " under `env:` and set it in the environment",
                     STR_ARG(name), STR_ARG(name));
}

const struct template_value *names_join(struct arena *arena, const struct template_value *env,
                                        const struct template_value *own)
{
    size_t count = 0;
    for (const struct template_value *v = env; v && v->name; v++)
        count++;
    for (const struct template_value *v = own; v->name; v++)
        count++;
    struct template_value *all = ARENA_ARRAY(arena, struct template_value, count + 1), *at = all;
    for (const struct template_value *v = own; v->name; v++) // what is ours comes first
        *at++ = *v;
    for (const struct template_value *v = env; v && v->name; v++)
        *at++ = *v;
    return all;
}
