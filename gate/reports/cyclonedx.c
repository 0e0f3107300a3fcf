// CycloneDX, JSON and XML: findings and VEX statements of a bill of materials.
#include "gate/reports/cyclonedx_syntax.h"
#include "gate/reports/registry.h"

struct reading {
    struct bom bom;
    const char *path;
    const struct cyclonedx_syntax *syntax; // null until the first byte that tells
    void *context;
    struct text lead; // what stands before it
};
enum { LEAD_MAX = 4096 };

static int recognise(const struct report_head *head)
{
    if (head->is_xml)
        return str_is(head->xml.name, "bom") &&
                       str_search(head->xml.tag, STR("cyclonedx.org/schema/bom")) != STR_NONE
                   ? 95
                   : 0;
    if (!head->is_json || head->values != 1 || head->seen[0].type != JSON_MAP_OPEN)
        return 0;
    str schema = report_head_text(head, "$schema", NULL);
    return str_is(report_head_text(head, "bomFormat", NULL), "CycloneDX") ||
                   str_search(schema, STR("cyclonedx.org/schema/bom")) != STR_NONE
               ? 95
               : 0;
}

static bool open_reading(struct evidence *evidence, uint32_t report, struct reading **ret,
                         struct error *err)
{
    (void)err;
    struct reading *r = memory_alloc(sizeof *r);
    bom_open(&r->bom, evidence, report);
    r->path = evidence->reports[report].path;
    r->lead = text_of(LEAD_MAX);
    *ret = r;
    return true;
}

// The first byte that is neither white space nor part of a byte order mark decides.
static bool start(struct reading *r, struct error *err)
{
    str seen = text_str(&r->lead);
    size_t n = 0;
    while (n < seen.len && memchr(" \t\r\n\xef\xbb\xbf", seen.data[n], 7))
        n++;
    if (n == seen.len && n < LEAD_MAX)
        return true;
    char first = ' ';
    if (n < seen.len)
        first = seen.data[n];
    if (first != '{' && first != '<')
        return error_at(err, ERROR_INPUT, (struct position){r->path, 1, 1},
                        "this is neither JSON nor XML");
    r->syntax = first == '{' ? &cyclonedx_json : &cyclonedx_xml;
    r->context = r->syntax->open(&r->bom, r->path);
    return r->syntax->feed(r->context, seen, err);
}

static bool feed(struct reading *r, str bytes, struct error *err)
{
    if (!r->syntax) {
        str first = str_first(bytes, LEAD_MAX - r->lead.len);
        text_add(&r->lead, first);
        bytes = str_from(bytes, first.len);
        if (!start(r, err))
            return false;
    }
    return bytes.len == 0 || r->syntax->feed(r->context, bytes, err);
}

static bool end(struct reading *r, struct error *err)
{
    if (!r->syntax)
        return error_at(err, ERROR_INPUT, (struct position){r->path, 1, 1},
                        "this is neither JSON nor XML");
    if (!r->syntax->end(r->context, err))
        return false;
    bom_end(&r->bom);
    return true;
}

static void close_reading(struct reading *r)
{
    if (r->syntax)
        r->syntax->close(r->context);
    bom_done(&r->bom);
    text_done(&r->lead);
    memory_free(r);
}

const struct report_reader cyclonedx_reader = {
    .name = "cyclonedx",
    .title = "CycloneDX",
    .form = REPORT_JSON,
    .kind = EVIDENCE_VULNERABILITIES,
    .also = 1u << EVIDENCE_STATEMENTS,
    .recognise = recognise,
    .open = open_reading,
    .feed = feed,
    .end = end,
    .close = close_reading,
};
