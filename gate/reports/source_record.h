// One source file of a JSON coverage report while it is read: its lines and branches are gathered
// here, and become evidence when all of it was read.
//
//     source_record_open(&record, event->offset);
//     ok = source_record_name(&record, key, err) && source_record_line(&record, 12, 1, err) &&
//          source_record_arm(&record, 12, STR("0.1"), true, err);
//     ok = ok && source_record_close(&record, event->offset + 1, &totals, err);
#ifndef GATE_REPORTS_SOURCE_RECORD_H
#define GATE_REPORTS_SOURCE_RECORD_H

#include "gate/base/text.h"
#include "gate/reports/evidence.h"

struct source_record {
    struct evidence *evidence;
    uint32_t report;
    struct arena arena;
    struct covered_file stage;
    struct branch_arm *arms; // of this file; a reader may set their lines later
    size_t arm_count, arm_room;
    struct text name;
    uint64_t from;
    bool any_line; // in any file of the report
};

struct source_record source_record_of(struct evidence *evidence, uint32_t report);
void source_record_done(struct source_record *record);

void source_record_open(struct source_record *record, uint64_t offset);
bool source_record_name(struct source_record *record, str name, struct error *err);
// ERROR_INPUT when the line is not from 1 to LIMIT_SOURCE_LINE.
bool source_record_line(struct source_record *record, uint64_t line, uint64_t hits,
                        struct error *err);
// A branch, known by `name` among those of its line. ERROR_LIMIT past LIMIT_FILE_PLACES. With line
// 0 it waits for source_record_arms_at.
bool source_record_arm(struct source_record *record, uint64_t line, str name, bool taken,
                       struct error *err);
bool source_record_arms_at(struct source_record *record, size_t first_arm, uint64_t line,
                           struct error *err);
// *ret: what the record holds, united. ERROR_INPUT when it has no name.
bool source_record_close(struct source_record *record, uint64_t to, struct coverage_totals *ret,
                         struct error *err);

// At the end of the report: one without any line is empty.
void source_record_finish(struct source_record *record);

#endif
