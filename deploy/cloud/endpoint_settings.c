#include "deploy/cloud/endpoint_settings.h"

#include "deploy/cloud/url_parts.h"
#include "gate/base/text.h"

#define AT(member) offsetof(struct endpoint_settings, member)
const struct shape_field endpoint_settings_fields[] = {
    {.key = "service", .kind = SHAPE_KEY, .offset = AT(service)},
    {.key = "url", .kind = SHAPE_STR, .offset = AT(url), .required = true, .doc = "Where it is."},
    {.kind = SHAPE_END},
};

// What is sent there holds keys of an account, or gets some: nobody on the way may read it.
void endpoint_url_check(str url, struct position at, struct problems *problems)
{
    struct url_parts parts;
    struct error why;
    if (!url_split(url, &parts, &why))
        problem_at(problems, at, "%s", why.message);
    else if (!parts.secure && !url_is_loopback(parts.name))
        problem_at(problems, at, "`" STR_FMT "` is not on this machine: use https", STR_ARG(url));
}

static bool is_known(str service, const char *const *known)
{
    for (; *known; known++)
        if (str_is(service, *known))
            return true;
    return false;
}

void endpoint_settings_check(const struct endpoint_settings *endpoint, const struct node *node,
                             const char *const *known, struct problems *problems)
{
    if (!is_known(endpoint->service, known)) {
        struct text words = text_of(512);
        for (const char *const *name = known; *name; name++)
            text_addf(&words, "%s`%s`", name == known ? "" : ", ", *name);
        problem_at(problems, node->key_at,
                   "`" STR_FMT "` is no service that is called; known are %s",
                   STR_ARG(str_shorten(endpoint->service, 60)), text_c(&words));
        text_done(&words);
    }
    endpoint_url_check(endpoint->url, node->at, problems);
}

const struct cloud_endpoint *endpoint_settings_list(struct arena *arena,
                                                    const struct shape_list *endpoints)
{
    const struct endpoint_settings *given = endpoints->items;
    if (endpoints->count == 0)
        return NULL;
    struct cloud_endpoint *list = ARENA_ARRAY(arena, struct cloud_endpoint, endpoints->count + 1);
    for (size_t i = 0; i < endpoints->count; i++)
        list[i] = (struct cloud_endpoint){arena_copy(arena, given[i].service),
                                          arena_copy(arena, given[i].url)};
    return list;
}

const char *account_text(struct arena *arena, str s)
{
    return s.len ? arena_copy(arena, s) : NULL;
}

struct position account_position(const struct node *section, const char *key)
{
    const struct node *node = node_get(section, key);
    return node ? node->at : section->at;
}
