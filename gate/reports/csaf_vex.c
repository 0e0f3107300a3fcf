// CSAF 2.0 and 2.1, VEX profile (and advisories, which have the same parts): for each vulnerability
// one statement for each status, with the products that it is said of. What a product is called
// stands in the product tree, whose relationships lead from a part in a product to the part.
#include "gate/base/limits.h"
#include "gate/base/moment.h"
#include "gate/reports/json_walk.h"
#include "gate/reports/products.h"
#include "gate/reports/registry.h"
#include "gate/reports/statement_draft.h"

enum {
    ROOT = 1,
    DOCUMENT,
    CATEGORY,
    TRACKING,
    RELEASED,
    GENERATOR,
    ENGINE,
    ENGINE_NAME,
    ENGINE_VERSION,
    TREE,
    BRANCHES,
    BRANCH,
    FULL_NAMES,
    PRODUCT,
    PRODUCT_ID,
    HELPER,
    PURL,
    PURLS,
    RELATIONSHIPS,
    RELATIONSHIP,
    PART,
    VULNS,
    VULN,
    CVE,
    IDS,
    ID,
    ID_TEXT,
    STATUS,
    AFFECTED, // lists of product ids
    FIXED,
    NOT_AFFECTED,
    IN_TRIAGE,
    AFFECTED_ONE,
    FIXED_ONE,
    NOT_AFFECTED_ONE,
    IN_TRIAGE_ONE,
    FLAGS,
    FLAG,
    LABEL,
    THREATS,
    THREAT,
    THREAT_CATEGORY,
    THREAT_DETAILS,
    PLACES,
};

static const struct json_step steps[] = {
    {JSON_OUTERMOST, NULL, ROOT | JSON_IS_MAP},
    {ROOT, "document", DOCUMENT | JSON_IS_MAP},
    {DOCUMENT, "category", CATEGORY | JSON_IS_TEXT},
    {DOCUMENT, "tracking", TRACKING | JSON_IS_MAP},
    {TRACKING, "current_release_date", RELEASED | JSON_IS_TEXT},
    {TRACKING, "generator", GENERATOR | JSON_IS_MAP},
    {GENERATOR, "engine", ENGINE | JSON_IS_MAP},
    {ENGINE, "name", ENGINE_NAME | JSON_IS_TEXT},
    {ENGINE, "version", ENGINE_VERSION | JSON_IS_TEXT},
    {ROOT, "product_tree", TREE | JSON_IS_MAP},
    {TREE, "branches", BRANCHES | JSON_IS_LIST},
    {BRANCHES, NULL, BRANCH | JSON_IS_MAP},
    {BRANCH, "branches", BRANCHES | JSON_IS_LIST},
    {BRANCH, "product", PRODUCT | JSON_IS_MAP},
    {TREE, "full_product_names", FULL_NAMES | JSON_IS_LIST},
    {FULL_NAMES, NULL, PRODUCT | JSON_IS_MAP},
    {PRODUCT, "product_id", PRODUCT_ID | JSON_IS_TEXT},
    {PRODUCT, "product_identification_helper", HELPER | JSON_IS_MAP},
    {HELPER, "purl", PURL | JSON_IS_TEXT},
    {HELPER, "purls", PURLS | JSON_IS_LIST},
    {PURLS, NULL, PURL | JSON_IS_TEXT},
    {TREE, "relationships", RELATIONSHIPS | JSON_IS_LIST},
    {RELATIONSHIPS, NULL, RELATIONSHIP | JSON_IS_MAP},
    {RELATIONSHIP, "full_product_name", PRODUCT | JSON_IS_MAP},
    {RELATIONSHIP, "product_reference", PART | JSON_IS_TEXT},
    {ROOT, "vulnerabilities", VULNS | JSON_IS_LIST},
    {VULNS, NULL, VULN | JSON_IS_MAP},
    {VULN, "cve", CVE | JSON_IS_TEXT},
    {VULN, "ids", IDS | JSON_IS_LIST},
    {IDS, NULL, ID | JSON_IS_MAP},
    {ID, "text", ID_TEXT | JSON_IS_TEXT},
    {VULN, "product_status", STATUS | JSON_IS_MAP},
    {STATUS, "known_affected", AFFECTED | JSON_IS_LIST},
    {STATUS, "first_affected", AFFECTED | JSON_IS_LIST},
    {STATUS, "last_affected", AFFECTED | JSON_IS_LIST},
    {AFFECTED, NULL, AFFECTED_ONE | JSON_IS_TEXT},
    {STATUS, "fixed", FIXED | JSON_IS_LIST},
    {STATUS, "first_fixed", FIXED | JSON_IS_LIST},
    {FIXED, NULL, FIXED_ONE | JSON_IS_TEXT},
    {STATUS, "known_not_affected", NOT_AFFECTED | JSON_IS_LIST},
    {NOT_AFFECTED, NULL, NOT_AFFECTED_ONE | JSON_IS_TEXT},
    {STATUS, "under_investigation", IN_TRIAGE | JSON_IS_LIST},
    {IN_TRIAGE, NULL, IN_TRIAGE_ONE | JSON_IS_TEXT},
    {VULN, "flags", FLAGS | JSON_IS_LIST},
    {FLAGS, NULL, FLAG | JSON_IS_MAP},
    {FLAG, "label", LABEL | JSON_IS_TEXT},
    {VULN, "threats", THREATS | JSON_IS_LIST},
    {THREATS, NULL, THREAT | JSON_IS_MAP},
    {THREAT, "category", THREAT_CATEGORY | JSON_IS_TEXT},
    {THREAT, "details", THREAT_DETAILS | JSON_IS_TEXT},
    {0},
};

