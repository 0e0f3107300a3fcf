// What is kept of an OpenCover report while one of its modules is read: the module's files, the
// method at hand, and what the <Summary> of each part says beside what it holds.
#ifndef GATE_REPORTS_OPENCOVER_MODULE_H
#define GATE_REPORTS_OPENCOVER_MODULE_H

#include "gate/base/text.h"
#include "gate/reports/evidence.h"

// ---- <File uid="…" fullPath="…"> ----------------------------------------------------------------
struct opencover_files { // all zero is empty
    struct arena arena;
    struct opencover_file *items;
    size_t count, room;
    bool sorted;
};

// ERROR_LIMIT past LIMIT_SOURCE_FILES. The path is copied.
bool opencover_files_add(struct opencover_files *files, uint64_t uid, str path, struct error *err);
str opencover_files_find(struct opencover_files *files, uint64_t uid); // null data when absent
void opencover_files_clear(struct opencover_files *files);

// ---- <Method> -----------------------------------------------------------------------------------
struct opencover_method {
    uint64_t file; // uid of its <FileRef>; 0 = none
    struct text name;
    size_t name_len; // of the method's own; more may follow for the branch at hand
    uint64_t arms;
    struct arena arena;
    struct opencover_place *places; // sequence points with an offset
    size_t place_count, place_room;
};

void opencover_method_init(struct opencover_method *method);
void opencover_method_clear(struct opencover_method *method);
void opencover_method_done(struct opencover_method *method);
void opencover_method_name(struct opencover_method *method, str piece);
void opencover_method_point(struct opencover_method *method, uint64_t offset, uint32_t line,
                            uint64_t file);
// The last sequence point at or before that offset; false when there is none.
bool opencover_method_place(const struct opencover_method *method, uint64_t offset, uint64_t *line,
                            uint64_t *file);
// The name of a branch among those of its line, in any report of the same program. Both may be
// null. Valid until the next call.
str opencover_method_arm(struct opencover_method *method, const char *ordinal, const char *path);

// ---- <Summary> ----------------------------------------------------------------------------------
enum opencover_rank { OPENCOVER_SESSION, OPENCOVER_MODULE, OPENCOVER_CLASS, OPENCOVER_METHOD };
enum { OPENCOVER_SCOPES = OPENCOVER_METHOD + 1 };
enum { OPENCOVER_POINTS, OPENCOVER_BRANCHES, OPENCOVER_SUMS };

struct opencover_share {
    uint64_t visited, total;
};

struct opencover_scope {
    enum opencover_rank rank;
    uint32_t at; // line in the report
    struct opencover_share held[OPENCOVER_SUMS], said[OPENCOVER_SUMS];
    bool has_said[OPENCOVER_SUMS];
    struct opencover_share methods; // with points: OpenCover counts their entries as branches
};

void opencover_scope_init(struct opencover_scope *scope, enum opencover_rank rank, uint32_t at);
void opencover_scope_say(struct opencover_scope *scope, const char **attributes);
void opencover_scope_point(struct opencover_scope *scope, int sum, bool visited);
// Compares (a difference is a suspicion) and adds all to `outer`, which is null for the session.
void opencover_scope_close(struct opencover_scope *scope, struct opencover_scope *outer,
                           struct evidence *evidence, struct report *report);

#endif
