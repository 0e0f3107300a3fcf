#include "../expect.h"
#include "gate/doc/json.h"
#include "gate/doc/shape.h"

struct step {
    struct fraction to;
    int64_t bake_ms;
};

static const struct shape_field step_fields[] = {
    {"to", SHAPE_PERCENT, offsetof(struct step, to), .required = true, .doc = "How much | of it."},
    {"bake", SHAPE_DURATION, offsetof(struct step, bake_ms), .fallback = "10m"},
    {0}};
static const struct shape step_shape = {"step", sizeof(struct step), step_fields,
                                        .shorthand = "to"};

struct all {
    bool on;
    int64_t n, free_n, day;
    double ratio;
    str name;
    struct fraction drop;
    int choice;
    struct step one;
    struct step *maybe;
    struct shape_list steps, names, by_name;
    const struct node *any, *known;
};

static const char *const choices[] = {"block", "off", "12", NULL};
static const struct shape_field all_fields[] = {
    {"", SHAPE_KEY, offsetof(struct all, name), .doc = NULL},
    {"on", SHAPE_BOOL, offsetof(struct all, on), .fallback = "true", .doc = "Whether."},
    {"n", SHAPE_INT, offsetof(struct all, n), .min = 1, .max = 9, .fallback = "3"},
    {"free_n", SHAPE_INT, offsetof(struct all, free_n), .required = true},
    {"day", SHAPE_DATE, offsetof(struct all, day), .doc = NULL},
    {"ratio", SHAPE_NUMBER, offsetof(struct all, ratio), .doc = NULL},
    {"name", SHAPE_STR, offsetof(struct all, name), .doc = NULL},
    {"drop", SHAPE_POINTS, offsetof(struct all, drop), .doc = NULL},
    {"choice", SHAPE_CHOICE, offsetof(struct all, choice), .choices = choices, .fallback = "off"},
    {"one", SHAPE_STRUCT, offsetof(struct all, one), .shape = &step_shape, .doc = "One."},
    {"maybe", SHAPE_OPTIONAL, offsetof(struct all, maybe), .shape = &step_shape},
    {"steps", SHAPE_LIST, offsetof(struct all, steps), .shape = &step_shape, .min = 1, .max = 3},
    {"names", SHAPE_LIST, offsetof(struct all, names), .shape = &shape_of_str},
    {"by_name", SHAPE_MAP, offsetof(struct all, by_name), .shape = &step_shape, .max = 9},
    {"any", SHAPE_NODE, offsetof(struct all, any), .doc = NULL},
    {"known", SHAPE_NODE, offsetof(struct all, known), .shape = &step_shape},
    {"later", SHAPE_LATER, .doc = NULL},
    {0}};
static const struct shape all_shape = {"all", sizeof(struct all), all_fields, .doc = "Everything."};

static const struct node *schema(struct arena *arena)
{
    struct text text = text_of(1 << 20);
    shape_schema(&all_shape, "All of it", &text);
    const struct node *root = NULL;
    struct error err = {0};
    cr_assert(json_parse(arena, "schema", text_str(&text), &root, &err), "%s", err.message);
    text_done(&text);
    return root;
}

Test(shape_schema, says_what_shape_bind_takes)
{
    struct arena arena = {0};
    const struct node *root = schema(&arena), *all = node_get(root, "properties");
    expect_str(node_text(root, "$schema"), "https://json-schema.org/draft/2020-12/schema");
    expect_str(node_text(root, "title"), "All of it");
    expect_str(node_text(root, "description"), "Everything.");
    expect_str(node_text(root, "additionalProperties"), "false");
    expect_str(node_get(root, "required")->first->text, "free_n");
    cr_expect(node_get(root, "required")->count == 1);
    cr_expect(all->count == 15, "%zu properties", all->count);
    cr_expect_null(node_get(all, "later"), "a key that is not built is refused");
    cr_expect_null(node_get(all, ""));
    expect_str(node_text(node_get(all, "on"), "default"), "true");
    expect_str(node_text(node_get(all, "n"), "maximum"), "9");
    cr_expect_null(node_get(node_get(all, "free_n"), "maximum"));
    expect_str(node_text(node_get(all, "free_n"), "minimum"), "0");
    cr_expect(node_get(node_get(all, "choice"), "enum")->count == 4, "12 as number and as text");
    cr_expect(node_get(node_get(all, "maybe"), "anyOf")->count == 2, "shorthand or map");
    cr_expect(node_get(node_get(all, "one"), "allOf")->count == 1);
    const struct node *list = node_get(node_get(all, "steps"), "anyOf")->first->next;
    expect_str(node_text(list, "maxItems"), "3");
    cr_expect_not_null(node_get(node_get(all, "by_name"), "additionalProperties"));
    cr_expect(node_get(all, "any")->count == 0, "anything");
    cr_expect_not_null(node_get(node_get(all, "known"), "anyOf"));
    arena_done(&arena);
}

Test(shape_markdown, one_row_a_key)
{
    struct text text = text_of(1 << 20);
    shape_markdown(&all_shape, &text);
    str rest = text_str(&text);
    expect_str(str_cut(&rest, '\n'), "| Key | Value | Default | Meaning |");
    expect_str(str_cut(&rest, '\n'), "|---|---|---|---|");
    expect_str(str_cut(&rest, '\n'), "| `on` | true or false | `true` | Whether. |");
    expect_str(str_cut(&rest, '\n'), "| `n` | whole number from 1 to 9 | `3` |  |");
    expect_str(str_cut(&rest, '\n'), "| `free_n` | whole number | required |  |");
    expect_contains(text_str(&text), "| `choice` | one of `block`, `off`, `12` | `off` |  |\n");
    expect_contains(text_str(&text), "| `one` | map, or `to` alone |  | One. |\n");
    expect_contains(text_str(&text),
                    "| `one.to` | percentage | required | How much \\| of it. |\n");
    expect_contains(text_str(&text), "| `steps` | list of step |  |  |\n| `steps[].to` |");
    expect_contains(text_str(&text), "| `by_name.<name>.bake` | duration | `10m` |  |\n");
    expect_contains(text_str(&text), "| `names` | list of text |  |  |\n");
    cr_expect(str_search(text_str(&text), STR("later")) == STR_NONE);
    text_done(&text);
}
