#include "gate/reports/go_run.h"

#include "gate/base/limits.h"
#include "gate/reports/text_hash.h"

// What a build is called in the table: no package has a test of that name.
static const str build_mark = STR_INIT("\x01");

str go_open_package_name(const struct go_open *open)
{
    return str_first(text_str(&open->name), open->package_length);
}

str go_open_test_name(const struct go_open *open)
{
    return open->build ? (str){NULL, 0} : str_from(text_str(&open->name), open->package_length);
}

static str key_of(const struct go_open *open)
{
    return str_from(text_str(&open->name), open->package_length);
}

static uint32_t *chain_of(struct go_run *run, str package, str test)
{
    uint64_t hash = text_hash_add(text_hash_add(TEXT_HASH, package), test);
    return &run->chains[hash & (run->chain_count - 1)];
}

static void rehash(struct go_run *run)
{
    memory_free(run->chains);
    run->chain_count = run->chain_count ? run->chain_count * 2 : 64;
    run->chains = memory_alloc(run->chain_count * sizeof *run->chains);
    for (size_t i = 0; i < run->count; i++) {
        struct go_open *open = &run->items[i];
        if (open->name.max == 0)
            continue; // it is free
        uint32_t *chain = chain_of(run, go_open_package_name(open), key_of(open));
        open->next = *chain;
        *chain = (uint32_t)i + 1;
    }
}

static struct go_open *take_slot(struct go_run *run)
{
    if (run->free) {
        struct go_open *open = &run->items[run->free - 1];
        run->free = open->next;
        return open;
    }
    if (run->count == run->room) {
        run->room = run->room ? run->room * 2 : 64;
        run->items = memory_grow(run->items, run->room * sizeof *run->items);
    }
    struct go_open *open = &run->items[run->count++];
    *open = (struct go_open){.message = text_of(GO_MESSAGE_BYTES),
                             .last_resort = text_of(GO_MESSAGE_BYTES)};
    return open;
}

static struct go_open *make(struct go_run *run, str package, str test)
{
    if (run->in_use >= run->chain_count)
        rehash(run);
    struct go_open *open = take_slot(run);
    open->name.max = (size_t)LIMIT_TOKEN_BYTES * 2;
    text_add(&open->name, package);
    text_add(&open->name, test);
    open->package_length = package.len;
    uint32_t *chain = chain_of(run, package, test);
    open->next = *chain;
    *chain = (uint32_t)(open - run->items) + 1;
    run->in_use++;
    return open;
}

static bool is_named(const struct go_open *open, str package, str test)
{
    return str_eq(go_open_package_name(open), package) && str_eq(key_of(open), test);
}

// What was found last is mostly what is looked for next: a test's lines follow each other.
static struct go_open *find(struct go_run *run, str package, str test)
{
    uint32_t *last = &run->last[test.len > 0];
    if (*last && is_named(&run->items[*last - 1], package, test))
        return &run->items[*last - 1];
    uint32_t at = run->chain_count ? *chain_of(run, package, test) : 0;
    for (; at; at = run->items[at - 1].next) {
        if (is_named(&run->items[at - 1], package, test)) {
            *last = at;
            return &run->items[at - 1];
        }
    }
    return NULL;
}

struct go_open *go_open_find(struct go_run *run, str package, str test, bool wanted)
{
    struct go_open *open = find(run, package, test);
    if (open || !wanted)
        return open;
    if (test.len == 0)
        return make(run, package, test);
    struct go_open *around = go_open_find(run, package, (str){NULL, 0}, true);
    size_t number = (size_t)(around - run->items);
    open = make(run, package, test); // `around` may have moved
    around = &run->items[number];
    uint32_t own = (uint32_t)(open - run->items) + 1;
    open->after = around->first;
    if (open->after)
        run->items[open->after - 1].before = own;
    around->first = own;
    return open;
}

struct go_open *go_open_build(struct go_run *run, str package, bool wanted)
{
    struct go_open *open = find(run, package, build_mark);
    if (!open && wanted) {
        open = make(run, package, build_mark);
        open->build = true;
    }
    return open;
}

struct go_open *go_open_package(struct go_run *run, const struct go_open *test)
{
    return find(run, go_open_package_name(test), (str){NULL, 0});
}

struct go_open *go_open_first(struct go_run *run, const struct go_open *package)
{
    return package->first ? &run->items[package->first - 1] : NULL;
}

static void leave_package(struct go_run *run, const struct go_open *open)
{
    if (open->after)
        run->items[open->after - 1].before = open->before;
    if (open->before) {
        run->items[open->before - 1].after = open->after;
        return;
    }
    struct go_open *package = go_open_package(run, open);
    if (package)
        package->first = open->after;
}

void go_open_close(struct go_run *run, struct go_open *open)
{
    uint32_t own = (uint32_t)(open - run->items) + 1;
    uint32_t *link = chain_of(run, go_open_package_name(open), key_of(open));
    while (*link != own)
        link = &run->items[*link - 1].next;
    *link = open->next;
    if (go_open_test_name(open).len)
        leave_package(run, open);
    run->last[key_of(open).len > 0] = 0;
    struct text name = open->name, message = open->message, last = open->last_resort;
    text_clear(&name);
    text_clear(&message);
    text_clear(&last);
    name.max = 0; // marks a free one
    *open =
        (struct go_open){.name = name, .message = message, .last_resort = last, .next = run->free};
    run->free = own;
    run->in_use--;
}

void go_run_done(struct go_run *run)
{
    for (size_t i = 0; i < run->count; i++) {
        text_done(&run->items[i].name);
        text_done(&run->items[i].message);
        text_done(&run->items[i].last_resort);
    }
    memory_free(run->items);
    memory_free(run->chains);
}

void go_open_measured(struct go_run *run, str package, str test)
{
    while (test.len) {
        struct go_open *open = go_open_find(run, package, test, false);
        size_t slash = str_find_last(test, '/');
        if (open)
            open->measured = true;
        test = slash == STR_NONE ? (str){NULL, 0} : str_first(test, slash);
    }
}

// Lines of the runner that are no reason; those of the second list are better than none.
static bool begins_with_one(str line, const str *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (line.data[0] == words[i].data[0] && str_starts(line, words[i]))
            return true;
    return false;
}

void go_open_message(struct go_open *open, str output)
{
    static const str noise[] = {STR_INIT("=== "),   STR_INIT("--- "),       STR_INIT("ok  \t"),
                                STR_INIT("# "),     STR_INIT("coverage: "), STR_INIT("PASS"),
                                STR_INIT("goos: "), STR_INIT("goarch: "),   STR_INIT("pkg: "),
                                STR_INIT("cpu: "),  STR_INIT("Benchmark")};
    static const str little[] = {STR_INIT("FAIL"), STR_INIT("exit status")};
    str line = str_trim(output);
    if (line.len == 0 || begins_with_one(line, noise, sizeof noise / sizeof *noise))
        return;
    bool is_little = begins_with_one(line, little, sizeof little / sizeof *little);
    struct text *kept = is_little ? &open->last_resort : &open->message;
    if (kept->len == 0)
        text_add(kept, str_shorten(line, GO_MESSAGE_BYTES));
}

str go_open_reason(const struct go_open *open)
{
    return open->message.len ? text_str(&open->message) : text_str(&open->last_resort);
}
