// OpenVEX 0.0.1 (names are texts) and 0.2.0 (names are maps). A product and the parts of it that a
// statement speaks of are all listed as its products.
#include "gate/base/limits.h"
#include "gate/base/moment.h"
#include "gate/reports/json_walk.h"
#include "gate/reports/registry.h"
#include "gate/reports/statement_draft.h"

enum {
    ROOT = 1,
    CONTEXT,
    TIMESTAMP,
    LAST_UPDATED,
    TOOLING,
    STATEMENT_LIST,
    STATEMENT,
    VULNERABILITY, // a text, or a map
    VULNERABILITY_ID,
    NAME,
    ALIASES,
    ALIAS,
    PRODUCTS,
    PRODUCT, // a text, or a map; of subcomponents too
    PRODUCT_ID,
    IDENTIFIERS,
    PURL,
    STATUS,
    JUSTIFICATION,
    IMPACT,
    ACTION,
    AT,
    UPDATED,
    PLACES,
};

static const struct json_step steps[] = {
    {JSON_OUTERMOST, NULL, ROOT | JSON_IS_MAP},
    {ROOT, "@context", CONTEXT},
    {ROOT, "timestamp", TIMESTAMP | JSON_IS_TEXT},
    {ROOT, "last_updated", LAST_UPDATED | JSON_IS_TEXT},
    {ROOT, "tooling", TOOLING | JSON_IS_TEXT},
    {ROOT, "statements", STATEMENT_LIST | JSON_IS_LIST},
    {STATEMENT_LIST, NULL, STATEMENT | JSON_IS_MAP},
    {STATEMENT, "vulnerability", VULNERABILITY},
    {VULNERABILITY, "@id", VULNERABILITY_ID | JSON_IS_TEXT},
    {VULNERABILITY, "name", NAME | JSON_IS_TEXT},
    {VULNERABILITY, "aliases", ALIASES | JSON_IS_LIST},
    {ALIASES, NULL, ALIAS | JSON_IS_TEXT},
    {STATEMENT, "products", PRODUCTS | JSON_IS_LIST},
    {STATEMENT, "subcomponents", PRODUCTS | JSON_IS_LIST}, // 0.0.1
    {PRODUCTS, NULL, PRODUCT},
    {PRODUCT, "@id", PRODUCT_ID | JSON_IS_TEXT},
    {PRODUCT, "identifiers", IDENTIFIERS | JSON_IS_MAP},
    {IDENTIFIERS, "purl", PURL | JSON_IS_TEXT},
    {PRODUCT, "subcomponents", PRODUCTS | JSON_IS_LIST},
    {STATEMENT, "status", STATUS | JSON_IS_TEXT},
    {STATEMENT, "justification", JUSTIFICATION | JSON_IS_TEXT},
    {STATEMENT, "impact_statement", IMPACT | JSON_IS_TEXT},
    {STATEMENT, "action_statement", ACTION | JSON_IS_TEXT},
    {STATEMENT, "timestamp", AT | JSON_IS_TEXT},
    {STATEMENT, "last_updated", UPDATED | JSON_IS_TEXT},
    {0},
};

struct reading {
    struct evidence *evidence;
    uint32_t report;
    struct json_walk *walk;
    struct statement_draft draft;
    uint64_t offset;                  // of the open statement
    struct text status, name, impact; // of the open statement; name: the vulnerability's @id
    bool has_products;
    int64_t made_ms, updated_ms; // of the document
};

static int recognise(const struct report_head *head)
{
    if (!head->is_json || head->values != 1 || head->seen[0].type != JSON_MAP_OPEN)
        return 0;
    str context = report_head_text(head, "@context", NULL);
    return str_search(context, STR("openvex.dev/ns")) != STR_NONE ? 95 : 0;
}

static bool on_begin(void *context, int place, str key, const struct json_event *event,
                     struct error *err)
{
    struct reading *r = context;
    (void)key;
    if ((place == VULNERABILITY || place == PRODUCT) && event->type != JSON_MAP_OPEN)
        return json_walk_refuse(r->walk, event, err, "%s is neither a text nor a map",
                                place == PRODUCT ? "a product" : "the vulnerability");
    if (place == STATEMENT) {
        statement_draft_clear(&r->draft);
        r->offset = event->offset;
        r->has_products = false;
        text_clear(&r->status);
        text_clear(&r->name);
        text_clear(&r->impact);
    } else if (place == PRODUCTS) {
        r->has_products = true;
    }
    return true;
}

static bool kind_of(str word, enum statement_kind *ret)
{
    static const struct {
        const char *word;
        enum statement_kind kind;
    } words[] = {{"not_affected", STATEMENT_NOT_AFFECTED},
                 {"affected", STATEMENT_AFFECTED},
                 {"fixed", STATEMENT_FIXED},
                 {"under_investigation", STATEMENT_IN_TRIAGE}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (str_is(word, words[i].word)) {
            *ret = words[i].kind;
            return true;
        }
    }
    return false;
}

