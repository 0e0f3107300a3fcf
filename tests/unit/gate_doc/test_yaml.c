#include "../expect.h"
#include "gate/base/limits.h"
#include "gate/base/text.h"
#include "gate/doc/json.h"
#include "gate/doc/yaml.h"

static struct arena arena;

static void done(void)
{
    arena_done(&arena);
}

TestSuite(yaml, .fini = done);

static const struct node *parse(str bytes)
{
    const struct node *root = NULL;
    struct error err = {0};
    cr_assert(yaml_parse(&arena, "f.yml", bytes, &root, &err), "%s", err.message);
    return root;
}

// The tree in one line, so that a whole document can be compared.
static void as_json(str bytes, const char *want)
{
    struct text text = text_of(1 << 20);
    struct json_out out = json_out_of(&text, JSON_COMPACT);
    json_add_node(&out, NULL, parse(bytes));
    expect_str(text_str(&text), want);
    text_done(&text);
}

Test(yaml, reads_block_and_flow_style)
{
    as_json(STR("a: 1\nb:\n  - x\n  - {c: 'd e', f: [1, 2.50, -3e4]}\n"),
            "{\"a\":1,\"b\":[\"x\",{\"c\":\"d e\",\"f\":[1,2.50,-3e4]}]}");
    as_json(STR("text: |\n  one\n  two\nfolded: >-\n  one\n  two\n"),
            "{\"text\":\"one\\ntwo\\n\",\"folded\":\"one two\"}");
    as_json(STR("\xEF\xBB\xBF---\nkey: \"a\\tb\\u00e9\"\n...\n"), "{\"key\":\"a\\tb\xC3\xA9\"}");
    as_json(STR("- 1\n-\n  - 2\n"), "[1,[2]]");
}

Test(yaml, an_empty_document_is_an_empty_map)
{
    static const char *const empty[] = {"", "\n\n", "# only a comment\n", "---\n", "---\n...\n"};
    for (size_t i = 0; i < sizeof empty / sizeof empty[0]; i++) {
        const struct node *root = parse(str_of(empty[i]));
        cr_expect(root->kind == NODE_MAP && root->count == 0, "case %zu", i);
        cr_expect(root->at.line == 1 && root->at.column == 1);
    }
    cr_expect(parse((str){NULL, 0})->kind == NODE_MAP);
}

Test(yaml, scalars_resolve_by_the_core_schema)
{
    static const struct {
        const char *text;
        enum node_kind kind;
    } rows[] = {
        {"~", NODE_NULL},          {"null", NODE_NULL},    {"", NODE_NULL},
        {"true", NODE_BOOL},       {"False", NODE_BOOL},   {"yes", NODE_STRING},
        {"on", NODE_STRING},       {"off", NODE_STRING},   {"no", NODE_STRING},
        {"y", NODE_STRING},        {"tRue", NODE_STRING},  {"12", NODE_NUMBER},
        {"-1.5e-3", NODE_NUMBER},  {"0x1F", NODE_NUMBER},  {"0o17", NODE_NUMBER},
        {".5", NODE_NUMBER},       {"5.", NODE_NUMBER},    {"+3", NODE_NUMBER},
        {".inf", NODE_NUMBER},     {"-.INF", NODE_NUMBER}, {".nan", NODE_NUMBER},
        {"0x", NODE_STRING},       {"0o8", NODE_STRING},   {".", NODE_STRING},
        {"1.2.3", NODE_STRING},    {"1e", NODE_STRING},    {"1_000", NODE_STRING},
        {"12:30", NODE_STRING},    {"55%", NODE_STRING},   {"2027-01-10", NODE_STRING},
        {"30m", NODE_STRING},      {"-", NODE_STRING},     {"'12'", NODE_STRING},
        {"\"true\"", NODE_STRING}, {"''", NODE_STRING},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct text text = text_of(64);
        text_addf(&text, "{k: %s}", rows[i].text);
        if (rows[i].text[0] == '-' && rows[i].text[1] == '\0') {
            cr_expect(node_resolve(STR("-")) == NODE_STRING);
        } else {
            const struct node *n = node_get(parse(text_str(&text)), "k");
            cr_expect(n && n->kind == rows[i].kind, "`%s` is %s", rows[i].text,
                      n ? node_kind_name(n->kind) : "absent");
        }
        text_done(&text);
    }
}

