// A report format is one file and one row in registry.c. A reader is fed chunks and fills the
// evidence; it keeps its own state between chunks and never more than its limits allow.
#ifndef GATE_REPORTS_READER_H
#define GATE_REPORTS_READER_H

#include "gate/reports/evidence.h"
#include "gate/reports/report_head.h"

struct reading; // a reader's own state, made by open

enum report_form { REPORT_XML = 1, REPORT_JSON, REPORT_LINES };

struct report_reader {
    const char *name;      // "cobertura"
    const char *title;     // "Cobertura XML"
    enum report_form form; // files that are not known are told which formats look like them
    enum evidence_kind kind;
    unsigned also; // bits (1 << kind) of further kinds that such a file may hold
    // What ends a record of a format that has no end of its own: whole records that are missing at
    // the end of such a file cannot be seen. Null for all others.
    const char *record_end;
    // How sure the first bytes (up to 64 KiB) make it: 0 = not this format, 100 = certainly.
    // The highest answer wins; two equal ones are an error that names both.
    int (*recognise)(const struct report_head *head);
    // Into `evidence`, whose report number `report` this is. Both outlive the reading.
    bool (*open)(struct evidence *evidence, uint32_t report, struct reading **ret,
                 struct error *err);
    bool (*feed)(struct reading *reading, str bytes, struct error *err);
    bool (*end)(struct reading *reading, struct error *err); // truncation is an error
    void (*close)(struct reading *reading);                  // after end, or instead of it
};

extern const struct report_reader *const report_readers[]; // ends with null

// The reader for these first bytes; `whole`: they are all of the file. ERROR_INPUT when none or two
// fit: says what it looked like.
bool report_recognise(str first_bytes, bool whole, const struct report_reader **ret,
                      struct error *err);

// Reads one whole file: recognises, digests (SHA-256 in the same pass), feeds, compares totals.
// What cannot be read is noted in report->error and returned; the evidence of a file that failed
// half way is not counted (its lines are taken back). `shown_path` is the name in the report, in
// messages and in findings. ERROR_INPUT: not a report, truncated, contradicts its format.
// ERROR_LIMIT: too large. ERROR_ABSENT, ERROR_SYSTEM: the file itself.
bool report_read(struct evidence *evidence, const char *path, const char *shown_path,
                 struct error *err);

// The same for bytes that arrive in pieces, such as an entry of an archive:
//
//     struct report_feed *feed = report_feed_open(&evidence, "all.zip", "a/coverage.xml", ANY);
//     while (next(&chunk)) report_feed_bytes(feed, chunk);
//     ok = report_feed_end(feed, NULL, &err);
#define REPORT_ANY ((1u << EVIDENCE_KINDS) - 1)
struct report_feed;
// `kinds`: bit (1 << kind) for each kind that is wanted here; another one is ERROR_INPUT. A file
// that is not recognised is noted as the lowest of them.
struct report_feed *report_feed_open(struct evidence *evidence, const char *shown_path,
                                     const char *entry, unsigned kinds);
// After a failure the rest is still digested, so that the record names the very bytes.
void report_feed_bytes(struct report_feed *feed, str bytes);
// Ends and releases it. `failed`: why no more bytes come (null: that was all of them).
bool report_feed_end(struct report_feed *feed, const struct error *failed, struct error *err);

// Reads from an open file, from where it stands to its end. The caller closes it.
bool report_read_file(struct evidence *evidence, int file, const char *shown_path, unsigned kinds,
                      struct error *err);

#endif
