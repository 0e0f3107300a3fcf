#include "gate/doc/node.h"

#include <stdlib.h>

const struct node *node_get(const struct node *map, const char *key)
{
    if (!map || map->kind != NODE_MAP)
        return NULL;
    str wanted = str_of(key);
    for (const struct node *n = map->first; n; n = n->next)
        if (str_eq(n->key, wanted))
            return n;
    return NULL;
}

str node_text(const struct node *map, const char *key)
{
    const struct node *found = node_get(map, key);
    if (!found || found->kind == NODE_LIST || found->kind == NODE_MAP || found->kind == NODE_NULL)
        return (str){NULL, 0};
    return found->text;
}

const char *node_kind_name(enum node_kind kind)
{
    static const char *const names[] = {"nothing", "true or false", "a number",
                                        "a text",  "a list",        "a map"};
    return names[kind];
}

static bool is_one_of(str s, const char *const *words)
{
    for (; *words; words++)
        if (str_is(s, *words))
            return true;
    return false;
}

static size_t digits_of(str s, const char *digits)
{
    size_t n = 0;
    while (n < s.len && strchr(digits, s.data[n]) && s.data[n] != '\0')
        n++;
    return n;
}

// [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?  and 0o7, 0xF, .inf, .nan
static bool is_number(str s)
{
    static const char *const words[] = {".nan", ".NaN", ".NAN", NULL};
    static const char *const infinite[] = {".inf", ".Inf", ".INF", NULL};
    if (is_one_of(s, words))
        return true;
    if (str_starts(s, STR("0o")))
        return s.len > 2 && digits_of(str_from(s, 2), "01234567") == s.len - 2;
    if (str_starts(s, STR("0x")))
        return s.len > 2 && digits_of(str_from(s, 2), "0123456789abcdefABCDEF") == s.len - 2;
    if (s.len && (s.data[0] == '-' || s.data[0] == '+'))
        s = str_from(s, 1);
    if (is_one_of(s, infinite))
        return true;
    size_t whole = digits_of(s, "0123456789"), decimals = 0;
    s = str_from(s, whole);
    if (s.len && s.data[0] == '.') {
        decimals = digits_of(str_from(s, 1), "0123456789");
        s = str_from(s, 1 + decimals);
    }
    if (whole + decimals == 0)
        return false;
    if (s.len && (s.data[0] == 'e' || s.data[0] == 'E')) {
        s = str_from(s, 1);
        if (s.len && (s.data[0] == '-' || s.data[0] == '+'))
            s = str_from(s, 1);
        size_t digits = digits_of(s, "0123456789");
        return digits > 0 && digits == s.len;
    }
    return s.len == 0;
}

enum node_kind node_resolve(str plain)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const booleans[] = {"true", "True", "TRUE", "false", "False", "FALSE", NULL};
    if (is_one_of(plain, nulls))
        return NODE_NULL;
    if (is_one_of(plain, booleans))
        return NODE_BOOL;
    return is_number(plain) ? NODE_NUMBER : NODE_STRING;
}

static int compare_keys(const void *left, const void *right)
{
    const struct node *a = *(const struct node *const *)left;
    const struct node *b = *(const struct node *const *)right;
    int order = str_cmp(a->key, b->key);
    if (order != 0)
        return order;
    if (a->key_at.line != b->key_at.line)
        return a->key_at.line < b->key_at.line ? -1 : 1;
    return (a->key_at.column > b->key_at.column) - (a->key_at.column < b->key_at.column);
}

const struct node **node_index(struct arena *arena, const struct node *map)
{
    const struct node **index = ARENA_ARRAY(arena, const struct node *, map->count);
    size_t n = 0;
    for (const struct node *child = map->first; child; child = child->next)
        index[n++] = child;
    if (n > 1)
        qsort(index, n, sizeof(void *), compare_keys);
    return index;
}

// The child of a map by its index, or null.
static const struct node *find(const struct node **index, size_t count, str key)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_cmp(index[middle]->key, key);
        if (order == 0)
            return index[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static void append(struct arena *arena, struct node *map, struct node **last,
                   const struct node *child)
{
    struct node *copy = ARENA_NEW(arena, struct node);
    *copy = *child;
    copy->next = NULL;
    if (*last)
        (*last)->next = copy;
    else
        map->first = copy;
    *last = copy;
    map->count++;
}

// Recursion is as deep as the documents, which their readers keep within LIMIT_DOC_DEPTH.
const struct node *node_merge(struct arena *arena, const struct node *under,
                              const struct node *over)
{
    if (!over || !under)
        return over ? over : under;
    if (under->kind != NODE_MAP || over->kind != NODE_MAP)
        return over;
    struct node *merged = ARENA_NEW(arena, struct node), *last = NULL;
    *merged = *over;
    merged->first = NULL;
    merged->count = 0;
    const struct node **overs = node_index(arena, over), **unders = node_index(arena, under);
    for (const struct node *child = under->first; child; child = child->next) {
        const struct node *winner = find(overs, over->count, child->key);
        if (!winner)
            append(arena, merged, &last, child);
        else if (winner->kind != NODE_NULL)
            append(arena, merged, &last, node_merge(arena, child, winner));
    }
    for (const struct node *child = over->first; child; child = child->next)
        if (child->kind != NODE_NULL && !find(unders, under->count, child->key))
            append(arena, merged, &last, child);
    return merged;
}
