// An entry with an analysis is a VEX statement; one without is a finding. What is exploitable or
// still looked at is a finding as well where the document is an inventory that was scanned, and not
// only a statement about a product. Each affected component is one finding.
#include "gate/reports/cyclonedx_bom.h"

#include "gate/base/limits.h"
#include "gate/base/moment.h"
#include "gate/base/number.h"
#include "gate/judge/cvss.h"
#include "gate/reports/purl.h"

void bom_open(struct bom *bom, struct evidence *evidence, uint32_t report)
{
    *bom = (struct bom){.evidence = evidence, .report = report};
    for (int i = 0; i < BOM_FIELDS; i++)
        bom->fields[i] = text_of(LIMIT_TOKEN_BYTES);
}

void bom_done(struct bom *bom)
{
    for (int i = 0; i < BOM_FIELDS; i++)
        text_done(&bom->fields[i]);
    statement_draft_done(&bom->statement);
    draft_done(&bom->draft);
    products_done(&bom->components);
}

static str field(const struct bom *bom, enum bom_field which)
{
    return text_str(&bom->fields[which]);
}

// ---- components --------------------------------------------------------------------------------

void bom_component_begin(struct bom *bom, bool listed)
{
    bom->inventory |= listed;
    if (bom->nesting < BOM_NESTING)
        bom->nested[bom->nesting] = bom->components.count;
    bom->nesting++;
    (void)products_add(&bom->components);
}

void bom_component_end(struct bom *bom)
{
    bom->nesting--;
}

static void set_component(struct bom *bom, enum bom_field which, str value)
{
    if (bom->nesting == 0 || bom->nesting > BOM_NESTING)
        return;
    struct arena *arena = &bom->components.arena;
    struct product *one = &bom->components.items[bom->nested[bom->nesting - 1]];
    if (which == BOM_REF)
        one->ref = arena_str(arena, value);
    else if (which == BOM_PURL)
        one->purl = str_eq(one->ref, value) ? one->ref : arena_str(arena, value);
    else if (which == BOM_NAME)
        one->name = arena_str(arena, value);
    else if (which == BOM_VERSION)
        one->version = arena_str(arena, value);
}

// ---- a vulnerability ---------------------------------------------------------------------------

void bom_vulnerability_begin(struct bom *bom, uint64_t offset)
{
    bom->listed = bom->open = true;
    bom->offset = offset;
    draft_clear(&bom->draft);
    for (int i = BOM_ID; i < BOM_FIELDS; i++)
        text_clear(&bom->fields[i]);
    statement_draft_clear(&bom->statement);
}

void bom_set(struct bom *bom, enum bom_field which, str value)
{
    if (which >= BOM_REF && which <= BOM_VERSION) {
        set_component(bom, which, value);
    } else if (which == BOM_ALIAS) {
        if (bom->open) {
            draft_alias(&bom->draft, value);
            statement_draft_alias(&bom->statement, value);
        }
    } else if (which == BOM_AFFECTS) {
        if (bom->open)
            statement_draft_product(&bom->statement, value);
    } else if (which != BOM_TOOL_NAME || bom->fields[which].len == 0) { // the first tool
        text_clear(&bom->fields[which]);
        text_add(&bom->fields[which], value);
    }
}

void bom_rating_begin(struct bom *bom)
{
    for (int i = BOM_SCORE; i <= BOM_VECTOR; i++)
        text_clear(&bom->fields[i]);
}

// 0: not a CVSS score; 1: not said.
static unsigned version_of(str method)
{
    static const struct {
        const char *name;
        unsigned version;
    } methods[] = {{"CVSSv2", 200}, {"CVSSv3", 300}, {"CVSSv31", 310}, {"CVSSv4", 400}, {"", 1}};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (str_is(method, methods[i].name))
            return methods[i].version;
    return 0;
}

bool bom_rating_end(struct bom *bom, struct error *err)
{
    str vector = str_trim(field(bom, BOM_VECTOR)), said = str_trim(field(bom, BOM_SCORE));
    enum severity severity = severity_of(str_trim(field(bom, BOM_SEVERITY)));
    unsigned version = version_of(str_trim(field(bom, BOM_METHOD)));
    double score = SCORE_UNKNOWN;
    struct cvss computed;
    struct error why;
    if (severity > bom->draft.severity)
        bom->draft.severity = severity;
    if (version == 0)
        return true;
    if (said.len && (!number_double(said, &score) || score < 0 || score > 10))
        return error_set(err, ERROR_INPUT,
                         "the score of a rating is not from 0 to 10: `" STR_FMT "`",
                         STR_ARG(str_shorten(said, 40)));
    if (version == 1 && vector.len)
        version = cvss_version(vector);
    if (score < 0 && vector.len) {
        if (!cvss_base(vector, version == 1 ? 0 : version, &computed, &why)) {
            report_suspect(bom->evidence, &bom->evidence->reports[bom->report], "%s", why.message);
            return true;
        }
        version = computed.version;
        score = computed.score;
    }
    // Some writers put 0 where they know no score.
    if (score >= 0 && !(version == 1 && score <= 0))
        draft_cvss(&bom->draft, version, score, vector);
    return true;
}

// ---- its end -----------------------------------------------------------------------------------

struct state {
    const char *word;
    enum statement_kind kind;
    bool open; // it may still be there
};

