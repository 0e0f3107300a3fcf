// Any bytes: a tree or an error with a place. A tree that is written reads back as the same bytes,
// and the places of its values are inside the document.
#include "fuzz.h"
#include "gate/doc/json.h"

static uint32_t count_lines(str bytes)
{
    uint32_t lines = 1;
    for (size_t i = 0; i < bytes.len; i++)
        lines += bytes.data[i] == '\n';
    return lines;
}

static void check_places(const struct node *node, uint32_t lines)
{
    PROMISE(node->at.line >= 1 && node->at.line <= lines && node->at.column >= 1, "line %u",
            node->at.line);
    for (const struct node *child = node->first; child; child = child->next)
        check_places(child, lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    str bytes = str_make((const char *)data, size);
    const struct node *root = NULL, *again = NULL;
    struct error err = {0};
    if (!json_parse(&arena, "f.json", bytes, &root, &err)) {
        PROMISE(err.kind != ERROR_NONE && err.message[0] && err.at.line, "%s", err.message);
        PROMISE(str_is_utf8(str_of(err.message)), "%s", err.message);
    } else {
        struct text once = text_of(64 << 20), twice = text_of(64 << 20);
        check_places(root, count_lines(bytes));
        struct json_out out = json_out_of(&once, JSON_COMPACT);
        json_add_node(&out, NULL, root);
        PROMISE(json_parse(&arena, "once", text_str(&once), &again, &err), "%s: %s", err.message,
                text_c(&once));
        out = json_out_of(&twice, JSON_COMPACT);
        json_add_node(&out, NULL, again);
        PROMISE(str_eq(text_str(&once), text_str(&twice)), "%s", text_c(&once));
        text_done(&once);
        text_done(&twice);
    }
    arena_done(&arena);
    return 0;
}
