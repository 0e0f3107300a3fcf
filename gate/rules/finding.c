#include "gate/rules/finding.h"

#include "gate/base/limits.h"
#include "gate/base/moment.h"

#include <stdio.h>

const char *verdict_name(enum verdict verdict)
{
    static const char *const names[] = {"pass", "warn", "hold", "block"};
    return names[verdict];
}

const char *scope_name(enum scope scope)
{
    static const char *const names[] = {"yours", "inherited", "environment"};
    return names[scope];
}

__attribute__((format(printf, 2, 0))) static const char *
format_text(struct arena *arena, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    size_t size = length < 0 ? 1 : (size_t)length + 1;
    char *out = arena_alloc(arena, size);
    if (length > 0)
        (void)vsnprintf(out, size, format, again);
    va_end(again);
    return out;
}

const char *finding_text(struct findings *findings, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *out = format_text(findings->arena, format, args);
    va_end(args);
    return out;
}

const char *finding_day(struct findings *findings, int64_t days)
{
    char day[DATE_TEXT];
    return finding_text(findings, "%s", date_format(days, day));
}

// ---- ids --------------------------------------------------------------------------------------
static uint32_t hash_of(const char *id) // FNV-1a
{
    uint32_t hash = 2166136261u;
    for (; *id; id++)
        hash = (hash ^ (unsigned char)*id) * 16777619u;
    return hash;
}

// The slot of that id, or the free one where it belongs. The table is never full.
static uint32_t *slot_of(const struct findings *findings, const char *id)
{
    size_t at = hash_of(id) & (findings->index_room - 1);
    while (findings->index[at] && strcmp(findings->items[findings->index[at] - 1].id, id) != 0)
        at = (at + 1) & (findings->index_room - 1);
    return &findings->index[at];
}

static void index_grow(struct findings *findings)
{
    findings->index_room = findings->index_room ? findings->index_room * 4 : 64;
    findings->index = ARENA_ARRAY(findings->arena, uint32_t, findings->index_room);
    for (size_t i = 0; i < findings->count; i++)
        *slot_of(findings, findings->items[i].id) = (uint32_t)i + 1;
}

void findings_reorder(struct findings *findings, struct finding *items)
{
    findings->items = items;
    findings->room = findings->count;
    for (size_t i = 0; i < findings->index_room; i++)
        findings->index[i] = 0;
    for (size_t i = 0; i < findings->count; i++)
        *slot_of(findings, items[i].id) = (uint32_t)i + 1;
}

const struct finding *finding_find(const struct findings *findings, const char *id)
{
    if (findings->count == 0)
        return NULL;
    uint32_t number = *slot_of(findings, id);
    return number ? &findings->items[number - 1] : NULL;
}

// Two things of one name (a report given under two patterns, say) get "#2", "#3", … in order.
static const char *unique_id(struct findings *findings, const char *id)
{
    const char *unique = id;
    for (unsigned n = 2; finding_find(findings, unique); n++)
        unique = finding_text(findings, "%s#%u", id, n);
    return unique;
}

static struct finding *push(struct findings *findings, const char *rule, enum verdict verdict,
                            const char *id)
{
    findings->items = arena_grow(findings->arena, findings->items, findings->count, &findings->room,
                                 sizeof *findings->items);
    if ((findings->count + 1) * 2 > findings->index_room)
        index_grow(findings);
    *slot_of(findings, id) = (uint32_t)findings->count + 1;
    struct finding *finding = &findings->items[findings->count++];
    *finding = (struct finding){
        .id = id, .rule = rule, .verdict = verdict, .have = "", .want = "", .message = ""};
    return finding;
}

struct finding *finding_add(struct findings *findings, const char *rule, enum verdict verdict,
                            const char *id_format, ...)
{
    if (findings->count >= LIMIT_FINDINGS) {
        findings->overflow = (struct finding){.id = "", .rule = rule};
        return &findings->overflow;
    }
    if (findings->count == LIMIT_FINDINGS - 1) {
        struct finding *last = push(findings, "evidence", VERDICT_BLOCK, "findings.limit");
        last->message = finding_text(findings,
                                     "There are more than %u findings; the rest is "
                                     "not listed.",
                                     LIMIT_FINDINGS - 1);
        return finding_add(findings, rule, verdict, "%s", "");
    }
    va_list args;
    va_start(args, id_format);
    const char *id = format_text(findings->arena, id_format, args);
    va_end(args);
    return push(findings, rule, verdict, unique_id(findings, id));
}

void finding_place(struct findings *findings, struct finding *finding, const char *path,
                   uint32_t line, uint32_t end_line)
{
    if (finding->where_count >= FINDING_PLACES) {
        finding->where_more++;
        return;
    }
    finding->where = arena_grow(findings->arena, finding->where, finding->where_count,
                                &finding->where_room, sizeof *finding->where);
    finding->where[finding->where_count++] = (struct place){path, line, end_line};
}
