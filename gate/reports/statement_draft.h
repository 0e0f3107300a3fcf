// One statement while its report is read: the fields come in any order and are copied as they come.
//
//     statement_draft_clear(&draft);
//     text_add(&draft.id, event->text);
//     statement_draft_product(&draft, STR("pkg:npm/acme@1.0"));
//     if (!statement_draft_take(&draft, evidence, report, offset, err)) ...
//     statement_draft_done(&draft);
#ifndef GATE_REPORTS_STATEMENT_DRAFT_H
#define GATE_REPORTS_STATEMENT_DRAFT_H

#include "gate/base/text.h"
#include "gate/reports/statement.h"

#define STATEMENT_LINE_BYTES 300u // of a justification

struct statement_draft { // all zero is valid, once statement_draft_clear was called on it
    enum statement_kind kind;
    struct text id, justification;
    struct text aliases, products; // each name followed by a NUL
    int64_t at_ms, due_days;
    double epss;
};

void statement_draft_clear(struct statement_draft *draft); // empty again, memory kept
void statement_draft_done(struct statement_draft *draft);

void statement_draft_id(struct statement_draft *draft, str name); // replaces
// Empty names, and (in statement_draft_take) the id itself as an alias, are passed over.
void statement_draft_alias(struct statement_draft *draft, str name);
void statement_draft_product(struct statement_draft *draft, str name);
void statement_draft_why(struct statement_draft *draft, str words); // replaces; its first line

// Adds it to the evidence. ERROR_INPUT as of statement_add, ERROR_LIMIT for a list that is too
// long.
bool statement_draft_take(const struct statement_draft *draft, struct evidence *evidence,
                          uint32_t report, uint64_t offset, struct error *err);

#endif
