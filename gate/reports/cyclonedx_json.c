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
    {ROOT, "bomFormat", FORMAT},
    {ROOT, "$schema", SCHEMA},
    {ROOT, "metadata", METADATA},
    {METADATA, "timestamp", TIMESTAMP},
    {METADATA, "tools", TOOLS},
    {TOOLS, NULL, TOOL},
    {TOOLS, "components", TOOLS},
    {TOOL, "name", TOOL_NAME},
    {TOOL, "version", TOOL_VERSION},
    {METADATA, "component", SUBJECT},
    {SUBJECT, "bom-ref", REF},
    {SUBJECT, "purl", PURL},
    {SUBJECT, "name", NAME},
    {SUBJECT, "version", VERSION},
    {SUBJECT, "components", COMPONENTS},
    {ROOT, "components", COMPONENTS},
    {COMPONENTS, NULL, COMPONENT},
    {COMPONENT, "bom-ref", REF},
    {COMPONENT, "purl", PURL},
    {COMPONENT, "name", NAME},
    {COMPONENT, "version", VERSION},
    {COMPONENT, "components", COMPONENTS},
    {ROOT, "vulnerabilities", VULNS},
    {VULNS, NULL, VULN},
    {VULN, "id", ID},
    {VULN, "description", DESCRIPTION},
    {VULN, "updated", UPDATED},
    {VULN, "references", REFERENCES},
    {REFERENCES, NULL, REFERENCE},
    {REFERENCE, "id", REFERENCE_ID},
    {VULN, "ratings", RATINGS},
    {RATINGS, NULL, RATING},
    {RATING, "score", SCORE},
    {RATING, "severity", SEVERITY},
    {RATING, "method", METHOD},
    {RATING, "vector", VECTOR},
    {VULN, "analysis", ANALYSIS},
    {ANALYSIS, "state", STATE},
    {ANALYSIS, "justification", JUSTIFICATION},
    {ANALYSIS, "detail", DETAIL},
    {ANALYSIS, "firstIssued", ANALYSED},
    {ANALYSIS, "lastUpdated", ANALYSED}, // stands later, and counts more
    {VULN, "affects", AFFECTS},
    {AFFECTS, NULL, AFFECTED},
    {AFFECTED, "ref", AFFECTED_REF},
    {0},
};

static const struct json_form forms[PLACES] = {
    [ROOT] = {'m', "the document"},
    [FORMAT] = {'s', "bomFormat"},
    [METADATA] = {'m', "metadata"},
    [TIMESTAMP] = {'s', "timestamp"},
    [TOOL] = {'m', "a tool"},
    [TOOL_NAME] = {'s', "the name of a tool"},
    [TOOL_VERSION] = {'s', "the version of a tool"},
    [SUBJECT] = {'m', "component"},
    [COMPONENTS] = {'l', "components"},
    [COMPONENT] = {'m', "an element of components"},
    [REF] = {'s', "bom-ref"},
    [PURL] = {'s', "purl"},
    [NAME] = {'s', "the name of a component"},
    [VERSION] = {'s', "the version of a component"},
    [VULNS] = {'l', "vulnerabilities"},
    [VULN] = {'m', "an element of vulnerabilities"},
    [ID] = {'s', "the id of a vulnerability"},
    [DESCRIPTION] = {'s', "the description of a vulnerability"},
    [UPDATED] = {'s', "updated"},
    [REFERENCES] = {'l', "references"},
    [REFERENCE] = {'m', "an element of references"},
    [REFERENCE_ID] = {'s', "the id of a reference"},
    [RATINGS] = {'l', "ratings"},
    [RATING] = {'m', "an element of ratings"},
    [SCORE] = {'n', "the score of a rating"},
    [SEVERITY] = {'s', "the severity of a rating"},
    [METHOD] = {'s', "the method of a rating"},
    [VECTOR] = {'s', "the vector of a rating"},
    [ANALYSIS] = {'m', "analysis"},
    [STATE] = {'s', "the state of an analysis"},
    [JUSTIFICATION] = {'s', "the justification of an analysis"},
    [DETAIL] = {'s', "the detail of an analysis"},
    [ANALYSED] = {'s', "the time of an analysis"},
    [AFFECTS] = {'l', "affects"},
    [AFFECTED] = {'m', "an element of affects"},
    [AFFECTED_REF] = {'s', "ref"},
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
    (void)key;
    if (!json_walk_fits(document->walk, forms, place, event, err))
        return false;
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
    if (!json_walk_fits(document->walk, forms, place, event, err))
        return false;
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
