#include "actions/cli/kept_reports.h"

#include "deploy/record/evidence_store.h"
#include "deploy/world/files.h"
#include "gate/decision.h"
#include "gate/doc/archive.h"

#include <stdlib.h>

static bool read_entry(struct arena *arena, const char *path, const char *name, str *ret)
{
    struct archive_reader *archive = NULL;
    struct archive_member member;
    struct error ignored = {0};
    struct text bytes = text_of(EVIDENCE_PLAIN_BYTES);
    bool more = true, found = false, ok = archive_open(path, &archive, &ignored);
    while (ok && !found && (ok = archive_next(archive, &member, &more, &ignored)) && more)
        found = str_is(member.path, name);
    for (str chunk = {"", 1}; ok && found && chunk.len && !text_full(&bytes);)
        if ((ok = archive_read(archive, &chunk, &ignored)))
            text_add(&bytes, chunk);
    archive_close(archive);
    ok = ok && found && !text_full(&bytes);
    if (ok)
        *ret = arena_str(arena, text_str(&bytes));
    text_done(&bytes);
    return ok;
}

// The very bytes that were judged, or nothing.
static str content_of(struct arena *arena, const char *root, const struct report *report)
{
    char sha[SHA256_HEX];
    struct error ignored = {0};
    str bytes = {NULL, 0};
    const char *path = arena_format(arena, "%s%s", root, report->path).data;
    bool ok = report->size_bytes <= EVIDENCE_PLAIN_BYTES &&
              (report->entry ? read_entry(arena, path, report->entry, &bytes)
                             : file_read(arena, path, EVIDENCE_PLAIN_BYTES, &bytes, &ignored));
    if (!ok || strcmp(sha256_of(bytes, sha), report->sha256) != 0)
        return (str){NULL, 0};
    return bytes.data ? bytes : STR("");
}

static int smallest_first(const void *a, const void *b)
{
    const struct event_evidence *x = *(struct event_evidence *const *)a;
    const struct event_evidence *y = *(struct event_evidence *const *)b;
    if (x->size_bytes != y->size_bytes)
        return x->size_bytes < y->size_bytes ? -1 : 1;
    return str_cmp(x->path, y->path);
}

// Small ones first, so that as many as possible are kept.
static void keep(struct arena *arena, const char *root, const struct evidence *evidence,
                 struct event_evidence *list, const size_t *numbers, size_t count)
{
    struct event_evidence **order = ARENA_ARRAY(arena, struct event_evidence *, count + 1);
    struct evidence_room room = {0};
    for (size_t i = 0; i < count; i++)
        order[i] = &list[i];
    if (count)
        qsort(order, count, sizeof *order, smallest_first);
    for (size_t i = 0; i < count; i++) {
        struct arena scratch = {0};
        const struct report *report = &evidence->reports[numbers[order[i] - list]];
        str bytes = report->duplicate ? (str){NULL, 0} : content_of(&scratch, root, report);
        if (bytes.data && evidence_wanted(bytes, &room))
            order[i]->kept = arena_str(arena, bytes);
        arena_done(&scratch);
    }
}

const struct event_evidence *kept_reports(struct arena *arena, const char *root,
                                          const struct evidence *evidence, size_t *ret_count)
{
    struct event_evidence *list =
        ARENA_ARRAY(arena, struct event_evidence, evidence->report_count + 1);
    size_t *numbers = ARENA_ARRAY(arena, size_t, evidence->report_count + 1), count = 0;
    for (size_t i = 0; i < evidence->report_count && count < EVENT_EVIDENCE_MAX; i++) {
        const struct report *report = &evidence->reports[i];
        if (!report->sha256[0])
            continue;
        numbers[count] = i;
        struct event_evidence *one = &list[count++];
        one->path = str_of(report_shown(arena, report));
        memcpy(one->sha256, report->sha256, sizeof one->sha256);
        one->size_bytes = report->size_bytes;
    }
    keep(arena, root, evidence, list, numbers, count);
    *ret_count = count;
    return list;
}
