#include "gate/reports/products.h"

enum { HOPS_MAX = 8 }; // a part of a part of …

struct product *products_add(struct products *products)
{
    products->items = arena_grow(&products->arena, products->items, products->count,
                                 &products->room, sizeof *products->items);
    struct product *one = &products->items[products->count++];
    *one = (struct product){0};
    return one;
}

static size_t hash_of(str s)
{
    uint64_t hash = UINT64_C(14695981039346656037); // FNV-1a
    for (size_t i = 0; i < s.len; i++)
        hash = (hash ^ (unsigned char)s.data[i]) * UINT64_C(1099511628211);
    return (size_t)(hash ^ (hash >> 29));
}

// Where `ref` stands, or where it would.
static size_t slot_of(const struct products *products, str ref)
{
    size_t at = hash_of(ref) & (products->index_room - 1);
    while (products->index[at] && !str_eq(products->items[products->index[at] - 1].ref, ref))
        at = (at + 1) & (products->index_room - 1);
    return at;
}

void products_index(struct products *products)
{
    size_t room = 16;
    while (room < 2 * products->count)
        room *= 2;
    products->index_room = room;
    products->index = ARENA_ARRAY(&products->arena, uint32_t, room);
    for (size_t i = 0; i < products->count; i++) {
        if (products->items[i].ref.len == 0)
            continue;
        size_t at = slot_of(products, products->items[i].ref);
        if (!products->index[at])
            products->index[at] = (uint32_t)i + 1; // the first of that name
    }
}

const struct product *products_find(const struct products *products, str ref)
{
    if (!products->index || ref.len == 0)
        return NULL;
    uint32_t number = products->index[slot_of(products, ref)];
    return number ? &products->items[number - 1] : NULL;
}

str products_name(const struct products *products, str ref)
{
    const struct product *one = products_find(products, ref);
    for (int hops = 0; one && hops < HOPS_MAX; hops++) {
        if (one->purl.len)
            return one->purl;
        one = products_find(products, one->of);
    }
    return ref;
}

void products_done(struct products *products)
{
    arena_done(&products->arena);
    *products = (struct products){0};
}
