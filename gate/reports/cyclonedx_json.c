#include "gate/reports/cyclonedx_syntax.h"
#include "gate/reports/json_walk.h"

enum {
    ROOT = 1,
    FORMAT,
    SCHEMA,
    METADATA,
    TIMESTAMP,
    TOOLS, // a list of tools, or a map with components
    TOOL,
    TOOL_NAME,
    TOOL_VERSION,
    SUBJECT, // metadata.component
    COMPONENTS,
    COMPONENT,
    REF,
    PURL,
    NAME,
    VERSION,
    VULNS,
    VULN,
    ID,
    DESCRIPTION,
    UPDATED,
    REFERENCES,
    REFERENCE,
    REFERENCE_ID,
    RATINGS,
    RATING,
    SCORE,
    SEVERITY,
    METHOD,
    VECTOR,
    ANALYSIS,
    STATE,
    JUSTIFICATION,
    DETAIL,
    ANALYSED,
    AFFECTS,
    AFFECTED,
    AFFECTED_REF,
    PLACES,
};

static const struct json_step steps[] = {
    {JSON_OUTERMOST, NULL, ROOT | JSON_IS_MAP},
    {ROOT, "bomFormat", FORMAT | JSON_IS_TEXT},
    {ROOT, "$schema", SCHEMA},
    {ROOT, "metadata", METADATA | JSON_IS_MAP},
    {METADATA, "timestamp", TIMESTAMP | JSON_IS_TEXT},
    {METADATA, "tools", TOOLS},
    {TOOLS, NULL, TOOL | JSON_IS_MAP},
    {TOOLS, "components", TOOLS},
    {TOOL, "name", TOOL_NAME | JSON_IS_TEXT},
    {TOOL, "version", TOOL_VERSION | JSON_IS_TEXT},
    {METADATA, "component", SUBJECT | JSON_IS_MAP},
    {SUBJECT, "bom-ref", REF | JSON_IS_TEXT},
    {SUBJECT, "purl", PURL | JSON_IS_TEXT},
    {SUBJECT, "name", NAME | JSON_IS_TEXT},
    {SUBJECT, "version", VERSION | JSON_IS_TEXT},
    {SUBJECT, "components", COMPONENTS | JSON_IS_LIST},
    {ROOT, "components", COMPONENTS | JSON_IS_LIST},
    {COMPONENTS, NULL, COMPONENT | JSON_IS_MAP},
    {COMPONENT, "bom-ref", REF | JSON_IS_TEXT},
    {COMPONENT, "purl", PURL | JSON_IS_TEXT},
    {COMPONENT, "name", NAME | JSON_IS_TEXT},
    {COMPONENT, "version", VERSION | JSON_IS_TEXT},
    {COMPONENT, "components", COMPONENTS | JSON_IS_LIST},
    {ROOT, "vulnerabilities", VULNS | JSON_IS_LIST},
    {VULNS, NULL, VULN | JSON_IS_MAP},
    {VULN, "id", ID | JSON_IS_TEXT},
    {VULN, "description", DESCRIPTION | JSON_IS_TEXT},
    {VULN, "updated", UPDATED | JSON_IS_TEXT},
    {VULN, "references", REFERENCES | JSON_IS_LIST},
    {REFERENCES, NULL, REFERENCE | JSON_IS_MAP},
    {REFERENCE, "id", REFERENCE_ID | JSON_IS_TEXT},
    {VULN, "ratings", RATINGS | JSON_IS_LIST},
    {RATINGS, NULL, RATING | JSON_IS_MAP},
    {RATING, "score", SCORE | JSON_IS_NUMBER},
    {RATING, "severity", SEVERITY | JSON_IS_TEXT},
    {RATING, "method", METHOD | JSON_IS_TEXT},
    {RATING, "vector", VECTOR | JSON_IS_TEXT},
    {VULN, "analysis", ANALYSIS | JSON_IS_MAP},
    {ANALYSIS, "state", STATE | JSON_IS_TEXT},
    {ANALYSIS, "justification", JUSTIFICATION | JSON_IS_TEXT},
    {ANALYSIS, "detail", DETAIL | JSON_IS_TEXT},
    {ANALYSIS, "firstIssued", ANALYSED | JSON_IS_TEXT},
    {ANALYSIS, "lastUpdated", ANALYSED | JSON_IS_TEXT}, // stands later, and counts more
    {VULN, "affects", AFFECTS | JSON_IS_LIST},
    {AFFECTS, NULL, AFFECTED | JSON_IS_MAP},
    {AFFECTED, "ref", AFFECTED_REF | JSON_IS_TEXT},
    {0},
};

