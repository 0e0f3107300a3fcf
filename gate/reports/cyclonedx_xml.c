// Since 1.4 vulnerabilities stand in a list of their own; before that an extension put them into
// the component that they were found in.
#include "gate/base/limits.h"
#include "gate/doc/xml.h"
#include "gate/reports/cyclonedx_syntax.h"

enum element {
    OTHER,
    METADATA,
    TOOLS,
    TOOL,
    COMPONENT,
    VULNS,
    VULN,
    REFERENCE,
    RATING,
    SCORE, // of the extension: holds <base>
    ANALYSIS,
    TARGET,
};

static const struct {
    const char *name;
    enum element element;
} elements[] = {{"metadata", METADATA},   {"tools", TOOLS},           {"tool", TOOL},
                {"component", COMPONENT}, {"vulnerabilities", VULNS}, {"vulnerability", VULN},
                {"reference", REFERENCE}, {"rating", RATING},         {"score", SCORE},
                {"analysis", ANALYSIS},   {"target", TARGET}};

// The text of an element of that name in such an element is a field.
static const struct leaf {
    enum element in;
    const char *name;
    enum bom_field field;
} leaves[] = {
    {METADATA, "timestamp", BOM_TIMESTAMP},
    {TOOL, "name", BOM_TOOL_NAME},
    {TOOL, "version", BOM_TOOL_VERSION},
    {COMPONENT, "name", BOM_NAME},
    {COMPONENT, "version", BOM_VERSION},
    {COMPONENT, "purl", BOM_PURL},
    {VULN, "id", BOM_ID},
    {VULN, "description", BOM_DESCRIPTION},
    {VULN, "updated", BOM_UPDATED},
    {REFERENCE, "id", BOM_ALIAS},
    {RATING, "score", BOM_SCORE},
    {SCORE, "base", BOM_SCORE},
    {RATING, "severity", BOM_SEVERITY},
    {RATING, "method", BOM_METHOD},
    {RATING, "vector", BOM_VECTOR},
    {ANALYSIS, "state", BOM_STATE},
    {ANALYSIS, "justification", BOM_JUSTIFICATION},
    {ANALYSIS, "detail", BOM_DETAIL},
    {ANALYSIS, "firstIssued", BOM_ANALYSED},
    {ANALYSIS, "lastUpdated", BOM_ANALYSED},
    {TARGET, "ref", BOM_AFFECTS},
};

struct document {
    struct bom *bom;
    struct xml *xml;
    enum element open[LIMIT_DOC_DEPTH + 2];
    bool in_tools, in_vulnerability;
    const struct leaf *leaf; // whose text is gathered; null = none
    struct text text;
};

static const char *local(const char *name)
{
    const char *colon = strrchr(name, ':');
    return colon ? colon + 1 : name;
}

static const struct leaf *leaf_of(const struct document *d, enum element in, const char *name)
{
    // Inside a vulnerability stand other people's tools and sources.
    if (in == OTHER || (d->in_vulnerability && (in == TOOL || in == COMPONENT)))
        return NULL;
    for (size_t i = 0; i < sizeof leaves / sizeof *leaves; i++)
        if (leaves[i].in == in && strcmp(leaves[i].name, name) == 0)
            return &leaves[i];
    return NULL;
}

static bool open_vulnerability(struct document *d, const char **attributes, struct error *err)
{
    if (d->in_vulnerability)
        return error_set(err, ERROR_INPUT, "a <vulnerability> stands inside another one");
    const char *ref = xml_attribute(attributes, "ref");
    d->in_vulnerability = true;
    bom_vulnerability_begin(d->bom, xml_offset(d->xml));
    if (ref)
        bom_set(d->bom, BOM_AFFECTS, str_of(ref));
    return true;
}

static bool on_open(void *context, const char *qualified, const char **attributes,
                    struct error *err)
{
    struct document *d = context;
    const char *name = local(qualified);
    unsigned depth = xml_depth(d->xml);
    enum element element = OTHER, in = depth > 1 ? d->open[depth - 1] : OTHER;
    if (depth == 1 && strcmp(name, "bom") != 0)
        return error_set(err, ERROR_INPUT, "the root element is <%s>, not <bom>", name);
    for (size_t i = 0; i < sizeof elements / sizeof *elements; i++)
        if (elements[i].name[0] == name[0] && strcmp(elements[i].name, name) == 0)
            element = elements[i].element;
    if (element == COMPONENT && d->in_tools)
        element = TOOL; // since 1.5
    d->open[depth] = element;
    d->leaf = leaf_of(d, in, name);
    text_clear(&d->text);
    d->text.full = false;
    if (element == TOOLS && in == METADATA)
        d->in_tools = true;
    if (element == VULNS)
        d->bom->listed = true;
    if (element == VULN)
        return open_vulnerability(d, attributes, err);
    if (element == COMPONENT && !d->in_vulnerability) {
        const char *ref = xml_attribute(attributes, "bom-ref");
        bom_component_begin(d->bom, in != METADATA);
        if (ref)
            bom_set(d->bom, BOM_REF, str_of(ref));
    } else if (element == RATING && d->in_vulnerability) {
        bom_rating_begin(d->bom);
    }
    return true;
}

static bool on_close(void *context, const char *qualified, struct error *err)
{
    struct document *d = context;
    unsigned depth = xml_depth(d->xml);
    enum element element = d->open[depth];
    (void)qualified;
    if (d->leaf) {
        if (text_full(&d->text))
            return error_set(err, ERROR_LIMIT, "the text of <%s> is longer than %u KiB",
                             d->leaf->name, LIMIT_TOKEN_BYTES >> 10);
        bom_set(d->bom, d->leaf->field, str_trim(text_str(&d->text)));
    }
    d->leaf = NULL;
    if (element == TOOLS)
        d->in_tools = false;
    if (element == COMPONENT && !d->in_vulnerability)
        bom_component_end(d->bom);
    if (element == RATING && d->in_vulnerability)
        return bom_rating_end(d->bom, err);
    if (element != VULN)
        return true;
    d->in_vulnerability = false;
    return bom_vulnerability_end(d->bom, err);
}

static bool on_text(void *context, str text, struct error *err)
{
    struct document *d = context;
    (void)err;
    if (d->leaf)
        text_add(&d->text, text);
    return true;
}

static void *open_document(struct bom *bom, const char *path)
{
    struct document *d = memory_alloc(sizeof *d);
    struct xml_handler handler = {
        .open = on_open, .close = on_close, .text = on_text, .context = d};
    d->bom = bom;
    d->text = text_of(LIMIT_TOKEN_BYTES);
    d->xml = xml_open(path, &handler);
    return d;
}

static bool feed(void *context, str bytes, struct error *err)
{
    struct document *d = context;
    return xml_feed(d->xml, bytes, err);
}

static bool end(void *context, struct error *err)
{
    struct document *d = context;
    return xml_end(d->xml, err);
}

static void close_document(void *context)
{
    struct document *d = context;
    xml_close(d->xml);
    text_done(&d->text);
    memory_free(d);
}

const struct cyclonedx_syntax cyclonedx_xml = {open_document, feed, end, close_document};
