#include "deploy/targets/target_parts.h"

#include "deploy/cloud/endpoint_settings.h"
#include "gate/base/template.h"

#include <stdio.h>

enum { NAME_MOST = 2048, LOOK_MS = 1000, LOOK_MOST_MS = 10000 };

// ---- names -------------------------------------------------------------------------------------

static bool is_environment(void *context, str name)
{
    str *wrong = context;
    if (str_starts(name, STR("env.")) && name.len > 4)
        return true;
    *wrong = name;
    return false;
}

bool target_name_check(const char *key, str value, const struct node *node,
                       struct problems *problems)
{
    str wrong = {NULL, 0};
    if (template_names(value, is_environment, &wrong))
        return true;
    problem_at(problems, account_position(node, key),
               "`%s`: `${" STR_FMT "}` is not known here; only `${env.NAME}` may stand in it", key,
               STR_ARG(str_shorten(wrong, 120)));
    return false;
}

bool target_name_open(struct arena *arena, const struct target_setup *setup, const char *key,
                      str *value, struct error *err)
{
    static const struct template_value none[] = {{NULL, {NULL, 0}}};
    if (str_search(*value, STR("${")) == STR_NONE)
        return true;
    struct text out = text_of(NAME_MOST);
    bool ok = template_expand(*value, setup->variables ? setup->variables : none, TEMPLATE_PLAIN,
                              &out, err);
    if (ok && out.len == 0)
        ok = error_set(err, ERROR_INPUT, "nothing is left of it");
    if (ok)
        *value = arena_str(arena, text_str(&out));
    else
        (void)error_wrap(err, "`%s`", key);
    text_done(&out);
    return ok;
}

enum { VALUE_MOST = 256 << 10 }; // as metadata of a virtual machine may be

bool target_release_fill(struct arena *arena, const struct target_setup *setup, const char *key,
                         str value, const struct target_release *release, str *ret,
                         struct error *err)
{
    const struct template_value *env = setup->variables;
    size_t count = 0;
    while (env && env[count].name)
        count++;
    struct template_value *values = ARENA_ARRAY(arena, struct template_value, count + 4);
    values[0] = (struct template_value){"release", release->release};
    values[1] = (struct template_value){"commit", release->commit};
    values[2] = (struct template_value){"digest", release->digest};
    for (size_t i = 0; i < count; i++)
        values[3 + i] = env[i];
    struct text out = text_of(VALUE_MOST);
    bool ok = template_expand(value, values, TEMPLATE_PLAIN, &out, err);
    if (ok)
        *ret = arena_str(arena, text_str(&out));
    else
        (void)error_wrap(err, "`%s`", key);
    text_done(&out);
    return ok;
}

struct target_release target_release_copy(struct arena *arena, const struct target_release *from)
{
    return (struct target_release){arena_str(arena, from->release), arena_str(arena, from->commit),
                                   arena_str(arena, from->digest), arena_str(arena, from->revision),
                                   arena_str(arena, from->artifact_path)};
}

// ---- troubles ----------------------------------------------------------------------------------

void target_trouble_add(struct target_troubles *troubles, enum error_kind kind, const char *format,
                        ...)
{
    char words[sizeof((struct error *)0)->message];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(words, sizeof words, format, args);
    va_end(args);
    troubles->items = arena_grow(troubles->arena, troubles->items, troubles->count, &troubles->room,
                                 sizeof *troubles->items);
    troubles->items[troubles->count++] =
        (struct target_trouble){kind, arena_str(troubles->arena, str_of(words))};
}

void target_trouble_of(struct target_troubles *troubles, const struct chain_reply *reply,
                       const char *permission)
{
    if (reply->error->kind == ERROR_DENIED)
        target_trouble_add(troubles, ERROR_DENIED, "%s: allow it `%s`", reply->error->message,
                           permission);
    else
        target_trouble_add(troubles, reply->error->kind, "%s", reply->error->message);
}

int64_t target_pause_ms(unsigned *looks)
{
    int64_t ms = LOOK_MS + (int64_t)(*looks / 2) * LOOK_MS;
    ++*looks;
    return ms < LOOK_MOST_MS ? ms : LOOK_MOST_MS;
}