// Which field a value is.
static const unsigned char fields[PLACES] = {
    [TIMESTAMP] = BOM_TIMESTAMP,
    [TOOL_NAME] = BOM_TOOL_NAME,
    [TOOL_VERSION] = BOM_TOOL_VERSION,
    [REF] = BOM_REF,
    [PURL] = BOM_PURL,
    [NAME] = BOM_NAME,
    [VERSION] = BOM_VERSION,
    [ID] = BOM_ID,
    [DESCRIPTION] = BOM_DESCRIPTION,
    [UPDATED] = BOM_UPDATED,
    [REFERENCE_ID] = BOM_ALIAS,
    [SCORE] = BOM_SCORE,
    [SEVERITY] = BOM_SEVERITY,
    [METHOD] = BOM_METHOD,
    [VECTOR] = BOM_VECTOR,
    [STATE] = BOM_STATE,
    [JUSTIFICATION] = BOM_JUSTIFICATION,
    [DETAIL] = BOM_DETAIL,
    [ANALYSED] = BOM_ANALYSED,
    [AFFECTED_REF] = BOM_AFFECTS,
};

struct document {
    struct bom *bom;
    struct json_walk *walk;
    const char *path;
    bool named; // it says that it is CycloneDX
};

static bool on_begin(void *context, int place, str key, const struct json_event *event,
                     struct error *err)
{
    struct document *document = context;
    (void)key, (void)err;
    if (place == SUBJECT || place == COMPONENT)
        bom_component_begin(document->bom, place == COMPONENT);
    else if (place == VULNS)
        document->bom->listed = true;
    else if (place == VULN)
        bom_vulnerability_begin(document->bom, event->offset);
    else if (place == RATING)
        bom_rating_begin(document->bom);
    return true;
}

static bool on_end(void *context, int place, const struct json_event *event, struct error *err)
{
    struct document *document = context;
    (void)event;
    if (place == SUBJECT || place == COMPONENT)
        bom_component_end(document->bom);
    if (place == RATING)
        return bom_rating_end(document->bom, err);
    return place != VULN || bom_vulnerability_end(document->bom, err);
}

static bool on_value(void *context, int place, str key, const struct json_event *event,
                     struct error *err)
{
    struct document *document = context;
    (void)key;
    if (place == VULN)
        return json_walk_refuse(document->walk, event, err,
                                "an element of vulnerabilities is null");
    if (place == FORMAT && !str_is(event->text, "CycloneDX"))
        return json_walk_refuse(document->walk, event, err, "bomFormat is not `CycloneDX`");
    if (place == FORMAT ||
        (place == SCHEMA && str_search(event->text, STR("cyclonedx.org/")) != STR_NONE))
        document->named = true;
    if (event->type != JSON_NULL && fields[place] != BOM_NOTHING)
        bom_set(document->bom, fields[place], event->text);
    return true;
}

static void *open_document(struct bom *bom, const char *path)
{
    static const struct json_walk_handler handler = {on_begin, on_value, on_end};
    struct document *document = memory_alloc(sizeof *document);
    document->bom = bom;
    document->path = path;
    document->walk = json_walk_open(path, steps, &handler, document);
    return document;
}

static bool feed(void *context, str bytes, struct error *err)
{
    struct document *document = context;
    return json_walk_feed(document->walk, bytes, err);
}

static bool end(void *context, struct error *err)
{
    struct document *document = context;
    if (!json_walk_end(document->walk, err))
        return false;
    return document->named || error_at(err, ERROR_INPUT, (struct position){document->path, 1, 1},
                                       "bomFormat is missing: this is not CycloneDX");
}

static void close_document(void *context)
{
    struct document *document = context;
    json_walk_close(document->walk);
    memory_free(document);
}

const struct cyclonedx_syntax cyclonedx_json = {open_document, feed, end, close_document};
