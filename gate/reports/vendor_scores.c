#include "gate/reports/vendor_scores.h"

#include "gate/base/arena.h"
#include "gate/base/limits.h"

enum { V2, V3, V4, VERSIONS };

struct vendor {
    struct text name;
    double scores[VERSIONS];
    struct text vectors[VERSIONS];
};

static int slot_of(unsigned version)
{
    return version >= 400 ? V4 : version >= 300 ? V3 : V2;
}

void vendor_scores_clear(struct vendor_scores *scores)
{
    scores->count = 0;
}

void vendor_scores_done(struct vendor_scores *scores)
{
    for (size_t i = 0; i < scores->room; i++) {
        text_done(&scores->vendors[i].name);
        for (int v = 0; v < VERSIONS; v++)
            text_done(&scores->vendors[i].vectors[v]);
    }
    memory_free(scores->vendors);
    *scores = (struct vendor_scores){0};
}

static void make_room(struct vendor_scores *scores)
{
    size_t room = scores->room ? 2 * scores->room : 8;
    scores->vendors = memory_grow(scores->vendors, room * sizeof *scores->vendors);
    for (; scores->room < room; scores->room++) {
        struct vendor *vendor = &scores->vendors[scores->room];
        vendor->name = text_of(LIMIT_TOKEN_BYTES);
        for (int v = 0; v < VERSIONS; v++)
            vendor->vectors[v] = text_of(LIMIT_TOKEN_BYTES);
    }
}

void vendor_scores_vendor(struct vendor_scores *scores, str name)
{
    if (scores->count == scores->room)
        make_room(scores);
    struct vendor *vendor = &scores->vendors[scores->count++];
    text_clear(&vendor->name);
    text_add(&vendor->name, name);
    for (int v = 0; v < VERSIONS; v++) {
        vendor->scores[v] = 0;
        text_clear(&vendor->vectors[v]);
    }
}

void vendor_scores_score(struct vendor_scores *scores, unsigned version, double score)
{
    scores->vendors[scores->count - 1].scores[slot_of(version)] = score;
}

void vendor_scores_vector(struct vendor_scores *scores, unsigned version, str vector)
{
    struct text *text = &scores->vendors[scores->count - 1].vectors[slot_of(version)];
    text_clear(text);
    text_add(text, vector);
}

static unsigned preference(const struct vendor *vendor, str preferred)
{
    static const char *const names[] = {"redhat", "ghsa", "nvd"};
    str name = text_str(&vendor->name);
    if (preferred.len && str_eq(name, preferred))
        return 4;
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (str_is(name, names[i]))
            return i + 1;
    return 0;
}

static bool has_score(const struct vendor *vendor)
{
    for (int v = 0; v < VERSIONS; v++)
        if (vendor->scores[v] > 0)
            return true;
    return false;
}

void vendor_scores_choose(const struct vendor_scores *scores, str preferred,
                          struct vulnerability_draft *draft)
{
    static const unsigned versions[VERSIONS] = {200, 300, 400};
    const struct vendor *best = NULL;
    for (size_t i = 0; i < scores->count; i++) {
        const struct vendor *vendor = &scores->vendors[i];
        if (has_score(vendor) &&
            (!best || preference(vendor, preferred) > preference(best, preferred)))
            best = vendor;
    }
    for (int v = 0; best && v < VERSIONS; v++) {
        str vector = text_str(&best->vectors[v]);
        unsigned said = cvss_version(vector);
        if (best->scores[v] > 0)
            draft_cvss(draft, said > 1 ? said : versions[v], best->scores[v], vector);
    }
}