static bool end_statement(struct reading *r, const struct json_event *event, struct error *err)
{
    struct statement_draft *draft = &r->draft;
    if (draft->id.len == 0)
        statement_draft_id(draft, text_str(&r->name));
    else
        statement_draft_alias(draft, text_str(&r->name));
    if (!kind_of(text_str(&r->status), &draft->kind))
        return json_walk_refuse(r->walk, event, err, "the status of a statement is `" STR_FMT "`",
                                STR_ARG(str_shorten(text_str(&r->status), 40)));
    if (draft->justification.len == 0)
        statement_draft_why(draft, text_str(&r->impact));
    if (draft->kind == STATEMENT_NOT_AFFECTED && draft->justification.len == 0)
        report_suspect(r->evidence, &r->evidence->reports[r->report],
                       "line %u: the statement on " STR_FMT " gives no reason for not_affected",
                       event->line, STR_ARG(str_shorten(text_str(&draft->id), 80)));
    // A list that names nothing does not make it a statement on everything.
    if (r->has_products && draft->products.len == 0)
        return json_walk_refuse(r->walk, event, err, "the products of a statement have no name");
    return statement_draft_take(draft, r->evidence, r->report, r->offset, err);
}

static bool on_end(void *context, int place, const struct json_event *event, struct error *err)
{
    return place != STATEMENT || end_statement(context, event, err);
}

static bool moment(struct reading *r, const struct json_event *event, int64_t *ret,
                   struct error *err)
{
    return moment_parse(event->text, ret) ||
           json_walk_refuse(r->walk, event, err, "`" STR_FMT "` is not a moment",
                            STR_ARG(str_shorten(event->text, 40)));
}

static bool statement_value(struct reading *r, int place, const struct json_event *event,
                            struct error *err)
{
    int64_t at;
    switch (place) {
    case NAME:
        statement_draft_id(&r->draft, event->text);
        return true;
    case VULNERABILITY_ID:
        text_clear(&r->name);
        text_add(&r->name, event->text);
        return true;
    case ALIAS:
        statement_draft_alias(&r->draft, event->text);
        return true;
    case PRODUCT_ID:
    case PURL:
        statement_draft_product(&r->draft, event->text);
        return true;
    case STATUS:
        text_clear(&r->status);
        text_add(&r->status, event->text);
        return true;
    case JUSTIFICATION:
        statement_draft_why(&r->draft, event->text);
        return true;
    case IMPACT:
        text_clear(&r->impact);
        text_add(&r->impact, event->text);
        return true;
    case AT:
    case UPDATED: // the later one
        if (!moment(r, event, &at, err))
            return false;
        r->draft.at_ms = at > r->draft.at_ms ? at : r->draft.at_ms;
        return true;
    default:
        return true;
    }
}

static bool on_value(void *context, int place, str key, const struct json_event *event,
                     struct error *err)
{
    struct reading *r = context;
    (void)key;
    if (place == STATEMENT)
        return json_walk_refuse(r->walk, event, err, "an element of statements is null");
    if (place == VULNERABILITY || place == PRODUCT) {
        if (event->type != JSON_STRING)
            return json_walk_refuse(r->walk, event, err, "%s is neither a text nor a map",
                                    place == PRODUCT ? "a product" : "the vulnerability");
        if (place == PRODUCT)
            statement_draft_product(&r->draft, event->text);
        else
            statement_draft_id(&r->draft, event->text);
        return true;
    }
    if (event->type == JSON_NULL)
        return true;
    if (place == TIMESTAMP)
        return moment(r, event, &r->made_ms, err);
    if (place == LAST_UPDATED)
        return moment(r, event, &r->updated_ms, err);
    if (place == TOOLING)
        report_tool(r->evidence, &r->evidence->reports[r->report], event->text, (str){NULL, 0});
    return statement_value(r, place, event, err);
}

static bool open_reading(struct evidence *evidence, uint32_t report, struct reading **ret,
                         struct error *err)
{
    static const struct json_walk_handler handler = {on_begin, on_value, on_end};
    (void)err;
    struct reading *r = memory_alloc(sizeof *r);
    r->evidence = evidence;
    r->report = report;
    r->status = text_of(LIMIT_TOKEN_BYTES);
    r->name = text_of(LIMIT_TOKEN_BYTES);
    r->impact = text_of(LIMIT_TOKEN_BYTES);
    r->walk = json_walk_open(evidence->reports[report].path, steps, &handler, r);
    *ret = r;
    return true;
}

static bool feed(struct reading *r, str bytes, struct error *err)
{
    return json_walk_feed(r->walk, bytes, err);
}

static bool end(struct reading *r, struct error *err)
{
    struct report *report = &r->evidence->reports[r->report];
    struct statements *all = &r->evidence->statements;
    if (!json_walk_end(r->walk, err))
        return false;
    report->made_ms = r->updated_ms > r->made_ms ? r->updated_ms : r->made_ms;
    for (size_t i = 0; i < all->count; i++)
        if (!all->items[i].at_ms)
            all->items[i].at_ms = report->made_ms;
    report->empty = all->count == 0;
    if (report->empty)
        report_suspect(r->evidence, report, "the document holds no statement");
    return true;
}

static void close_reading(struct reading *r)
{
    json_walk_close(r->walk);
    statement_draft_done(&r->draft);
    text_done(&r->status);
    text_done(&r->name);
    text_done(&r->impact);
    memory_free(r);
}

const struct report_reader openvex_reader = {
    .name = "openvex",
    .title = "OpenVEX",
    .form = REPORT_JSON,
    .kind = EVIDENCE_STATEMENTS,
    .recognise = recognise,
    .open = open_reading,
    .feed = feed,
    .end = end,
    .close = close_reading,
};