Test(yaml, every_value_and_key_has_its_place)
{
    const struct node *root =
        parse(STR("gate:\n  coverage: {total: 55%}\nlist:\n  - \xC3\xA9: x\n"));
    const struct node *gate = node_get(root, "gate"), *coverage = node_get(gate, "coverage");
    const struct node *total = node_get(coverage, "total");
    cr_expect_str_eq(total->at.file, "f.yml");
    cr_expect(total->at.line == 2 && total->at.column == 21, "%u:%u", total->at.line,
              total->at.column);
    cr_expect(total->key_at.line == 2 && total->key_at.column == 14);
    cr_expect(coverage->at.line == 2 && coverage->at.column == 13);
    const struct node *item = node_get(root, "list")->first;
    cr_expect(item->at.line == 4 && item->at.column == 5);
    cr_expect(item->first->at.column == 8, "columns are characters: %u", item->first->at.column);
    expect_str(item->first->key, "\xC3\xA9");
}

Test(yaml, what_it_does_not_accept_is_said_in_one_sentence)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"a: 1\nb: 2\na: 3\n", "f.yml:3:1: `a` stands twice: first at line 1; keep one of them"},
        {"x: {total: 1, total: 2}",
         "f.yml:1:15: `total` stands twice: first at line 1; keep one of them"},
        {"a: &x 1\n", "f.yml:1:4: anchors (`&x`) are not accepted: write the value out"},
        {"a: *x\n", "f.yml:1:4: aliases (`*x`) are not accepted: write the value out"},
        {"a: &x {b: 1}\n", "f.yml:1:4: anchors (`&x`) are not accepted: write the value out"},
        {"*x : 1\n", "f.yml:1:1: aliases (`*x`) are not accepted: write the value out"},
        {"a:\n  <<: {b: 1}\n", "f.yml:2:3: merge keys (`<<`) are not accepted: write the keys out"},
        {"a: !!str 1\n", "f.yml:1:4: tags (`!…`) are not accepted: write the value without it"},
        {"a: ! 1\n", "f.yml:1:4: tags (`!…`) are not accepted: write the value without it"},
        {"a: !x [1]\n", "f.yml:1:4: tags (`!…`) are not accepted: write the value without it"},
        {"a: 1\n---\nb: 2\n",
         "f.yml:2:1: a second document starts here: one file holds one document"},
        {"%YAML 1.1\n---\na: 1\n", "f.yml:1:1: directives (`%…`) are not accepted: remove them"},
        {"? [a, b]\n: c\n", "f.yml:1:3: a key must be a single word or a quoted text, not a list"},
        {"{a: b}: c\n", "f.yml:1:1: a key must be a single word or a quoted text, not a map"},
        {"{: c}\n", "f.yml:1:2: a value is missing here"},
        {"\"\": c\n", "f.yml:1:1: a key is missing before the `:`"},
        {"a:\n\t- b\n", "f.yml:2:1: a tab cannot stand here: use spaces"},
        {"a: @b\n", "f.yml:1:4: a value cannot start with @: put it in quotes"},
        {"a: \xC3\xA9\nb: `c`\n", "f.yml:2:4: a value cannot start with `: put it in quotes"},
        {"a: b: c\n",
         "f.yml:1:5: a `:` is not allowed here: put the text in quotes, or mend the indentation"},
        {"a: [1, 2\n", "f.yml:2:1: a `,` or `]` is missing here"},
        {"a: {b: 1\n", "f.yml:2:1: a `,` or `}` is missing here"},
        {"a: 'b\nc: d\n", "f.yml:3:1: the quoted text that starts at line 1 is not closed"},
        {"a: 1\n b: 2\n",
         "f.yml:2:3: a `:` is not allowed here: put the text in quotes, or mend the indentation"},
        {"a:\n    b: 1\n  c: 2\n",
         "f.yml:3:3: the indentation does not fit: a key was expected here"},
        {"a: \"\\q\"\n", "f.yml:1:5: this escape is not known in double quotes: write `\\\\` for a "
                         "backslash, or use single quotes"},
        {"a: \"x\\0y\"\n", "f.yml:1:4: a text may not hold a NUL character"},
        {"a: b\nc: \xFF\n", "f.yml:2:1: the file is not UTF-8 in this line: save it as UTF-8"},
        {"a: b\nc: \x01\n", "f.yml:2:4: a control character is not allowed: remove it"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct node *root = NULL;
        struct error err = {0};
        cr_expect_not(yaml_parse(&arena, "f.yml", str_of(rows[i].text), &root, &err),
                      "accepted: %s", rows[i].text);
        expect_error(&err, ERROR_INPUT, rows[i].want);
        cr_expect_null(root, "the result is untouched on failure");
    }
}

