// A report format is one file and one row in registry.c. A reader is fed chunks and fills the
// evidence; it keeps its own state between chunks and never more than its limits allow.
#ifndef GATE_REPORTS_READER_H
#define GATE_REPORTS_READER_H

#include "gate/reports/evidence.h"

struct reading; // a reader's own state, made by open

struct report_reader {
    const char *name;        // "cobertura"
    const char *title;       // "Cobertura XML"
    enum evidence_kind kind;
    // How sure the first bytes (up to 64 KiB) make it: 0 = not this format, 100 = certainly.
    // The highest answer wins; two equal ones are an error that names both.
    int (*recognise)(str first_bytes);
    bool (*open)(struct evidence *evidence, uint32_t report, struct reading **ret,
                 struct error *err);
    bool (*feed)(struct reading *reading, str bytes, struct error *err);
    bool (*end)(struct reading *reading, struct error *err); // truncation is an error
    void (*close)(struct reading *reading);                  // after end, or instead of it
};

extern const struct report_reader *const report_readers[]; // ends with null

// The reader for these first bytes. ERROR_INPUT when none or two fit: says what was looked for.
bool report_recognise(str first_bytes, const struct report_reader **ret, struct error *err);

// Reads one whole file: recognises, digests (SHA-256 in the same pass), feeds, compares totals.
// What cannot be read is noted in report->error and returned; the evidence of a file that failed
// half way is not counted (its lines are taken back).
bool report_read(struct evidence *evidence, const char *path, const char *shown_path,
                 struct error *err);

#endif
