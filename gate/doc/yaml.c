#include "gate/doc/yaml.h"

#include "gate/base/limits.h"

#include <assert.h>
#include <yaml.h>

struct frame { // one open list or map
    struct node *container, *last;
    bool has_key;
    str key;
    struct position key_at;
};

struct reading {
    struct arena *arena;
    const char *file;
    str bytes;
    struct node *root;
    struct frame frames[LIMIT_DOC_DEPTH];
    size_t depth;
    size_t nodes, max_nodes;
    struct error *err;
};

static struct position at_mark(const struct reading *r, yaml_mark_t mark)
{
    return (struct position){r->file, (uint32_t)mark.line + 1, (uint32_t)mark.column + 1};
}

// What libyaml says, as a sentence that tells what to do.
static const struct advice {
    const char *problem, *sentence;
} advices[] = {
    {"mapping values are not allowed",
     "a `:` is not allowed here: put the text in quotes, or mend the indentation"},
    {"did not find expected key", "the indentation does not fit: a key was expected here"},
    {"did not find expected '-' indicator",
     "the indentation does not fit: a list item (`- …`) was expected here"},
    {"did not find expected ',' or ']'", "a `,` or `]` is missing here"},
    {"did not find expected ',' or '}'", "a `,` or `}` is missing here"},
    {"could not find expected ':'", "a `:` is missing after this key"},
    {"did not find expected node content", "a value is missing here"},
    {"did not find expected <document start>",
     "the indentation does not fit: nothing may follow the end of the document"},
    {"block sequence entries are not allowed",
     "a list item (`- …`) is not allowed here: start it on a line of its own"},
    {"found unknown escape character", "this escape is not known in double quotes: write `\\\\` "
                                       "for a backslash, or use single quotes"},
    {"found a tab character that violates indentation", "a tab cannot indent: use spaces"},
    {"found a tab character where an indentation space is expected",
     "a tab cannot indent: use spaces"},
    {"found duplicate", "this directive stands twice: remove it"},
    {"control characters are not allowed", "a control character is not allowed: remove it"},
    {NULL, NULL},
};

// The first byte of the character at a mark; libyaml counts characters, not bytes.
static char byte_at(str bytes, yaml_mark_t mark)
{
    for (size_t line = 0; line < mark.line; line++)
        (void)str_cut(&bytes, '\n');
    for (size_t column = 0; bytes.len; bytes = str_from(bytes, 1)) {
        bool continues = ((unsigned char)bytes.data[0] & 0xC0) == 0x80;
        if (!continues && column++ == mark.column)
            return bytes.data[0];
    }
    return ' ';
}

static bool parser_failed(struct reading *r, const yaml_parser_t *parser)
{
    const char *problem = parser->problem ? parser->problem : "this is not YAML";
    struct position at = at_mark(r, parser->problem_mark);
    if (parser->error == YAML_MEMORY_ERROR)
        return error_set(r->err, ERROR_SYSTEM, "no memory left to read %s", r->file);
    if (parser->error == YAML_READER_ERROR) {
        // The reader gives an offset, not a mark.
        at = (struct position){r->file, 1, 1};
        size_t end = parser->problem_offset < r->bytes.len ? parser->problem_offset : r->bytes.len;
        for (size_t i = 0; i < end; i++) {
            bool newline = r->bytes.data[i] == '\n';
            at.line += newline;
            at.column =
                newline ? 1 : at.column + (((unsigned char)r->bytes.data[i] & 0xC0) != 0x80);
        }
    }
    if (strstr(problem, "cannot start any token")) {
        char c = byte_at(r->bytes, parser->problem_mark);
        if (c == '\t')
            return error_at(r->err, ERROR_INPUT, at, "a tab cannot stand here: use spaces");
        if (c == '@' || c == '`' || c == '%')
            return error_at(r->err, ERROR_INPUT, at,
                            "a value cannot start with %c: put it in quotes", c);
    }
    if (strstr(problem, "found unexpected end of stream") && parser->context)
        return error_at(r->err, ERROR_INPUT, at,
                        "the quoted text that starts at line %zu is not closed",
                        parser->context_mark.line + 1);
    for (const struct advice *a = advices; a->problem; a++)
        if (strstr(problem, a->problem))
            return error_at(r->err, ERROR_INPUT, at, "%s", a->sentence);
    return error_at(r->err, ERROR_INPUT, at, "this is not valid YAML: %s%s%s", problem,
                    parser->context ? " " : "", parser->context ? parser->context : "");
}

