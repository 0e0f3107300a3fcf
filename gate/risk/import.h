// A risk list as a table (a spreadsheet, a tracker's export) into a register. Columns are known by
// their headings in any order and case: id, title, likelihood, impact, flow, weight, paths, owner,
// status, due, effort, treatment, link, and the usual other words for them ("probability",
// "mitigation", …).
//
// The register is one for the matrix 5x5: likelihood and impact are 1 to 5, or words such as
// "almost certain", "rare", "major"; paths are separated by `;`. Nothing is guessed: what is not
// understood is an error.
//
//     struct risk_import import = {.arena = &arena, .out = &text};
//     import_header(&import, fields, count, err);
//     import_record(&import, fields, count, line, err);   // for each
//     import_end(&import, err);
#ifndef GATE_RISK_IMPORT_H
#define GATE_RISK_IMPORT_H

#include "gate/doc/shape.h"

#define IMPORT_COLUMNS 13

struct import_row {
    uint32_t yaml_line; // its first
    uint32_t line;      // of the table
    str id;
};

struct risk_import {
    struct arena *arena;
    struct text *out;              // YAML
    size_t column[IMPORT_COLUMNS]; // number + 1 in the table; 0 = the table has none
    size_t columns;                // of the table
    str *left_out;                 // headings that stand for nothing here
    size_t left_out_count;
    uint32_t yaml_line; // the next one
    struct import_row *rows;
    size_t row_count, row_room;
};

// ERROR_INPUT: no column for the title, the likelihood or the impact; two for the same.
bool import_header(struct risk_import *import, const str *fields, size_t count, struct error *err);
// ERROR_INPUT for a value that is not understood, or another number of fields than headings.
// A risk without an id gets "R-" and its number.
bool import_record(struct risk_import *import, const str *fields, size_t count, uint32_t line,
                   struct error *err);

// ERROR_INPUT, with the line of the table in err->at: an id stands twice.
bool import_end(struct risk_import *import, struct error *err);

// The line of the table for a line of the YAML; 0 = of none.
uint32_t import_line(const struct risk_import *import, uint32_t yaml_line);

#endif