enum { KINDS = 4 };
static const enum statement_kind kinds[KINDS] = {STATEMENT_AFFECTED, STATEMENT_FIXED,
                                                 STATEMENT_NOT_AFFECTED, STATEMENT_IN_TRIAGE};

struct reading {
    struct evidence *evidence;
    uint32_t report;
    struct json_walk *walk;
    struct products products;
    bool in_product;     // the newest one is open
    struct text part;    // of the open relationship
    size_t relationship; // its product, when there is one
    bool related;
    struct statement_draft drafts[KINDS]; // of the open vulnerability: one for each status
    uint64_t offset;                      // of it
    struct text cve, ids;                 // ids: each followed by a NUL
    struct text labels, impact, category, details;
    struct text engine, engine_version;
    int64_t made_ms;
};

static int recognise(const struct report_head *head)
{
    if (!head->is_json || head->values != 1 || head->seen[0].type != JSON_MAP_OPEN)
        return 0;
    str category = report_head_text(head, "document", "category", NULL);
    return report_head_has(head, "document", "csaf_version", NULL) ||
                   (str_starts(category, STR("csaf_")) &&
                    report_head_has(head, "document", "tracking", NULL))
               ? 95
               : 0;
}

// ---- events ------------------------------------------------------------------------------------

static void begin_vuln(struct reading *r, uint64_t offset)
{
    r->offset = offset;
    for (int i = 0; i < KINDS; i++) {
        statement_draft_clear(&r->drafts[i]);
        r->drafts[i].kind = kinds[i];
    }
    text_clear(&r->cve);
    text_clear(&r->ids);
    text_clear(&r->labels);
    text_clear(&r->impact);
}

static bool on_begin(void *context, int place, str key, const struct json_event *event,
                     struct error *err)
{
    struct reading *r = context;
    (void)key, (void)err;
    if (place == PRODUCT) {
        r->relationship = r->products.count;
        r->related = r->in_product = true;
        (void)products_add(&r->products);
    } else if (place == RELATIONSHIP) {
        r->related = false;
        text_clear(&r->part);
    } else if (place == VULN) {
        begin_vuln(r, event->offset);
    } else if (place == THREAT) {
        text_clear(&r->category);
        text_clear(&r->details);
    }
    return true;
}

static void end_threat(struct reading *r)
{
    if (str_is(text_str(&r->category), "impact") && r->impact.len == 0)
        text_add(&r->impact, text_str(&r->details));
}

static void end_relationship(struct reading *r)
{
    if (r->related)
        r->products.items[r->relationship].of = arena_str(&r->products.arena, text_str(&r->part));
}

static bool end_vuln(struct reading *r, struct error *err)
{
    str ids = text_str(&r->ids), why = text_str(&r->labels);
    str id = r->cve.len ? text_str(&r->cve) : str_cut(&ids, '\0');
    for (int i = 0; i < KINDS; i++) {
        struct statement_draft *draft = &r->drafts[i];
        if (draft->products.len == 0)
            continue;
        statement_draft_id(draft, id);
        for (str rest = ids; rest.len;)
            statement_draft_alias(draft, str_cut(&rest, '\0'));
        if (draft->kind == STATEMENT_NOT_AFFECTED)
            statement_draft_why(draft, why.len ? why : text_str(&r->impact));
        if (!statement_draft_take(draft, r->evidence, r->report, r->offset, err))
            return false;
        if (draft->kind == STATEMENT_NOT_AFFECTED && draft->justification.len == 0)
            report_suspect(r->evidence, &r->evidence->reports[r->report],
                           "nothing says why products are not affected by " STR_FMT,
                           STR_ARG(str_shorten(id, 80)));
    }
    return true;
}

static bool on_end(void *context, int place, const struct json_event *event, struct error *err)
{
    struct reading *r = context;
    (void)event;
    if (place == PRODUCT)
        r->in_product = false;
    else if (place == RELATIONSHIP)
        end_relationship(r);
    else if (place == THREAT)
        end_threat(r);
    return place != VULN || end_vuln(r, err);
}

