#include "gate/fix.h"

#include "gate/base/glob.h"

static const str usual_branches[] = {STR_INIT("fix/**"), STR_INIT("bugfix/**"),
                                     STR_INIT("hotfix/**")};
static const str usual_labels[] = {STR_INIT("bug")};

static const char *by_branch(struct arena *arena, const struct shape_list *list, str branch)
{
    const str *patterns = list->count ? list->items : usual_branches;
    size_t count = list->count ? list->count : sizeof usual_branches / sizeof *usual_branches;
    for (size_t i = 0; i < count; i++)
        if (glob_match(patterns[i], branch))
            return arena_format(arena, "branch " STR_FMT, STR_ARG(branch)).data;
    return NULL;
}

static const char *by_label(struct arena *arena, const struct shape_list *list, str label)
{
    const str *names = list->count ? list->items : usual_labels;
    size_t count = list->count ? list->count : sizeof usual_labels / sizeof *usual_labels;
    for (size_t i = 0; i < count; i++)
        if (str_eq(names[i], label))
            return arena_format(arena, "label " STR_FMT, STR_ARG(label)).data;
    return NULL;
}

// The words with which forges close an issue by a commit.
static const char *by_message(struct arena *arena, str message)
{
    static const str verbs[] = {STR_INIT("fix"),     STR_INIT("fixes"),    STR_INIT("fixed"),
                                STR_INIT("close"),   STR_INIT("closes"),   STR_INIT("closed"),
                                STR_INIT("resolve"), STR_INIT("resolves"), STR_INIT("resolved")};
    for (size_t i = 0; i + 1 < message.len; i++) {
        if (message.data[i] != '#' || message.data[i + 1] < '0' || message.data[i + 1] > '9')
            continue;
        str before = str_trim(str_first(message, i));
        if (before.len && before.data[before.len - 1] == ':')
            before.len--;
        size_t from = before.len;
        while (from && before.data[from - 1] > ' ')
            from--;
        str word = str_from(before, from);
        size_t digits = 1;
        while (i + digits < message.len && message.data[i + digits] >= '0' &&
               message.data[i + digits] <= '9')
            digits++;
        for (size_t k = 0; k < sizeof verbs / sizeof *verbs; k++)
            if (str_cmp_any_case(word, verbs[k]) == 0)
                return arena_format(arena, STR_FMT " " STR_FMT, STR_ARG(word),
                                    STR_ARG(str_make(message.data + i, digits)))
                    .data;
    }
    return NULL;
}

const char *fix_sign(struct arena *arena, const struct fix_question *q)
{
    const char *why = q->branch ? by_branch(arena, &q->signs->branches, str_of(q->branch)) : NULL;
    for (size_t i = 0; !why && q->labels && q->labels[i]; i++)
        why = by_label(arena, &q->signs->labels, str_of(q->labels[i]));
    for (size_t i = 0; !why && q->signs->issues && q->commits && i < q->commits->message_count; i++)
        why = by_message(arena, q->commits->messages[i]);
    return why;
}