// Puts a finished or opened value where it belongs.
static bool place(struct reading *r, struct node *node)
{
    if (++r->nodes > r->max_nodes)
        return error_at(r->err, ERROR_LIMIT, node->at, "more than %zu values in one document",
                        r->max_nodes);
    if (r->depth == 0) {
        r->root = node;
        return true;
    }
    struct frame *frame = &r->frames[r->depth - 1];
    if (frame->container->kind == NODE_MAP) {
        node->key = frame->key;
        node->key_at = frame->key_at;
        frame->has_key = false;
    }
    if (frame->last)
        frame->last->next = node;
    else
        frame->container->first = node;
    frame->last = node;
    frame->container->count++;
    return true;
}

static bool wants_key(const struct reading *r)
{
    return r->depth && r->frames[r->depth - 1].container->kind == NODE_MAP &&
           !r->frames[r->depth - 1].has_key;
}

static bool refuse_extras(struct reading *r, const yaml_char_t *anchor, bool tagged,
                          struct position at)
{
    if (anchor)
        return error_at(r->err, ERROR_INPUT, at,
                        "anchors (`&%s`) are not accepted: write the value out",
                        (const char *)anchor);
    if (tagged)
        return error_at(r->err, ERROR_INPUT, at,
                        "tags (`!…`) are not accepted: write the value without it");
    return true;
}

static bool take_key(struct reading *r, str text, bool plain, struct position at)
{
    if (plain && str_is(text, "<<"))
        return error_at(r->err, ERROR_INPUT, at,
                        "merge keys (`<<`) are not accepted: write the keys out");
    if (text.len == 0)
        return error_at(r->err, ERROR_INPUT, at, "a key is missing before the `:`");
    struct frame *frame = &r->frames[r->depth - 1];
    frame->key = arena_str(r->arena, text);
    frame->key_at = at;
    frame->has_key = true;
    return true;
}

static bool take_scalar(struct reading *r, const yaml_event_t *event)
{
    struct position at = at_mark(r, event->start_mark);
    bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    bool tagged = event->data.scalar.tag || (plain && !event->data.scalar.plain_implicit);
    str text = str_make((const char *)event->data.scalar.value, event->data.scalar.length);
    if (!refuse_extras(r, event->data.scalar.anchor, tagged, at))
        return false;
    if (memchr(text.data, '\0', text.len))
        return error_at(r->err, ERROR_INPUT, at, "a text may not hold a NUL character");
    if (wants_key(r))
        return take_key(r, text, plain, at);
    struct node *node = ARENA_NEW(r->arena, struct node);
    node->at = at;
    node->quoted = !plain;
    node->kind = plain ? node_resolve(text) : NODE_STRING;
    node->text = arena_str(r->arena, text);
    return place(r, node);
}

static bool open_container(struct reading *r, enum node_kind kind, const yaml_char_t *anchor,
                           const yaml_char_t *tag, struct position at)
{
    if (!refuse_extras(r, anchor, tag != NULL, at))
        return false;
    if (wants_key(r))
        return error_at(r->err, ERROR_INPUT, at,
                        "a key must be a single word or a quoted text, not %s",
                        node_kind_name(kind));
    if (r->depth == LIMIT_DOC_DEPTH)
        return error_at(r->err, ERROR_LIMIT, at, "lists and maps are nested more than %u deep",
                        LIMIT_DOC_DEPTH);
    struct node *node = ARENA_NEW(r->arena, struct node);
    node->kind = kind;
    node->at = at;
    if (!place(r, node))
        return false;
    r->frames[r->depth++] = (struct frame){.container = node};
    return true;
}

// The first key of the file that stands twice in this map.
static bool refuse_duplicates(struct reading *r, const struct node *map)
{
    const struct node **index = node_index(r->arena, map);
    const struct node *first = NULL, *second = NULL;
    for (size_t i = 1; i < map->count; i++) {
        const struct node *a = index[i - 1], *b = index[i];
        bool earlier =
            !second || b->key_at.line < second->key_at.line ||
            (b->key_at.line == second->key_at.line && b->key_at.column < second->key_at.column);
        if (str_eq(a->key, b->key) && earlier) {
            first = a;
            second = b;
        }
    }
    if (!second)
        return true;
    return error_at(r->err, ERROR_INPUT, second->key_at,
                    "`" STR_FMT "` stands twice: first at line %u; keep one of them",
                    STR_ARG(str_shorten(second->key, 200)), first->key_at.line);
}

