// Statements and branches of one source file in Istanbul's JSON. A place (`statementMap`,
// `branchMap`) and its count (`s`, `b`) stand in different maps, in either order, and belong
// together by id.
#ifndef GATE_REPORTS_ISTANBUL_PARTS_H
#define GATE_REPORTS_ISTANBUL_PARTS_H

#include "gate/reports/source_record.h"

struct istanbul_part {
    uint64_t id;     // of the statement or branch: its number, or a hash with the top bit set
    uint32_t number; // of a place its line; of a count which arm it is
    bool taken;      // of a count
};

struct istanbul_parts {
    struct istanbul_part *items;
    size_t count, room;
};

uint64_t istanbul_id(str key);
// ERROR_LIMIT past LIMIT_FILE_PLACES. Memory is the arena's; setting `count` to 0 empties it.
bool istanbul_parts_add(struct istanbul_parts *parts, struct arena *arena,
                        struct istanbul_part part, struct error *err);

// Gives lines and arms to the record. *ret_odd: ids that have a place and no count, or a count and
// no place. ERROR_INPUT when a place or a statement's count is listed twice.
bool istanbul_statements(struct source_record *record, struct istanbul_parts *places,
                         struct istanbul_parts *counts, size_t *ret_odd, struct error *err);
bool istanbul_branches(struct source_record *record, struct istanbul_parts *places,
                       struct istanbul_parts *counts, size_t *ret_odd, struct error *err);

#endif
