#include "gate/risk/suggest.h"

#include "gate/base/sha256.h"
#include "gate/doc/json.h"

#include <stdlib.h>

#define COMMITS_SOME 5u
#define COMMITS_MANY 15u

uint64_t suggestion_weight(const struct suggestion *one)
{
    return (uint64_t)one->commits * (one->total - one->covered) * (1 + (uint64_t)one->incidents);
}

unsigned suggestion_likelihood(const struct suggestion *one)
{
    bool hardly_covered = one->covered * 2 < one->total;
    return 1u + (one->commits >= COMMITS_SOME) + (one->commits >= COMMITS_MANY) + hardly_covered +
           (one->incidents > 0);
}

unsigned suggestion_impact(const struct suggestion *one)
{
    return one->critical ? 4 : 3;
}

void suggestion_id(str path, char out[SUGGESTION_ID])
{
    char digest[SHA256_HEX];
    (void)sha256_of(path, digest);
    memcpy(out, "S-", 2);
    memcpy(out + 2, digest, SUGGESTION_ID - 3);
    out[SUGGESTION_ID - 1] = '\0';
}

static int by_weight(const void *left, const void *right)
{
    uint64_t one = suggestion_weight(left), other = suggestion_weight(right);
    if (one != other)
        return one < other ? 1 : -1;
    return str_cmp(((const struct suggestion *)left)->path,
                   ((const struct suggestion *)right)->path);
}

size_t suggest_choose(struct suggestion *items, size_t count, size_t most)
{
    size_t n = 0;
    if (count)
        qsort(items, count, sizeof *items, by_weight);
    while (n < count && n < most && suggestion_weight(&items[n]) > 0)
        n++;
    return n;
}

// A string of JSON is one of YAML too.
static void add_quoted(str s, struct text *out)
{
    struct json_out json = json_out_of(out, JSON_COMPACT);
    json_add_str(&json, NULL, s);
}

// A path as a pattern that matches it alone.
static str literal(str path, struct text *scratch)
{
    text_clear(scratch);
    for (size_t i = 0; i < path.len; i++) {
        bool special = str_find(STR("*?["), path.data[i]) != STR_NONE;
        text_adds(scratch, special ? "[" : "");
        text_addc(scratch, path.data[i]);
        text_adds(scratch, special ? "]" : "");
    }
    return text_str(scratch);
}

static void add_entry(const struct suggestion *one, unsigned window_days, bool graded,
                      struct text *out)
{
    char id[SUGGESTION_ID];
    struct text scratch = text_of(1u << 16);
    suggestion_id(one->path, id);
    text_addf(out, "  # %u commit%s in %u days, %llu of %llu lines uncovered, %u incident%s\n",
              one->commits, one->commits == 1 ? "" : "s", window_days,
              (unsigned long long)(one->total - one->covered), (unsigned long long)one->total,
              one->incidents, one->incidents == 1 ? "" : "s");
    text_addf(out, "  - id: %s\n    title: ", id);
    text_addf(&scratch, "A change breaks " STR_FMT, STR_ARG(one->path));
    add_quoted(text_str(&scratch), out);
    if (graded)
        text_addf(out, "\n    likelihood: %u\n    impact: %u", suggestion_likelihood(one),
                  suggestion_impact(one));
    text_adds(out, "\n    paths: [");
    add_quoted(literal(one->path, &scratch), out);
    text_adds(out, "]\n");
    text_done(&scratch);
}

void suggest_yaml(const struct suggestion *items, size_t count, unsigned window_days, bool graded,
                  struct text *out)
{
    for (size_t i = 0; i < count; i++)
        add_entry(&items[i], window_days, graded, out);
}
