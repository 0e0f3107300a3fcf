#include "../expect.h"
#include "gate/doc/json.h"
#include "gate/doc/yaml.h"

static struct arena arena;

static void done(void)
{
    arena_done(&arena);
}

TestSuite(node, .fini = done);

static const struct node *parse(const char *file, const char *bytes)
{
    const struct node *root = NULL;
    struct error err = {0};
    cr_assert(yaml_parse(&arena, file, str_of(bytes), &root, &err), "%s", err.message);
    return root;
}

static void merges(const char *under, const char *over, const char *want)
{
    const struct node *merged =
        node_merge(&arena, parse("under.yml", under), parse("over.yml", over));
    struct text text = text_of(1 << 16);
    struct json_out out = json_out_of(&text, JSON_COMPACT);
    json_add_node(&out, NULL, merged);
    expect_str(text_str(&text), want);
    text_done(&text);
}

Test(node, lookups_take_any_node)
{
    const struct node *root = parse("f", "a: 1\nb: [x]\nc: ~\nd: ''\n");
    expect_str(node_text(root, "a"), "1");
    cr_expect(node_text(root, "b").len == 0, "a list has no text");
    cr_expect(node_text(root, "c").len == 0, "null has no text");
    cr_expect(node_text(root, "x").len == 0);
    cr_expect_null(node_get(root, "x"));
    cr_expect_null(node_get(node_get(root, "a"), "x"), "a scalar has no keys");
    cr_expect_null(node_get(NULL, "x"));
    cr_expect_str_eq(node_kind_name(NODE_LIST), "a list");
    cr_expect_str_eq(node_kind_name(NODE_NUMBER), "a number");
}

Test(node, merge_goes_key_by_key)
{
    merges("a: 1\nb: {c: 2, d: 3}\n", "b: {d: 4, e: 5}\nf: 6\n",
           "{\"a\":1,\"b\":{\"c\":2,\"d\":4,\"e\":5},\"f\":6}");
    merges("a: [1, 2]\n", "a: [3]\n", "{\"a\":[3]}");
    merges("a: {b: 1}\n", "a: x\n", "{\"a\":\"x\"}");
    merges("a: x\n", "a: {b: 1}\n", "{\"a\":{\"b\":1}}");
    merges("", "a: 1\n", "{\"a\":1}");
    merges("a: 1\n", "", "{\"a\":1}");
}

Test(node, a_null_removes_a_key)
{
    merges("a: 1\nb: 2\n", "a: ~\n", "{\"b\":2}");
    merges("a: {b: 1, c: 2}\n", "a: {b: null}\n", "{\"a\":{\"c\":2}}");
    merges("a: 1\n", "never_there: ~\n", "{\"a\":1}");
}

Test(node, merge_keeps_positions_and_leaves_its_arguments_alone)
{
    const struct node *under = parse("under.yml", "a: 1\nb: 2\n");
    const struct node *over = parse("over.yml", "\n\nb: 3\n");
    const struct node *merged = node_merge(&arena, under, over);
    cr_expect_str_eq(node_get(merged, "a")->at.file, "under.yml");
    cr_expect_str_eq(node_get(merged, "b")->at.file, "over.yml");
    cr_expect(node_get(merged, "b")->at.line == 3);
    cr_expect(merged->count == 2 && under->count == 2 && over->count == 1);
    cr_expect_null(over->first->next);
    expect_str(node_text(under, "b"), "2");
    cr_expect(node_merge(&arena, NULL, over) == over);
    cr_expect(node_merge(&arena, under, NULL) == under);
}

Test(node, index_is_ordered)
{
    const struct node *root = parse("f", "c: 1\na: 2\nb: 3\n");
    const struct node **index = node_index(&arena, root);
    expect_str(index[0]->key, "a");
    expect_str(index[1]->key, "b");
    expect_str(index[2]->key, "c");
}
