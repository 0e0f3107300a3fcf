// What a CycloneDX document says of vulnerabilities, whichever syntax it is written in: the readers
// of JSON and XML tell it here, piece by piece, in any order.
//
//     bom_vulnerability_begin(&bom, offset);
//     bom_set(&bom, BOM_ID, STR("CVE-2024-1"));
//     bom_set(&bom, BOM_AFFECTS, STR("pkg:npm/acme@1.0"));
//     if (!bom_vulnerability_end(&bom, err)) ...
//     bom_end(&bom);
#ifndef GATE_REPORTS_CYCLONEDX_BOM_H
#define GATE_REPORTS_CYCLONEDX_BOM_H

#include "gate/reports/evidence.h"
#include "gate/reports/products.h"
#include "gate/reports/statement_draft.h"
#include "gate/reports/vulnerability_draft.h"

enum bom_field {
    BOM_NOTHING,
    // of the document
    BOM_TIMESTAMP,
    BOM_TOOL_NAME,
    BOM_TOOL_VERSION,
    // of the open component
    BOM_REF,
    BOM_PURL,
    BOM_GROUP,
    BOM_NAME,
    BOM_VERSION,
    // of the open vulnerability
    BOM_ID,
    BOM_ALIAS,
    BOM_DESCRIPTION,
    BOM_UPDATED,
    BOM_STATE,
    BOM_JUSTIFICATION,
    BOM_DETAIL,
    BOM_ANALYSED, // when
    BOM_AFFECTS,  // a reference
    // of its open rating
    BOM_SCORE,
    BOM_SEVERITY,
    BOM_METHOD,
    BOM_VECTOR,
    BOM_FIELDS,
};

#define BOM_NESTING 64

struct bom {
    struct evidence *evidence;
    uint32_t report;
    struct products components;
    size_t nested[BOM_NESTING]; // the open components, from the outside in
    unsigned nesting;
    struct vulnerability_draft draft;
    uint64_t offset; // of the open vulnerability
    bool open;
    struct text fields[BOM_FIELDS];
    struct statement_draft statement; // its products are the references that it affects
    bool listed;                      // there is a list of vulnerabilities, be it empty
    bool inventory;                   // components are listed
    uint64_t entries, unstated, statements;
};

void bom_open(struct bom *bom, struct evidence *evidence, uint32_t report);
// `listed`: one of the document's components, not what the document is about.
void bom_component_begin(struct bom *bom, bool listed);
void bom_component_end(struct bom *bom);
void bom_vulnerability_begin(struct bom *bom, uint64_t offset);
bool bom_vulnerability_end(struct bom *bom, struct error *err);
void bom_rating_begin(struct bom *bom);
bool bom_rating_end(struct bom *bom, struct error *err);
// Passed over where no component or vulnerability is open that it could belong to.
void bom_set(struct bom *bom, enum bom_field field, str value);
void bom_end(struct bom *bom);
void bom_done(struct bom *bom);

#endif