static bool close_container(struct reading *r)
{
    const struct node *container = r->frames[--r->depth].container;
    assert(container);
    return container->kind != NODE_MAP || refuse_duplicates(r, container);
}

static bool open_document(struct reading *r, const yaml_event_t *event)
{
    struct position at = at_mark(r, event->start_mark);
    if (r->root)
        return error_at(r->err, ERROR_INPUT, at,
                        "a second document starts here: one file holds one document");
    if (event->data.document_start.version_directive ||
        event->data.document_start.tag_directives.start !=
            event->data.document_start.tag_directives.end)
        return error_at(r->err, ERROR_INPUT, at,
                        "directives (`%%…`) are not accepted: remove them");
    return true;
}

static bool take_event(struct reading *r, const yaml_event_t *event)
{
    struct position at = at_mark(r, event->start_mark);
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        return open_document(r, event);
    case YAML_ALIAS_EVENT:
        return error_at(r->err, ERROR_INPUT, at,
                        "aliases (`*%s`) are not accepted: write the value out",
                        (const char *)event->data.alias.anchor);
    case YAML_SCALAR_EVENT:
        return take_scalar(r, event);
    case YAML_SEQUENCE_START_EVENT:
        return open_container(r, NODE_LIST, event->data.sequence_start.anchor,
                              event->data.sequence_start.tag, at);
    case YAML_MAPPING_START_EVENT:
        return open_container(r, NODE_MAP, event->data.mapping_start.anchor,
                              event->data.mapping_start.tag, at);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return close_container(r);
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        return true;
    }
    return true;
}

static void delete_parser(yaml_parser_t *parser)
{
    yaml_parser_delete(parser);
}

static bool read_events(struct reading *r)
{
    __attribute__((cleanup(delete_parser))) yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        return error_set(r->err, ERROR_SYSTEM, "no memory left to read %s", r->file);
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)r->bytes.data, r->bytes.len);
    for (bool more = true; more;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event))
            return parser_failed(r, &parser);
        bool ok = take_event(r, &event);
        more = event.type != YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
        if (!ok)
            return false;
    }
    return true;
}

// The first byte that is NUL or no UTF-8 is named with its place before libyaml sees it.
static bool check_bytes(const char *file, str bytes, size_t max_bytes, struct error *err)
{
    bool has_nul = bytes.len && memchr(bytes.data, '\0', bytes.len);
    if (bytes.len > max_bytes)
        return error_at(err, ERROR_LIMIT, (struct position){file, 0, 0},
                        "the file is larger than %zu bytes", max_bytes);
    if (!has_nul && str_is_utf8(bytes))
        return true;
    struct position at = {file, 1, 1};
    for (str rest = bytes; rest.len;) {
        str line = str_cut(&rest, '\n');
        if (!str_is_utf8(line) || (line.len && memchr(line.data, '\0', line.len)))
            break;
        at.line++;
    }
    return error_at(err, ERROR_INPUT, at,
                    has_nul ? "the file holds a NUL byte: save it as UTF-8 text"
                            : "the file is not UTF-8 in this line: save it as UTF-8");
}

bool yaml_parse(struct arena *arena, const char *file, str bytes, const struct node **ret,
                struct error *err)
{
    return yaml_parse_large(arena, file, bytes, LIMIT_CONFIG_BYTES, LIMIT_DOC_NODES, ret, err);
}

bool yaml_parse_large(struct arena *arena, const char *file, str bytes, size_t max_bytes,
                      size_t max_nodes, const struct node **ret, struct error *err)
{
    if (!check_bytes(file, bytes, max_bytes, err))
        return false;
    if (str_starts(bytes, STR("\xEF\xBB\xBF")))
        bytes = str_from(bytes, 3);
    if (bytes.len == 0)
        bytes = STR("");
    struct reading reading = {
        .arena = arena, .file = file, .bytes = bytes, .max_nodes = max_nodes, .err = err};
    if (!read_events(&reading))
        return false;
    struct node *root = reading.root;
    bool empty = !root || (root->kind == NODE_NULL && root->text.len == 0);
    if (!root)
        root = ARENA_NEW(arena, struct node);
    if (empty) {
        root->kind = NODE_MAP;
        root->at = (struct position){file, 1, 1};
    }
    *ret = root;
    return true;
}