Test(yaml, a_nul_byte_is_refused_with_its_line)
{
    const struct node *root;
    struct error err = {0};
    cr_expect_not(yaml_parse(&arena, "f.yml", STR("a: 1\nb: \0\n"), &root, &err));
    expect_error(&err, ERROR_INPUT, "f.yml:2:1: the file holds a NUL byte: save it as UTF-8 text");
}

static void add_times(struct text *text, const char *s, size_t times)
{
    for (size_t i = 0; i < times; i++)
        text_adds(text, s);
}

Test(yaml, depth_is_bounded_exactly)
{
    for (size_t extra = 0; extra < 2; extra++) {
        struct text text = text_of(1 << 20);
        add_times(&text, "[", LIMIT_DOC_DEPTH + extra);
        add_times(&text, "]", LIMIT_DOC_DEPTH + extra);
        const struct node *root;
        struct error err = {0};
        bool ok = yaml_parse(&arena, "f.yml", text_str(&text), &root, &err);
        cr_expect(ok == (extra == 0));
        if (extra)
            expect_error(&err, ERROR_LIMIT,
                         "f.yml:1:65: lists and maps are nested more than 64 deep");
        text_done(&text);
    }
}

Test(yaml, size_is_bounded)
{
    struct text text = text_of(4 << 20);
    add_times(&text, "# a line of a comment\n", LIMIT_CONFIG_BYTES / 22);
    const struct node *root;
    struct error err = {0};
    cr_expect(yaml_parse(&arena, "f.yml", text_str(&text), &root, &err));
    add_times(&text, "# a line of a comment\n", 1);
    cr_expect_not(yaml_parse(&arena, "f.yml", text_str(&text), &root, &err));
    expect_error(&err, ERROR_LIMIT, "f.yml: the file is larger than 1048576 bytes");
    text_done(&text);
}

Test(yaml, many_keys_are_checked_for_duplicates_in_reasonable_time, .timeout = 20)
{
    struct text text = text_of(1 << 20);
    for (unsigned i = 0; i < 100000; i++)
        text_addf(&text, "k%u:\n", i);
    const struct node *root = parse(text_str(&text));
    cr_expect(root->count == 100000);
    text_adds(&text, "k777: x\n");
    struct error err = {0};
    cr_expect_not(yaml_parse(&arena, "f.yml", text_str(&text), &root, &err));
    expect_error(&err, ERROR_INPUT,
                 "f.yml:100001:1: `k777` stands twice: first at line 778; keep one of them");
    text_done(&text);
}

Test(yaml, the_earliest_repeated_key_is_named)
{
    const struct node *root;
    struct error err = {0};
    cr_expect_not(yaml_parse(&arena, "f.yml", STR("z: 1\na: 1\nz: 2\na: 2\nz: 3\n"), &root, &err));
    expect_error(&err, ERROR_INPUT,
                 "f.yml:3:1: `z` stands twice: first at line 1; keep one of them");
}