static const struct state *state_of(str word)
{
    static const struct state states[] = {
        {"resolved", STATEMENT_FIXED, false},
        {"resolved_with_pedigree", STATEMENT_FIXED, false},
        {"exploitable", STATEMENT_AFFECTED, true},
        {"in_triage", STATEMENT_IN_TRIAGE, true},
        {"false_positive", STATEMENT_NOT_AFFECTED, false},
        {"not_affected", STATEMENT_NOT_AFFECTED, false},
    };
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (str_is(word, states[i].word))
            return &states[i];
    return NULL;
}

// One finding for each reference, which stands in its purl until all components are known.
static bool add_findings(struct bom *bom, struct error *err)
{
    str rest = text_str(&bom->statement.products);
    draft_set(&bom->draft, DRAFT_TITLE, field(bom, BOM_DESCRIPTION));
    do {
        draft_set(&bom->draft, DRAFT_PURL, str_cut(&rest, '\0'));
        if (!draft_take(&bom->draft, bom->evidence, bom->report, bom->offset, err))
            return false;
    } while (rest.len);
    return true;
}

static bool add_statement(struct bom *bom, enum statement_kind kind, struct error *err)
{
    struct statement_draft *draft = &bom->statement;
    statement_draft_id(draft, field(bom, BOM_ID));
    statement_draft_why(draft, field(bom, BOM_JUSTIFICATION));
    if (draft->justification.len == 0)
        statement_draft_why(draft, field(bom, BOM_DETAIL));
    if (!moment_parse(str_trim(field(bom, BOM_ANALYSED)), &draft->at_ms) &&
        !moment_parse(str_trim(field(bom, BOM_UPDATED)), &draft->at_ms))
        draft->at_ms = 0; // the document's own time, see resolve
    draft->kind = kind;
    bom->statements++;
    return statement_draft_take(draft, bom->evidence, bom->report, bom->offset, err);
}

bool bom_vulnerability_end(struct bom *bom, struct error *err)
{
    str word = str_trim(field(bom, BOM_STATE));
    const struct state *state = state_of(word);
    bom->open = false;
    bom->entries++;
    draft_set(&bom->draft, DRAFT_ID, str_trim(field(bom, BOM_ID)));
    if (word.len && !state)
        report_suspect(bom->evidence, &bom->evidence->reports[bom->report],
                       "the state `" STR_FMT "` of " STR_FMT " is unknown: it counts as a finding",
                       STR_ARG(str_shorten(word, 40)),
                       STR_ARG(str_shorten(draft_get(&bom->draft, DRAFT_ID), 80)));
    bom->unstated += !state;
    if ((!state || state->open) && !add_findings(bom, err))
        return false;
    return !state || add_statement(bom, state->kind, err);
}

// ---- the end of the document -------------------------------------------------------------------

// A link into another document ends with the reference there.
static str reference(str ref)
{
    size_t at = str_starts(ref, STR("urn:cdx:")) ? str_search(ref, STR("#pkg:")) : STR_NONE;
    return at == STR_NONE ? ref : str_from(ref, at + 1);
}

static void name_finding(struct bom *bom, struct vulnerability *one)
{
    struct arena *arena = &bom->evidence->arena;
    const struct product *component = products_find(&bom->components, one->purl);
    str ref = reference(one->purl);
    struct purl purl;
    one->purl = (str){"", 0};
    if (component && component->purl.len)
        ref = component->purl;
    if (purl_parse(arena, ref, &purl)) {
        one->purl = arena_str(arena, ref);
        one->ecosystem = purl.type;
        one->package = purl.name;
        one->version = purl.version;
    } else if (component && component->name.len) {
        one->package = arena_str(arena, component->name);
        one->version = arena_str(arena, component->version);
    } else {
        one->package = arena_str(arena, ref);
    }
}

static void resolve(struct bom *bom)
{
    struct evidence *evidence = bom->evidence;
    int64_t made = 0;
    (void)moment_parse(str_trim(field(bom, BOM_TIMESTAMP)), &made);
    evidence->reports[bom->report].made_ms = made;
    products_index(&bom->components);
    for (size_t i = 0; i < evidence->vulnerabilities.count; i++)
        name_finding(bom, &evidence->vulnerabilities.items[i]);
    for (size_t i = 0; i < evidence->statements.count; i++) {
        struct statement *one = &evidence->statements.items[i];
        if (!one->at_ms)
            one->at_ms = made;
        for (size_t k = 0; k < one->product_count; k++) {
            str name = products_name(&bom->components, one->products[k]);
            one->products[k] = arena_str(&evidence->arena, reference(name));
        }
    }
}

void bom_end(struct bom *bom)
{
    struct evidence *evidence = bom->evidence;
    struct report *report = &evidence->reports[bom->report];
    resolve(bom);
    report_tool(evidence, report, str_trim(field(bom, BOM_TOOL_NAME)),
                str_trim(field(bom, BOM_TOOL_VERSION)));
    if (bom->entries == 0) {
        report_nothing_audited(evidence, report,
                               bom->listed ? "the list of vulnerabilities is empty, as it also is "
                                             "when nothing was looked for"
                                           : "the document holds no vulnerability information");
        return;
    }
    // A statement about a product is no scan: it does not say what else is in there.
    if (bom->unstated == 0 && (!bom->inventory || evidence->vulnerabilities.count == 0)) {
        evidence->vulnerabilities.count = 0;
        report->kind = EVIDENCE_STATEMENTS;
    }
    evidence->has[EVIDENCE_STATEMENTS] |= bom->statements > 0;
}
