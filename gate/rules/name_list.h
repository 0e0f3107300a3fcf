// The first few names of something, and how many more there are: "a, b, c and 4 more".
//
//     struct name_list list = name_list_of(3);
//     for (...) name_list_add(&list, identity);
//     if (list.count) finding->message = finding_text(out, "%s.", name_list_words(&list, out));
//     name_list_done(&list);
#ifndef GATE_RULES_NAME_LIST_H
#define GATE_RULES_NAME_LIST_H

#include "gate/base/text.h"
#include "gate/rules/finding.h"

struct name_list {
    struct text text;
    size_t count; // of all names
    size_t most;  // that are told
};

struct name_list name_list_of(size_t most);
// Long names are shortened.
void name_list_add(struct name_list *list, str name);
void name_list_addf(struct name_list *list, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
// In the findings' arena; empty without names.
const char *name_list_words(const struct name_list *list, struct findings *out);
void name_list_done(struct name_list *list);

#endif
