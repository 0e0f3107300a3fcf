#include "pages.h"

#include "gate/base/limits.h"
#include "gate/doc/yaml.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

enum { DEPTH_MOST = 6, PAGE_MOST = 1 << 18 };

str page_read(struct arena *arena, const char *path)
{
    const char *tests = getenv("SLUICE_TEST_DATA");
    cr_assert_not_null(tests, "SLUICE_TEST_DATA names the folder of the tests");
    FILE *file = fopen(arena_format(arena, "%s/../%s", tests, path).data, "rb");
    cr_assert_not_null(file, "there is no page %s", path);
    char *bytes = arena_alloc(arena, PAGE_MOST);
    size_t length = fread(bytes, 1, PAGE_MOST, file);
    (void)fclose(file);
    cr_assert_lt(length, PAGE_MOST);
    return str_make(bytes, length);
}

str page_section(str page, const char *heading)
{
    size_t level = strspn(heading, "#");
    str rest = page, section = {NULL, 0};
    bool inside = false, code = false;
    while (rest.len) {
        str before = rest;
        str line = str_cut(&rest, '\n');
        size_t marks = 0;
        while (marks < line.len && line.data[marks] == '#')
            marks++;
        code = code != str_starts(line, STR("```"));
        bool is_heading = !code && marks > 0 && marks <= level;
        if (inside && is_heading)
            return str_make(section.data, (size_t)(before.data - section.data));
        if (!inside && is_heading && str_starts(line, str_of(heading))) {
            inside = true;
            section = before;
        }
    }
    cr_assert(inside, "there is no section `%s`", heading);
    return section;
}

