#include "deploy/cloud/aws_xml.h"

#include "gate/base/limits.h"
#include "gate/base/secret.h"
#include "gate/base/text.h"
#include "gate/doc/xml.h"

struct level {
    struct node *node;
    struct node *last; // child
    bool mixed;        // its children have different names
};

struct reader {
    struct arena *arena;
    struct level levels[LIMIT_DOC_DEPTH + 1];
    unsigned depth;
    struct text text;
    size_t nodes;
    struct node *root;
};

static bool opened(void *context, const char *name, const char **attributes, struct error *err)
{
    struct reader *reader = context;
    (void)attributes;
    if (++reader->nodes > LIMIT_DOC_NODES || reader->depth == LIMIT_DOC_DEPTH)
        return error_set(err, ERROR_LIMIT, "an XML answer has more than %u elements",
                         LIMIT_DOC_NODES);
    struct node *node = ARENA_NEW(reader->arena, struct node);
    node->kind = NODE_STRING;
    node->key = arena_str(reader->arena, str_of(name));
    if (reader->depth) {
        struct level *parent = &reader->levels[reader->depth - 1];
        if (parent->last) {
            parent->mixed = parent->mixed || !str_eq(parent->last->key, node->key);
            parent->last->next = node;
        } else {
            parent->node->first = node;
        }
        parent->last = node;
        parent->node->count++;
        parent->node->kind = NODE_MAP;
    } else {
        reader->root = node;
    }
    reader->levels[reader->depth++] = (struct level){.node = node};
    text_clear(&reader->text);
    return true;
}

static bool closed(void *context, const char *name, struct error *err)
{
    struct reader *reader = context;
    (void)name;
    (void)err;
    const struct level *level = &reader->levels[--reader->depth];
    struct node *node = level->node;
    if (!node->first) {
        node->text = arena_str(reader->arena, str_trim(text_str(&reader->text)));
    } else if (!level->mixed && (node->count > 1 || str_is(node->first->key, "member") ||
                                 str_is(node->first->key, "item"))) {
        node->kind = NODE_LIST;
        for (struct node *child = node->first; child; child = child->next)
            child->key = (str){NULL, 0};
    }
    text_clear(&reader->text);
    return true;
}

static bool said(void *context, str text, struct error *err)
{
    struct reader *reader = context;
    text_add(&reader->text, text);
    return !text_full(&reader->text) ||
           error_set(err, ERROR_LIMIT, "an XML answer has a text of more than %u bytes",
                     LIMIT_HTTP_BODY);
}

bool aws_xml_read(struct arena *arena, str bytes, const struct node **ret, struct error *err)
{
    struct reader reader = {.arena = arena, .text = text_of(LIMIT_HTTP_BODY)};
    struct xml_handler handler = {opened, closed, said, &reader};
    struct xml *xml = xml_open(NULL, &handler);
    bool ok = xml_feed(xml, bytes, err) && xml_end(xml, err);
    xml_close(xml);
    if (reader.text.data) // it may have been a key
        secret_wipe(reader.text.data, reader.text.room);
    text_done(&reader.text);
    if (ok)
        *ret = reader.root;
    return ok;
}