static void replace(struct text *text, str value)
{
    text_clear(text);
    text_add(text, value);
}

static void add_label(struct reading *r, str label)
{
    str rest = text_str(&r->labels);
    while (rest.len)
        if (str_eq(str_trim(str_cut(&rest, ',')), label))
            return;
    text_addf(&r->labels, "%s" STR_FMT, r->labels.len ? ", " : "", STR_ARG(label));
}

static void product_value(struct reading *r, int place, str value)
{
    struct product *one = &r->products.items[r->products.count - 1];
    if (!r->in_product)
        return;
    if (place == PRODUCT_ID)
        one->ref = arena_str(&r->products.arena, value);
    else if (one->purl.len == 0)
        one->purl = arena_str(&r->products.arena, value);
}

static bool on_value(void *context, int place, str key, const struct json_event *event,
                     struct error *err)
{
    struct reading *r = context;
    (void)key;
    if (place == VULN)
        return json_walk_refuse(r->walk, event, err, "an element of vulnerabilities is null");
    if (event->type == JSON_NULL)
        return true;
    switch (place) {
    case CATEGORY:
        return str_starts(event->text, STR("csaf_")) ||
               json_walk_refuse(r->walk, event, err, "the category is `" STR_FMT "`, not csaf_vex",
                                STR_ARG(str_shorten(event->text, 40)));
    case RELEASED:
        return moment_parse(event->text, &r->made_ms) ||
               json_walk_refuse(r->walk, event, err, "`" STR_FMT "` is not a moment",
                                STR_ARG(str_shorten(event->text, 40)));
    case ENGINE_NAME:
        replace(&r->engine, event->text);
        break;
    case ENGINE_VERSION:
        replace(&r->engine_version, event->text);
        break;
    case PRODUCT_ID:
    case PURL:
        product_value(r, place, event->text);
        break;
    case PART:
        replace(&r->part, event->text);
        break;
    case CVE:
        replace(&r->cve, event->text);
        break;
    case ID_TEXT:
        text_add(&r->ids, event->text);
        text_addc(&r->ids, '\0');
        break;
    case AFFECTED_ONE:
    case FIXED_ONE:
    case NOT_AFFECTED_ONE:
    case IN_TRIAGE_ONE:
        statement_draft_product(&r->drafts[place - AFFECTED_ONE], event->text);
        break;
    case LABEL:
        add_label(r, event->text);
        break;
    case THREAT_CATEGORY:
        replace(&r->category, event->text);
        break;
    case THREAT_DETAILS:
        replace(&r->details, event->text);
        break;
    default:
        break;
    }
    return true;
}

// ---- the reader --------------------------------------------------------------------------------

static void all_texts(struct reading *r, void (*each)(struct text *))
{
    struct text *const texts[] = {&r->part,    &r->cve,    &r->ids,
                                  &r->labels,  &r->impact, &r->category,
                                  &r->details, &r->engine, &r->engine_version};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        each(texts[i]);
}

static void make_text(struct text *text)
{
    *text = text_of(LIMIT_TOKEN_BYTES);
}

static bool open_reading(struct evidence *evidence, uint32_t report, struct reading **ret,
                         struct error *err)
{
    static const struct json_walk_handler handler = {on_begin, on_value, on_end};
    (void)err;
    struct reading *r = memory_alloc(sizeof *r);
    r->evidence = evidence;
    r->report = report;
    all_texts(r, make_text);
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
    products_index(&r->products);
    report->made_ms = r->made_ms;
    report_tool(r->evidence, report, text_str(&r->engine), text_str(&r->engine_version));
    for (size_t i = 0; i < all->count; i++) {
        struct statement *one = &all->items[i];
        one->at_ms = r->made_ms;
        for (size_t k = 0; k < one->product_count; k++) {
            str name = products_name(&r->products, one->products[k]);
            if (!str_eq(name, one->products[k]))
                one->products[k] = arena_str(&r->evidence->arena, name);
        }
    }
    report->empty = all->count == 0;
    if (report->empty)
        report_suspect(r->evidence, report, "the document holds no statement");
    return true;
}

static void close_reading(struct reading *r)
{
    json_walk_close(r->walk);
    products_done(&r->products);
    for (int i = 0; i < KINDS; i++)
        statement_draft_done(&r->drafts[i]);
    all_texts(r, text_done);
    memory_free(r);
}

const struct report_reader csaf_vex_reader = {
    .name = "csaf-vex",
    .title = "CSAF VEX",
    .form = REPORT_JSON,
    .kind = EVIDENCE_STATEMENTS,
    .recognise = recognise,
    .open = open_reading,
    .feed = feed,
    .end = end,
    .close = close_reading,
};
