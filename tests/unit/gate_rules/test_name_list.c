#include "gate/rules/name_list.h"

#include "../expect.h"

#include <criterion/criterion.h>

Test(name_list, tells_the_first_few_and_counts_the_rest)
{
    struct arena arena = {0};
    struct findings out = {.arena = &arena};
    static const char *const names[] = {"a", "b", "c", "d", "e"};
    static const char *const words[] = {"", "a", "a, b", "a, b and 1 more", "a, b and 2 more"};
    for (size_t count = 0; count < sizeof words / sizeof *words; count++) {
        struct name_list list = name_list_of(2);
        for (size_t i = 0; i < count; i++)
            name_list_add(&list, str_of(names[i]));
        cr_expect_str_eq(name_list_words(&list, &out), words[count]);
        cr_expect_eq(list.count, count);
        name_list_done(&list);
    }
    arena_done(&arena);
}

Test(name_list, long_names_are_shortened_so_that_each_has_room)
{
    struct arena arena = {0};
    struct findings out = {.arena = &arena};
    char name[2000];
    struct name_list list = name_list_of(3);
    memset(name, 'x', sizeof name);
    for (int i = 0; i < 4; i++)
        name_list_add(&list, str_make(name, sizeof name));
    str words = str_of(name_list_words(&list, &out));
    cr_expect_eq(words.len, 3 * 400 + 2 * 2 + strlen(" and 1 more"));
    name_list_done(&list);
    arena_done(&arena);
}

Test(name_list, a_name_may_be_made_of_parts)
{
    struct arena arena = {0};
    struct findings out = {.arena = &arena};
    struct name_list list = name_list_of(3);
    name_list_addf(&list, "%s %d", "django", 4);
    name_list_add(&list, STR("flask"));
    cr_expect_str_eq(name_list_words(&list, &out), "django 4, flask");
    name_list_done(&list);
    arena_done(&arena);
}
