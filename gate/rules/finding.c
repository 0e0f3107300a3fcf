#include "gate/rules/finding.h"

#include "gate/base/limits.h"

#include <stdio.h>

const char *verdict_name(enum verdict verdict)
{
    static const char *const names[] = {"pass", "warn", "hold", "block"};
    return names[verdict];
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

const struct finding *finding_find(const struct findings *findings, const char *id)
{
    for (size_t i = 0; i < findings->count; i++)
        if (strcmp(findings->items[i].id, id) == 0)
            return &findings->items[i];
    return NULL;
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
