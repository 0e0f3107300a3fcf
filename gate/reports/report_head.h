// The first bytes of a report, looked at once for all readers: is it XML with which root, is it
// JSON with which members, or lines of text?
//
//     if (report_head_has(head, "runs", NULL)) ...                   // {"runs": …}
//     if (report_head_has(head, "*", "statementMap", NULL)) ...      // {"any": {"statementMap":
//     …}} str type = report_head_text(head, "data", "#", "type", NULL);  // {"data": [{"type":
//     "…"}]}
#ifndef GATE_REPORTS_REPORT_HEAD_H
#define GATE_REPORTS_REPORT_HEAD_H

#include "gate/base/arena.h"
#include "gate/doc/json_stream.h"
#include "gate/reports/xml_root.h"

struct json_seen {             // one value that was seen
    int parent;                // index; -1 = an outermost value
    str key;                   // of a map's member; null data in a list
    enum json_event_type type; // MAP_OPEN and LIST_OPEN for containers
    str text;                  // of strings and numbers
};

struct report_head {
    str bytes;  // at most 64 KiB, from the first byte of the file
    bool whole; // there is no more: the file ends here
    bool is_xml;
    struct xml_root xml;
    bool is_json; // begins like JSON: a map or a list, well-formed as far as it was seen
    struct json_seen *seen;
    size_t seen_count, seen_room;
    unsigned values; // outermost values that began: more than 1 = JSON lines
    struct arena arena;
};

void report_head_look(str bytes, bool whole, struct report_head *ret);
void report_head_done(struct report_head *head);

// Keys from the outside in, ended by NULL: a name, "*" (any member of a map) or "#" (any element of
// a list). The kind of the outermost value is not named: a list begins with "#".
bool report_head_has(const struct report_head *head, ...);
// Text of the first string or number at such a place; null data when there is none.
str report_head_text(const struct report_head *head, ...);
// The type of the first value at such a place; JSON_KEY when there is none.
enum json_event_type report_head_type(const struct report_head *head, ...);

// The next line of text without its line end; moves *rest. False when there is none. A byte order
// mark before the first line is left to the caller: head.bytes is whole.
bool report_head_line(str *rest, str *ret_line);

#endif
