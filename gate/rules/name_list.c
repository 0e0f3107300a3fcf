#include "gate/rules/name_list.h"

#include <stdio.h>

#define NAME_BYTES 400u

struct name_list name_list_of(size_t most)
{
    return (struct name_list){.text = text_of((NAME_BYTES + 2) * most), .most = most};
}

void name_list_add(struct name_list *list, str name)
{
    if (list->count++ >= list->most)
        return;
    text_adds(&list->text, list->count > 1 ? ", " : "");
    text_add(&list->text, str_shorten(name, NAME_BYTES));
}

void name_list_addf(struct name_list *list, const char *format, ...)
{
    char name[NAME_BYTES + 1];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(name, sizeof name, format, args);
    va_end(args);
    name_list_add(list, str_of(name));
}

const char *name_list_words(const struct name_list *list, struct findings *out)
{
    if (list->count <= list->most)
        return arena_copy(out->arena, text_str(&list->text));
    return finding_text(out, "%s and %zu more", text_c(&list->text), list->count - list->most);
}

void name_list_done(struct name_list *list)
{
    text_done(&list->text);
}
