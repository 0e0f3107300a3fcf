#include "gate/risk/waivers.h"

#include <stddef.h>

#define REQUIRED(struct_type, field_key, member, sentence)                                         \
    {                                                                                              \
        .key = (field_key), .kind = SHAPE_STR, .offset = offsetof(struct struct_type, member),     \
        .required = true, .doc = (sentence)                                                        \
    }

static const struct shape_field waiver_fields[] = {
    REQUIRED(waiver, "finding", finding,
             "Id of a finding, a pattern with `*`, or a name of a vulnerability."),
    REQUIRED(waiver, "scope", scope,
             "A pattern of paths or packages that it is about; `**` for any."),
    REQUIRED(waiver, "reason", reason, "Why it may pass."),
    REQUIRED(waiver, "owner", owner, "Who sees to it that the reason holds."),
    REQUIRED(waiver, "approved_by", approved_by,
             "Who has agreed; not an author of the change that it lets pass."),
    {.key = "until",
     .kind = SHAPE_DATE,
     .offset = offsetof(struct waiver, until_days),
     .required = true,
     .doc = "The last day on which it applies, in UTC."},
    {0},
};
static const struct shape waiver_shape = {
    .name = "waiver",
    .size_bytes = sizeof(struct waiver),
    .fields = waiver_fields,
    .position_offset = offsetof(struct waiver, at) + 1,
};

static const struct shape_field waivers_fields[] = {
    {.key = "version",
     .kind = SHAPE_INT,
     .offset = offsetof(struct waivers, version),
     .min = 1,
     .max = 1,
     .required = true,
     .doc = "Version of this format."},
    {.key = "waivers",
     .kind = SHAPE_LIST,
     .offset = offsetof(struct waivers, items),
     .shape = &waiver_shape,
     .doc = "Findings that are let pass, until a day."},
    {0},
};
const struct shape waivers_shape = {
    .name = "waivers", .size_bytes = sizeof(struct waivers), .fields = waivers_fields};

static const struct shape_field quarantined_fields[] = {
    REQUIRED(quarantined, "test", test, "The test's identity, or a pattern with `*`."),
    REQUIRED(quarantined, "issue", issue, "Where the work on it is followed."),
    REQUIRED(quarantined, "owner", owner, "Who mends it."),
    {.key = "until",
     .kind = SHAPE_DATE,
     .offset = offsetof(struct quarantined, until_days),
     .required = true,
     .doc = "The last day on which it applies, in UTC."},
    {0},
};
static const struct shape quarantined_shape = {
    .name = "quarantined test",
    .size_bytes = sizeof(struct quarantined),
    .fields = quarantined_fields,
    .position_offset = offsetof(struct quarantined, at) + 1,
};

static const struct shape_field quarantine_fields[] = {
    {.key = "version",
     .kind = SHAPE_INT,
     .offset = offsetof(struct quarantine, version),
     .min = 1,
     .max = 1,
     .required = true,
     .doc = "Version of this format."},
    {.key = "quarantine",
     .kind = SHAPE_LIST,
     .offset = offsetof(struct quarantine, items),
     .shape = &quarantined_shape,
     .doc = "Tests that are known to be unreliable, until a day."},
    {0},
};
const struct shape quarantine_shape = {
    .name = "quarantine", .size_bytes = sizeof(struct quarantine), .fields = quarantine_fields};

bool waivers_bind(struct arena *arena, const struct node *root, struct waivers *ret,
                  struct problems *problems)
{
    return shape_bind(arena, &waivers_shape, root, ret, problems);
}

bool quarantine_bind(struct arena *arena, const struct node *root, struct quarantine *ret,
                     struct problems *problems)
{
    return shape_bind(arena, &quarantine_shape, root, ret, problems);
}

bool waiver_word_fits(str pattern, str text)
{
    size_t p = 0, t = 0, star = STR_NONE, resume = 0; // after the newest `*`, and where it ends
    while (t < text.len) {
        if (p < pattern.len && pattern.data[p] == '*') {
            star = ++p;
            resume = t;
        } else if (p < pattern.len && char_lower(pattern.data[p]) == char_lower(text.data[t])) {
            p++;
            t++;
        } else if (star != STR_NONE) {
            p = star;
            t = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.data[p] == '*')
        p++;
    return p == pattern.len;
}

static bool same(str a, str b)
{
    return a.len && str_cmp_any_case(a, b) == 0;
}

bool waiver_is_person(str name, str person_name, str person_email)
{
    if (name.len && name.data[0] == '@')
        name = str_from(name, 1);
    str domain = person_email;
    str local = str_cut(&domain, '@');
    str login = local;
    size_t plus = str_find(local, '+');
    if (plus != STR_NONE && str_starts(domain, STR("users.noreply.")))
        login = str_from(local, plus + 1);
    return same(name, person_name) || same(name, person_email) || same(name, local) ||
           same(name, login);
}
