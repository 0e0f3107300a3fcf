// Any bytes: read or refused with a place. What was read can be merged, bound, written as JSON and
// read back the same.
#include "fuzz.h"
#include "gate/base/limits.h"
#include "gate/doc/json.h"
#include "gate/doc/shape.h"
#include "gate/doc/yaml.h"

struct inner {
    str name;
    struct fraction share;
    int64_t wait_ms, day;
};

struct outer {
    int64_t count;
    bool on;
    double ratio;
    int choice;
    struct inner one, *maybe;
    struct shape_list list, map, words;
    const struct node *any;
};

static const char *const choices[] = {"block", "hold", NULL};
static const struct shape_field inner_fields[] = {
    {"", SHAPE_KEY, offsetof(struct inner, name), .doc = NULL},
    {"share", SHAPE_PERCENT, offsetof(struct inner, share), .fallback = "5%"},
    {"wait", SHAPE_DURATION, offsetof(struct inner, wait_ms), .fallback = "5s"},
    {"day", SHAPE_DATE, offsetof(struct inner, day), .doc = NULL},
    {0}};
static const struct shape inner_shape = {"inner", sizeof(struct inner), inner_fields,
                                         .shorthand = "share"};
static const struct shape_field outer_fields[] = {
    {"count", SHAPE_INT, offsetof(struct outer, count), .max = 100},
    {"on", SHAPE_BOOL, offsetof(struct outer, on), .fallback = "true"},
    {"ratio", SHAPE_NUMBER, offsetof(struct outer, ratio), .doc = NULL},
    {"choice", SHAPE_CHOICE, offsetof(struct outer, choice), .choices = choices},
    {"one", SHAPE_STRUCT, offsetof(struct outer, one), .shape = &inner_shape},
    {"maybe", SHAPE_OPTIONAL, offsetof(struct outer, maybe), .shape = &inner_shape},
    {"list", SHAPE_LIST, offsetof(struct outer, list), .shape = &inner_shape},
    {"map", SHAPE_MAP, offsetof(struct outer, map), .shape = &inner_shape},
    {"words", SHAPE_LIST, offsetof(struct outer, words), .shape = &shape_of_str},
    {"any", SHAPE_NODE, offsetof(struct outer, any), .doc = NULL},
    {"later", SHAPE_LATER, .doc = NULL},
    {0}};
static const struct shape outer_shape = {"outer", sizeof(struct outer), .fields = outer_fields};

static void write_json(const struct node *node, struct text *out)
{
    struct json_out json = json_out_of(out, JSON_PRETTY);
    json_add_node(&json, NULL, node);
}

static void same_as_json(struct arena *arena, const struct node *root)
{
    struct text once = text_of(64 << 20), twice = text_of(64 << 20);
    const struct node *again;
    struct error err = {0};
    write_json(root, &once);
    if (json_parse(arena, "once", text_str(&once), &again, &err)) {
        write_json(again, &twice);
        PROMISE(str_eq(text_str(&once), text_str(&twice)), "%s", text_c(&once));
    } else {
        PROMISE(strstr(err.message, "a number is too large"), "%s: %s", err.message, text_c(&once));
    }
    text_done(&once);
    text_done(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    const struct node *root = NULL;
    struct error err = {0};
    if (!yaml_parse(&arena, "f.yml", str_make((const char *)data, size), &root, &err)) {
        PROMISE(err.kind != ERROR_NONE && err.message[0] && str_is_utf8(str_of(err.message)), "%s",
                err.message);
        PROMISE(err.at.file, "%s", err.message);
    } else {
        struct outer outer;
        struct problems problems = {.arena = &arena};
        bool ok = shape_bind(&arena, &outer_shape, root, &outer, &problems);
        PROMISE(ok == problems_none(&problems, &err), "%zu problems", problems.count);
        problems_sort(&problems);
        for (size_t i = 0; i < problems.count; i++)
            PROMISE(str_is_utf8(str_of(problems.items[i].message)), "%s",
                    problems.items[i].message);
        same_as_json(&arena, root);
        same_as_json(&arena, node_merge(&arena, root, root));
    }
    arena_done(&arena);
    return 0;
}
