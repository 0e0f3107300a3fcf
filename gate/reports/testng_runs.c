#include "gate/reports/testng_runs.h"

#include "gate/base/arena.h"
#include "gate/reports/text_hash.h"

enum { ADDRESS_DIGITS = 4 }; // at least so many hexadecimal digits behind '@' are an address

static struct testng_run *find(struct testng_run *items, size_t room, uint64_t key)
{
    size_t at = (key ^ key >> 32) & (room - 1);
    while (items[at].key && items[at].key != key)
        at = (at + 1) & (room - 1);
    return &items[at];
}

static void make_room(struct testng_runs *runs)
{
    if ((runs->count + 2) * 2 <= runs->room)
        return;
    size_t room = runs->room ? runs->room * 2 : 256;
    struct testng_run *items = memory_alloc(room * sizeof *items);
    for (size_t i = 0; i < runs->room; i++)
        if (runs->items[i].key)
            *find(items, room, runs->items[i].key) = runs->items[i];
    memory_free(runs->items);
    runs->items = items;
    runs->room = room;
}

static struct testng_run *get(struct testng_runs *runs, uint64_t key)
{
    struct testng_run *run = find(runs->items, runs->room, key);
    if (run->key == 0) {
        run->key = key;
        runs->count++;
    }
    return run;
}

static struct testng_run *numbered(struct testng_runs *runs, uint64_t name, uint64_t key)
{
    make_room(runs);
    struct testng_run *run = get(runs, key ? key : 1);
    if (run->number == 0) {
        uint32_t number = ++get(runs, name ? name : 1)->number;
        run->number = number;
    }
    return run;
}

uint32_t testng_run(struct testng_runs *runs, const struct test_case *test, str raw, bool retried)
{
    uint64_t name = text_hash_add(TEXT_HASH, test->suite);
    name = text_hash_add(name, test->class_name);
    name = text_hash_add(name, test->name);
    uint64_t key = text_hash_add(name, raw);
    struct testng_run *first = numbered(runs, name, key);
    if (retried)
        return first->number;
    uint32_t seen = ++first->seen;
    if (seen == 1)
        return first->number;
    str again = str_make((const char *)&seen, sizeof seen);
    return numbered(runs, name, text_hash_add(key, again))->number;
}

void testng_runs_done(struct testng_runs *runs)
{
    memory_free(runs->items);
    *runs = (struct testng_runs){0};
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

// The length of "@1b2c3d" at the start of s; 0 when there is none.
static size_t address_length(str s)
{
    size_t n = 1;
    if (s.len == 0 || s.data[0] != '@')
        return 0;
    while (n < s.len && is_hex(s.data[n]))
        n++;
    bool more = n < s.len && ((s.data[n] >= 'g' && s.data[n] <= 'z') ||
                              (s.data[n] >= 'A' && s.data[n] <= 'Z') || s.data[n] == '.');
    return n > ADDRESS_DIGITS && !more ? n : 0;
}

void testng_add_stable(struct text *out, str value, size_t max)
{
    size_t from = out->len;
    bool cut = false;
    while (value.len && !cut) {
        size_t skip = address_length(value), n = 1;
        if (skip) {
            value = str_from(value, skip);
            continue;
        }
        while (n < value.len && value.data[n] != '@')
            n++;
        str part = str_shorten(str_first(value, n), max - (out->len - from));
        for (size_t i = 0; i < part.len; i++) {
            char c = part.data[i];
            if ((unsigned char)c < 0x20)
                c = ' ';
            text_addc(out, c);
        }
        cut = part.len < n;
        value = str_from(value, n);
    }
    if (cut)
        text_adds(out, "…");
}
