#include "deploy/cloud/cloud_parts.h"

#include "gate/base/limits.h"

#include <stdio.h>
#include <stdlib.h>

enum { HIDE_LEAST = 8 }; // so many bytes of a secret are taken for it

struct cloud *cloud_open(const struct cloud_ports *ports)
{
    struct cloud *cloud = memory_alloc(sizeof *cloud);
    *cloud = (struct cloud){.ports = *ports};
    cloud->random = (uint64_t)cloud_now(cloud) ^ (uint64_t)(uintptr_t)cloud;
    return cloud;
}

void cloud_close(struct cloud *cloud)
{
    if (!cloud)
        return;
    while (cloud->parts) {
        struct cloud_part *part = cloud->parts;
        cloud->parts = part->next;
        part->close(part);
    }
    pace_close(cloud->paces);
    memory_free(cloud);
}

void cloud_add(struct cloud *cloud, struct cloud_part *part)
{
    part->next = cloud->parts;
    cloud->parts = part;
}

int64_t cloud_now(const struct cloud *cloud)
{
    return cloud->ports.clock->now_ms(cloud->ports.clock->self);
}

const char *cloud_variable(const struct cloud *cloud, const char *name)
{
    const char *value =
        cloud->ports.variable ? cloud->ports.variable(cloud->ports.self, name) : getenv(name);
    return value && *value ? value : NULL;
}

void cloud_say(const struct cloud *cloud, const char *format, ...)
{
    char sentence[sizeof((struct error *)0)->message];
    va_list args;
    if (!cloud->ports.say)
        return;
    va_start(args, format);
    (void)vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    cloud->ports.say(cloud->ports.self, sentence);
}

// SplitMix64, by Steele, Lea and Flood.
double cloud_random(struct cloud *cloud)
{
    uint64_t z = cloud->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (double)((z ^ z >> 31) >> 11) * 0x1p-53;
}

bool cloud_same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

const char *cloud_endpoint_of(const struct cloud_endpoint *endpoints, const char *service)
{
    for (const struct cloud_endpoint *e = endpoints; e && e->service; e++)
        if (strcmp(e->service, service) == 0)
            return e->url;
    return NULL;
}

const struct cloud_endpoint *cloud_endpoints_copy(struct arena *arena,
                                                  const struct cloud_endpoint *endpoints)
{
    size_t count = 0;
    while (endpoints && endpoints[count].service)
        count++;
    struct cloud_endpoint *copy = ARENA_ARRAY(arena, struct cloud_endpoint, count + 1);
    for (size_t i = 0; i < count; i++) {
        copy[i].service = arena_copy(arena, str_of(endpoints[i].service));
        copy[i].url = arena_copy(arena, str_of(endpoints[i].url));
    }
    return copy;
}

bool cloud_endpoints_equal(const struct cloud_endpoint *a, const struct cloud_endpoint *b)
{
    for (; a && a->service; a++, b++)
        if (!b || !b->service || strcmp(a->service, b->service) != 0 || strcmp(a->url, b->url) != 0)
            return false;
    return !b || !b->service;
}

str cloud_line(struct arena *arena, str s)
{
    char *copy = arena_alloc(arena, s.len + 1);
    for (size_t i = 0; i < s.len; i++) {
        bool control = (unsigned char)s.data[i] < ' ' || s.data[i] == 0x7f;
        copy[i] = s.data[i];
        if (control)
            copy[i] = ' ';
    }
    return str_make(copy, s.len);
}

str cloud_header(str headers, const char *name)
{
    while (headers.len) {
        str value = str_cut(&headers, '\n');
        str key = str_cut(&value, ':');
        if (str_cmp_any_case(key, str_of(name)) == 0)
            return str_trim(value);
    }
    return (str){NULL, 0};
}

void cloud_wipe(str bytes)
{
    if (bytes.len) // an arena's memory is never const
        secret_wipe((void *)(uintptr_t)bytes.data, bytes.len);
}

static size_t common(str a, str b)
{
    size_t n = 0;
    while (n < a.len && n < b.len && a.data[n] == b.data[n])
        n++;
    return n;
}

void cloud_hide(str words, str secret)
{
    for (size_t i = 0; i + HIDE_LEAST <= words.len;) {
        size_t same = common(str_from(words, i), secret);
        if (same >= HIDE_LEAST) // an arena's memory is never const, nor is that of an error
            memset((void *)(uintptr_t)(words.data + i), '*', same);
        i += same >= HIDE_LEAST ? same : 1;
    }
}

static void wipe_level(const struct node *tree, unsigned depth)
{
    cloud_wipe(tree->text);
    for (const struct node *child = tree->first; child && depth; child = child->next)
        wipe_level(child, depth - 1);
}

void cloud_wipe_tree(const struct node *tree)
{
    if (tree)
        wipe_level(tree, LIMIT_DOC_DEPTH);
}
