#include "gate/reports/trx_definition.h"
#include "gate/base/limits.h"
#include "gate/reports/dotnet_name.h"

static uint64_t hash_of(const char *text, uint64_t hash)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        hash = (hash ^ (c >= 'A' && c <= 'Z' ? c + 32u : c)) * UINT64_C(1099511628211); // FNV-1a
    }
    return hash;
}

struct trx_id trx_id(const char *text)
{
    return (struct trx_id){hash_of(text, UINT64_C(14695981039346656037)),
                           hash_of(text, UINT64_C(0x9e3779b97f4a7c15))};
}

// Neighbours mostly stand in the same class and assembly: their names are kept once.
static str keep(struct arena *arena, str wanted, str before)
{
    return str_eq(wanted, before) ? before : arena_str(arena, wanted);
}

bool trx_define(struct trx_definitions *definitions, struct trx_id id, str class_name, str assembly,
                struct error *err)
{
    struct trx_definition before = {0};
    if (definitions->count)
        before = definitions->items[definitions->count - 1];
    if (definitions->count >= LIMIT_TESTS)
        return error_set(err, ERROR_LIMIT, "the report defines more than %u tests", LIMIT_TESTS);
    if (definitions->arena->used_bytes > LIMIT_EVIDENCE_BYTES)
        return error_set(err, ERROR_LIMIT, "the reports hold more than %u MiB of evidence",
                         LIMIT_EVIDENCE_BYTES >> 20);
    definitions->items = arena_grow(&definitions->scratch, definitions->items, definitions->count,
                                    &definitions->room, sizeof *definitions->items);
    definitions->items[definitions->count++] =
        (struct trx_definition){id, keep(definitions->arena, class_name, before.class_name),
                                keep(definitions->arena, assembly, before.assembly)};
    return true;
}

void trx_case(struct trx_definitions *definitions, struct trx_id id)
{
    definitions->ids = arena_grow(&definitions->scratch, definitions->ids, definitions->id_count,
                                  &definitions->id_room, sizeof *definitions->ids);
    definitions->ids[definitions->id_count++] = id;
}

static bool same(struct trx_id a, struct trx_id b)
{
    return a.high == b.high && a.low == b.low;
}

// The place of that id in `index`, or the empty one where it belongs.
static size_t find(const struct trx_definitions *definitions, const uint32_t *index, size_t room,
                   struct trx_id id)
{
    size_t at = id.high & (room - 1);
    while (index[at] && !same(definitions->items[index[at] - 1].id, id))
        at = (at + 1) & (room - 1);
    return at;
}

static void name(struct test_case *one, const struct trx_definition *definition)
{
    str class_name, method = dotnet_split(one->name, definition->class_name, &class_name);
    one->suite = dotnet_stem(definition->assembly);
    one->host = dotnet_folder(definition->assembly);
    one->class_name = definition->class_name;
    if (class_name.len == definition->class_name.len) // it is all that stood before the method
        one->name = method;
}

void trx_resolve(const struct trx_definitions *definitions, struct test_case *cases)
{
    size_t room = 64;
    while (room < definitions->count * 2)
        room *= 2;
    uint32_t *index = memory_alloc(room * sizeof *index);
    for (size_t i = 0; i < definitions->count; i++) {
        size_t at = find(definitions, index, room, definitions->items[i].id);
        if (index[at] == 0)
            index[at] = (uint32_t)i + 1;
    }
    for (size_t i = 0; i < definitions->id_count; i++) {
        uint32_t number = index[find(definitions, index, room, definitions->ids[i])];
        if (number)
            name(&cases[i], &definitions->items[number - 1]);
    }
    memory_free(index);
}

void trx_definitions_done(struct trx_definitions *definitions)
{
    arena_done(&definitions->scratch);
}
