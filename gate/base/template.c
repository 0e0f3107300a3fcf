#include "gate/base/template.h"

static void add_url(struct text *out, str value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.data[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     str_find(STR("-._~"), (char)c) != STR_NONE;
        if (plain)
            text_addc(out, (char)c);
        else
            text_addf(out, "%%%02X", c);
    }
}

// A quote as \xNN: PromQL refuses \' inside double quotes and \" inside single ones. In a raw
// string it at least does not end the string.
static void add_promql(struct text *out, str value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.data[i];
        if (c == '\\')
            text_adds(out, "\\\\");
        else if (c == '\n')
            text_adds(out, "\\n");
        else if (c < 0x20 || c == '"' || c == '\'' || c == '`')
            text_addf(out, "\\x%02x", c);
        else
            text_addc(out, (char)c);
    }
}

static void add_shell(struct text *out, str value)
{
    text_addc(out, '\'');
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] == '\'')
            text_adds(out, "'\\''");
        else
            text_addc(out, value.data[i]);
    }
    text_addc(out, '\'');
}

static void add_value(struct text *out, str name, str value, enum template_language language)
{
    switch (language) {
    case TEMPLATE_PLAIN:
        text_add(out, value);
        break;
    case TEMPLATE_URL:
        if (str_starts(name, STR("env.")))
            text_add(out, value);
        else
            add_url(out, value);
        break;
    case TEMPLATE_PROMQL:
        add_promql(out, value);
        break;
    case TEMPLATE_SHELL:
        add_shell(out, value);
        break;
    }
}

static bool unknown_name(str name, const struct template_value *values, struct error *err)
{
    if (str_starts(name, STR("env.")) && name.len > 4)
        return error_set(err, ERROR_INPUT,
                         "`${" STR_FMT "}` is not set: name it in the list `env:`, and give it a "
                         "value in the environment",
                         STR_ARG(name));
    struct text known = text_of(512);
    for (const struct template_value *v = values; v->name; v++)
        text_addf(&known, "%s${%s}", known.len ? ", " : "", v->name);
    (void)error_set(err, ERROR_INPUT, "`${" STR_FMT "}` is not known here; known are %s",
                    STR_ARG(name), known.len ? text_c(&known) : "none");
    text_done(&known);
    return false;
}

// Moves *rest to the next `${`; copies what stands before it when `out` is given.
static bool next_name(str *rest, str *ret_name, struct text *out, bool *ret_closed)
{
    while (rest->len) {
        size_t at = str_find(*rest, '$');
        str before = at == STR_NONE ? *rest : str_first(*rest, at);
        if (out)
            text_add(out, before);
        *rest = str_from(*rest, before.len);
        if (str_starts(*rest, STR("$${"))) {
            if (out)
                text_adds(out, "${");
            *rest = str_from(*rest, 3);
        } else if (str_starts(*rest, STR("${"))) {
            str inside = str_from(*rest, 2);
            size_t end = str_find(inside, '}');
            *ret_closed = end != STR_NONE;
            *ret_name = str_first(inside, end == STR_NONE ? inside.len : end);
            *rest = end == STR_NONE ? (str){NULL, 0} : str_from(inside, end + 1);
            return true;
        } else if (rest->len) {
            if (out)
                text_addc(out, '$');
            *rest = str_from(*rest, 1);
        }
    }
    return false;
}

bool template_expand(str source, const struct template_value *values,
                     enum template_language language, struct text *out, struct error *err)
{
    str rest = source, name;
    bool closed;
    while (next_name(&rest, &name, out, &closed)) {
        if (!closed)
            return error_set(err, ERROR_INPUT, "`${` is not closed in `" STR_FMT "`",
                             STR_ARG(source));
        const struct template_value *v = values;
        while (v->name && !str_is(name, v->name))
            v++;
        if (!v->name)
            return unknown_name(name, values, err);
        add_value(out, name, v->value, language);
    }
    if (text_full(out))
        return error_set(err, ERROR_LIMIT, "the expansion of `" STR_FMT "` is too long",
                         STR_ARG(source));
    return true;
}

bool template_names(str source, bool (*visit)(void *context, str name), void *context)
{
    str rest = source, name;
    bool closed;
    while (next_name(&rest, &name, NULL, &closed))
        if (!visit(context, name))
            return false;
    return true;
}
