// What the catalogues of vulnerabilities (KEV, EPSS) have in common: rows that become statements,
// in JSON or in comma-separated values.
#ifndef GATE_REPORTS_CATALOGUE_H
#define GATE_REPORTS_CATALOGUE_H

#include "gate/reports/csv.h"
#include "gate/reports/evidence.h"
#include "gate/reports/json_walk.h"
#include "gate/reports/report_head.h"

// A reading of one of the two syntaxes, chosen by the first byte that is no white space.
struct catalogue {
    struct evidence *evidence;
    uint32_t report;
    const char *path;
    struct json_walk *json; // null while it is not JSON
    struct csv csv;
    struct text lead; // white space before the byte that decides
    bool decided;
};

struct catalogue_syntax {
    const struct json_step *steps;
    const struct json_walk_handler *json;
    csv_handler *record;
};

void catalogue_open(struct catalogue *catalogue, struct evidence *evidence, uint32_t report);
bool catalogue_feed(struct catalogue *catalogue, const struct catalogue_syntax *syntax,
                    void *context, str bytes, struct error *err);
// Of lines the last one must have its end: nothing else tells that it is whole.
bool catalogue_end(struct catalogue *catalogue, struct error *err);
void catalogue_close(struct catalogue *catalogue);

// ERROR_INPUT at the record at hand.
bool catalogue_refuse(const struct catalogue *catalogue, struct error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// The column of that name; STR_NONE when there is none.
size_t catalogue_column(const str *fields, size_t count, const char *name);

// The first line of a report that is no JSON, without a byte order mark; false when there is none.
bool catalogue_first_line(const struct report_head *head, str *ret);

#endif
