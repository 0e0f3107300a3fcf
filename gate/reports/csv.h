// A report of comma-separated values (RFC 4180), fed in pieces: records come out as fields, with
// quotes taken off. A quoted field may span lines.
//
//     struct csv csv = csv_of("stats.csv", ',', on_record, reading);
//     ok = csv_feed(&csv, bytes, err) && csv_end(&csv, err);
//     csv_done(&csv);
#ifndef GATE_REPORTS_CSV_H
#define GATE_REPORTS_CSV_H

#include "gate/reports/lines.h"

#define CSV_FIELDS 256u

// Fields live until the handler returns. Empty lines are no records. Returning false stops; an
// error without a position gets the line at which the record began.
typedef bool csv_handler(void *context, const str *fields, size_t count, struct error *err);

struct csv {
    struct lines lines;
    char separator;           // 0 = what `choose` says of the first line
    char (*choose)(str line); // null: ','
    csv_handler *handler;
    void *context;
    struct text record; // of a record that spans lines, or has quotes
    uint64_t offset;    // of the record at hand, in the file
    uint32_t number;    // the line that it begins at
    bool open;          // a quote is open
    str fields[CSV_FIELDS];
};

struct csv csv_of(const char *path, char separator, csv_handler *handler, void *context);
// ERROR_INPUT for a NUL byte, a quote in the middle of a field, more than CSV_FIELDS fields;
// ERROR_LIMIT for a record past LIMIT_TOKEN_BYTES.
bool csv_feed(struct csv *csv, str bytes, struct error *err);
// ERROR_INPUT when a quoted field is still open.
bool csv_end(struct csv *csv, struct error *err);
void csv_done(struct csv *csv);

// The fields of one whole line; 0 when it is not well-formed. `line` is written to.
size_t csv_split(char *line, size_t len, char separator, str *fields, size_t room);

#endif