static bool is_part(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool page_has_word(str page, str word)
{
    size_t at;
    while (word.len && (at = str_search(page, word)) != STR_NONE) {
        bool begins = at == 0 || !is_part(page.data[at - 1]);
        str rest = str_from(page, at + word.len);
        if (begins && (!rest.len || !is_part(rest.data[0])))
            return true;
        page = str_from(page, at + 1);
    }
    return false;
}

bool page_block(str *rest, const char *language, str *ret)
{
    while (rest->len) {
        str line = str_cut(rest, '\n');
        if (!str_starts(line, STR("```")))
            continue;
        bool wanted = !language[0] || str_eq(str_from(line, 3), str_of(language));
        str block = *rest;
        size_t end = str_search(block, STR("\n```"));
        cr_assert_neq(end, STR_NONE, "a block does not end");
        *rest = str_from(block, end + 5);
        if (!wanted)
            continue;
        *ret = str_first(block, end + 1);
        return true;
    }
    return false;
}

bool page_quoted(str *rest, str *ret)
{
    size_t at = str_find(*rest, '`');
    if (at == STR_NONE)
        return false;
    *rest = str_from(*rest, at + 1);
    size_t end = str_find(*rest, '`');
    if (end == STR_NONE)
        return false;
    *ret = str_first(*rest, end);
    *rest = str_from(*rest, end + 1);
    return true;
}

// ---- field tables ------------------------------------------------------------------------------

static void names_fields(str page, const char *name, const struct shape *shape, unsigned depth)
{
    if (!shape || shape_is_scalar(shape) || depth == 0)
        return;
    for (const struct shape_field *field = shape->fields; field->kind != SHAPE_END; field++) {
        bool named =
            page_has_word(page, str_of(field->key)); // one that is not built stands nowhere
        bool alone = shape->shorthand && field->key && strcmp(shape->shorthand, field->key) == 0;
        cr_expect(field->kind == SHAPE_KEY || named || alone || field->kind == SHAPE_LATER,
                  "%s: `%s` of %s does not stand on its page", name, field->key, shape->name);
        cr_expect(field->doc || field->kind == SHAPE_KEY, "%s: `%s` is not described", name,
                  field->key);
        names_fields(page, name, field->shape, depth - 1);
    }
}

void page_names_fields(str page, const char *name, const struct shape *shape)
{
    names_fields(page, name, shape, DEPTH_MOST);
}

static bool has_key(const struct shape *shape, str key, unsigned depth)
{
    if (!shape || shape_is_scalar(shape) || depth == 0)
        return false;
    for (const struct shape_field *field = shape->fields; field->kind != SHAPE_END; field++)
        if ((field->key && str_is(key, field->key)) || has_key(field->shape, key, depth - 1))
            return true;
    return false;
}

bool shape_has_key(const struct shape *shape, str key)
{
    return has_key(shape, key, DEPTH_MOST);
}

void page_tables_name_only_fields(str page, const char *name, const struct shape *shape)
{
    bool inside = false;
    while (page.len) {
        str line = str_cut(&page, '\n'), key;
        if (!str_starts(line, STR("|"))) {
            inside = false;
            continue;
        }
        inside = inside || str_starts(line, STR("| key |"));
        str cell = str_from(line, 1);
        cell = str_cut(&cell, '|');
        while (inside && page_quoted(&cell, &key)) {
            while (key.len) // `artifact.image`
                if (!shape_has_key(shape, str_trim(str_cut(&key, '.'))))
                    cr_expect_fail("%s: its table has a key that it does not: " STR_FMT, name,
                                   STR_ARG(line));
        }
    }
}

// ---- examples ----------------------------------------------------------------------------------

// Without the key that says which kind it is, which is not the kind's.
static struct node *without(struct arena *arena, const struct node *map, const char *key)
{
    struct node *copy = ARENA_NEW(arena, struct node);
    struct node **end = &copy->first;
    *copy = *map;
    copy->first = NULL;
    copy->count = 0;
    for (const struct node *n = map->first; n; n = n->next) {
        static const char *const of_all[] = {"targets", "runbook", "max_errors", "max_inconclusive",
                                             NULL};
        bool common = str_is(n->key, key);
        for (size_t i = 0; of_all[i]; i++)
            common = common || str_is(n->key, of_all[i]);
        if (common)
            continue;
        struct node *kept = ARENA_NEW(arena, struct node);
        *kept = *n;
        kept->next = NULL;
        *end = kept;
        end = &kept->next;
        copy->count++;
    }
    return copy;
}

static size_t bind_entries(struct arena *arena, const struct node *group, const char *key,
                           const char *name, const struct shape *shape)
{
    size_t count = 0;
    for (const struct node *n = group ? group->first : NULL; n; n = n->next) {
        struct problems problems = {.arena = arena};
        struct error first = {0};
        if (!str_is(node_text(n, key), name))
            continue;
        void *value = arena_alloc(arena, shape->size_bytes);
        (void)shape_bind(arena, shape, without(arena, n, key), value, &problems);
        cr_expect(problems_none(&problems, &first), "%s: an example of its page: line %u: %s", name,
                  first.at.line, first.message);
        count++;
    }
    return count;
}

size_t page_examples_bind(str page, const char *group, const char *key, const char *name,
                          const struct shape *shape)
{
    struct arena arena = {0};
    size_t count = 0;
    str block;
    while (page_block(&page, "yaml", &block)) {
        const struct node *tree;
        struct error err = {0};
        if (!yaml_parse(&arena, "page", block, &tree, &err)) {
            cr_expect_fail("%s: an example is no YAML: %s:\n" STR_FMT, name, err.message,
                           STR_ARG(block));
            continue;
        }
        const struct node *entries = node_get(tree, group);
        if (entries) {
            count += bind_entries(&arena, entries, key, name, shape);
            continue;
        }
        // a piece of a section, or some entries of such a group
        if (bind_entries(&arena, tree, key, name, shape))
            continue;
        for (const struct node *n = tree->first; n; n = n->next)
            cr_expect(shape_has_key(shape, n->key) || node_get(n, key),
                      "%s: an example has the key " STR_FMT, name, STR_ARG(n->key));
    }
    arena_done(&arena);
    return count;
}
