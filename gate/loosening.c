#include "gate/loosening.h"

#include "gate/base/glob.h"
#include "gate/base/moment.h"
#include "gate/base/number.h"

enum sense {
    SENSE_ANY,     // every change may loosen
    SENSE_MORE,    // a larger value is stricter
    SENSE_LESS,    // a smaller value is stricter
    SENSE_LATER,   // (dates, durations) a later or longer one is looser
    SENSE_LONGER,  // a longer one is stricter
    SENSE_WORDS,   // of two words the one that stands first in `words` is stricter
    SENSE_SHRINKS, // a list or map: what is gone is loosened, what is new is not
    SENSE_GROWS,   // the other way round
    SENSE_FREE,    // says nothing about strictness
};

struct direction {
    const char *pattern; // of the dotted path: `*` = any one name
    enum sense sense;
    const char *words;
};

static const struct direction policy_directions[] = {
    {"version", SENSE_FREE, NULL},
    {"enforce", SENSE_WORDS, "true false"},
    {"extends", SENSE_SHRINKS, NULL},
    {"env", SENSE_GROWS, NULL},
    {"evidence", SENSE_SHRINKS, NULL},
    {"evidence/on_missing", SENSE_WORDS, "block hold warn"},
    {"evidence/*/shards", SENSE_MORE, NULL},
    {"evidence/*/at_least", SENSE_MORE, NULL},
    {"evidence/*/max_age", SENSE_LATER, NULL},
    {"evidence/*", SENSE_SHRINKS, NULL},
    {"evidence/*/reports", SENSE_SHRINKS, NULL},
    {"evidence/*/locks", SENSE_SHRINKS, NULL},
    {"evidence/*/strip", SENSE_FREE, NULL},
    {"evidence/*/vex", SENSE_GROWS, NULL},
    {"evidence/*/catalogues", SENSE_SHRINKS, NULL},
    {"gate", SENSE_SHRINKS, NULL},
    {"gate/coverage", SENSE_SHRINKS, NULL},
    {"gate/coverage/total", SENSE_MORE, NULL},
    {"gate/coverage/changed", SENSE_MORE, NULL},
    {"gate/coverage/max_drop", SENSE_LESS, NULL},
    {"gate/coverage/critical", SENSE_SHRINKS, NULL},
    {"gate/coverage/critical/*", SENSE_MORE, NULL},
    {"gate/coverage/critical/*/*", SENSE_MORE, NULL},
    {"gate/coverage/ignore", SENSE_GROWS, NULL},
    {"gate/tests", SENSE_SHRINKS, NULL},
    {"gate/tests/failures", SENSE_LESS, NULL},
    {"gate/tests/new_failures", SENSE_LESS, NULL},
    {"gate/tests/flaky", SENSE_SHRINKS, NULL},
    {"gate/tests/flaky/max", SENSE_LESS, NULL},
    {"gate/tests/fix_needs_test", SENSE_WORDS, "true false"},
    {"gate/performance", SENSE_SHRINKS, NULL},
    {"gate/performance/endpoints", SENSE_SHRINKS, NULL},
    {"gate/performance/endpoints/*", SENSE_SHRINKS, NULL},
    {"gate/performance/endpoints/*/min_runs", SENSE_MORE, NULL},
    {"gate/performance/endpoints/*/*", SENSE_LESS, NULL},
    {"gate/performance/soak_test", SENSE_SHRINKS, NULL},
    {"gate/performance/soak_test/duration", SENSE_LONGER, NULL},
    {"gate/performance/soak_test/error_rate", SENSE_LESS, NULL},
    {"gate/vulnerabilities", SENSE_SHRINKS, NULL},
    {"gate/vulnerabilities/block", SENSE_SHRINKS, NULL},
    {"gate/vulnerabilities/sla", SENSE_SHRINKS, NULL},
    {"gate/vulnerabilities/sla/*", SENSE_LATER, NULL},
    {"gate/risk", SENSE_SHRINKS, NULL},
    {"gate/risk/max_exposure", SENSE_LESS, NULL},
    {"gate/risk/max_open", SENSE_SHRINKS, NULL},
    {"gate/risk/max_open/*", SENSE_LESS, NULL},
    {"gate/risk/overdue", SENSE_WORDS, "block hold warn"},
    {"gate/risk/classes", SENSE_SHRINKS, NULL},
    {"gate/risk/classes/*", SENSE_LESS, NULL},
    {"gate/incidents", SENSE_SHRINKS, NULL},
    {"gate/incidents/review_overdue", SENSE_WORDS, "block hold warn"},
    {"gate/upgrades", SENSE_SHRINKS, NULL},
    {"gate/upgrades/*", SENSE_SHRINKS, NULL},
    {"gate/upgrades/*/max_step", SENSE_LESS, NULL},
    {"gate/upgrades/*/end_of_life", SENSE_WORDS, "block hold warn"},
    {"gate/upgrades/*/requires", SENSE_SHRINKS, NULL},
    {"gate/upgrades/*/requires/critical_coverage", SENSE_MORE, NULL},
    {"gate/upgrades/*/requires/soak_test", SENSE_WORDS, "true false"},
    {"gate/enforcement", SENSE_GROWS, NULL},
    {"gate/enforcement/*", SENSE_WORDS, "block hold warn off"},
    {"gate/scope", SENSE_GROWS, NULL},
    {"gate/scope/*", SENSE_WORDS, "change release"},
    {"analysis", SENSE_SHRINKS, NULL},
    {"analysis/false_positive_rate", SENSE_MORE, NULL},
    {"analysis/max_ratio", SENSE_LESS, NULL},
    {"metrics", SENSE_SHRINKS, NULL},
    {"targets", SENSE_FREE, NULL}, // where it goes, not whether it may
    {"freezes", SENSE_SHRINKS, NULL},
    {"seasons", SENSE_SHRINKS, NULL},
    {"windows", SENSE_GROWS, NULL},
    {"notify", SENSE_FREE, NULL},
    {NULL, SENSE_ANY, NULL},
};

static const struct direction risk_directions[] = {
    {"version", SENSE_FREE, NULL},
    {"flows", SENSE_SHRINKS, NULL},
    {"flows/*", SENSE_MORE, NULL},
    {"flows/*/weight", SENSE_MORE, NULL},
    {"flows/*/title", SENSE_FREE, NULL},
    {"risks", SENSE_SHRINKS, NULL},
    {"risks/*", SENSE_SHRINKS, NULL},
    {"risks/*/title", SENSE_FREE, NULL},
    {"risks/*/treatment", SENSE_FREE, NULL},
    {"risks/*/owner", SENSE_FREE, NULL},
    {"risks/*/link", SENSE_FREE, NULL},
    {"risks/*/effort", SENSE_FREE, NULL},
    {"risks/*/likelihood", SENSE_MORE, NULL},
    {"risks/*/impact", SENSE_MORE, NULL},
    {"risks/*/weight", SENSE_MORE, NULL},
    {"risks/*/due", SENSE_LATER, NULL},
    {"risks/*/status", SENSE_WORDS, "open mitigating accepted closed"},
    {"risks/*/paths", SENSE_SHRINKS, NULL},
    {"risks/*/demands", SENSE_SHRINKS, NULL},
    {"risks/*/demands/*", SENSE_MORE, NULL},
    {"risks/*/demands/*/*", SENSE_MORE, NULL},
    {NULL, SENSE_ANY, NULL},
};

// Every new entry lets something pass.
static const struct direction waiver_directions[] = {
    {"version", SENSE_FREE, NULL},          {"waivers", SENSE_GROWS, NULL},
    {"waivers/*/until", SENSE_LATER, NULL}, {"waivers/*/reason", SENSE_FREE, NULL},
    {"waivers/*/owner", SENSE_FREE, NULL},  {NULL, SENSE_ANY, NULL},
};
static const struct direction quarantine_directions[] = {
    {"version", SENSE_FREE, NULL},
    {"quarantine", SENSE_GROWS, NULL},
    {"quarantine/*/until", SENSE_LATER, NULL},
    {"quarantine/*/issue", SENSE_FREE, NULL},
    {"quarantine/*/owner", SENSE_FREE, NULL},
    {NULL, SENSE_ANY, NULL},
};

static const struct direction *const directions[] = {
    [LOOSENING_POLICY] = policy_directions,
    [LOOSENING_RISKS] = risk_directions,
    [LOOSENING_WAIVERS] = waiver_directions,
    [LOOSENING_QUARANTINE] = quarantine_directions,
};

struct comparison {
    struct arena *arena;
    const struct direction *table;
    struct loosenings *out;
};

// ---- paths: a table's pattern has '/' between names, because names hold dots and stars ----------
struct trail { // from the leaf to the root
    const struct trail *up;
    str name;
    bool element; // of a list
};

// Names come from the innermost one on, pattern parts likewise from the end.
static bool trail_fits(const struct trail *trail, str pattern)
{
    while (trail && pattern.len) {
        size_t slash = str_find_last(pattern, '/');
        str part = slash == STR_NONE ? pattern : str_from(pattern, slash + 1);
        if (!str_is(part, "*") && !str_eq(part, trail->name))
            return false;
        pattern = slash == STR_NONE ? (str){NULL, 0} : str_first(pattern, slash);
        trail = trail->up;
    }
    return !trail && pattern.len == 0;
}

// The first row that fits, and otherwise: any change may loosen.
static const struct direction *direction_of(const struct comparison *cmp, const struct trail *trail)
{
    const struct direction *row = cmp->table;
    while (row->pattern && !trail_fits(trail, str_of(row->pattern)))
        row++;
    return row;
}

static str trail_text(struct arena *arena, const struct trail *trail)
{
    if (!trail)
        return (str){"", 0};
    str before = trail_text(arena, trail->up); // as deep as a document may be
    if (trail->element)
        return arena_format(arena, STR_FMT "[" STR_FMT "]", STR_ARG(before), STR_ARG(trail->name));
    return arena_format(arena, STR_FMT "%s" STR_FMT, STR_ARG(before), before.len ? "." : "",
                        STR_ARG(trail->name));
}

// ---- values -------------------------------------------------------------------------------------
static const char *shown(struct arena *arena, const struct node *node)
{
    if (!node)
        return "";
    if (node->kind == NODE_MAP || node->kind == NODE_LIST)
        return LOOSENED_CONTAINER;
    return arena_copy(arena, str_shorten(node->text, 80));
}

static void say(const struct comparison *cmp, const struct trail *trail, const struct node *base,
                const struct node *head)
{
    struct loosenings *out = cmp->out;
    out->items = arena_grow(cmp->arena, out->items, out->count, &out->room, sizeof *out->items);
    out->items[out->count++] = (struct loosened){
        .path = trail_text(cmp->arena, trail).data,
        .before = shown(cmp->arena, base),
        .after = shown(cmp->arena, head),
        .at = head ? head->at : base->at,
    };
}

static bool is_scalar(const struct node *node)
{
    return node->kind != NODE_MAP && node->kind != NODE_LIST;
}

// Numbers, shares, durations and dates of one kind on one scale. False when it is none of them.
static bool size_of(str text, double *ret)
{
    struct fraction share;
    int64_t whole;
    str lead = str_first(text, str_find(text, ' ')); // "2 minor"
    if (number_percent(text, &share) || number_points(text, &share)) {
        *ret = (double)share.num / (double)share.den;
        return true;
    }
    if (date_parse(text, &whole) || duration_parse(text, &whole)) {
        *ret = (double)whole;
        return true;
    }
    return number_double(text, ret) || number_double(lead, ret);
}

static int place_in(const char *words, str word)
{
    str rest = str_of(words);
    for (int i = 0; rest.len; i++)
        if (str_eq(str_cut(&rest, ' '), word))
            return i;
    return -1;
}

static bool is_looser(const struct direction *row, const struct node *base, const struct node *head)
{
    double before, after;
    if (row->sense == SENSE_WORDS) {
        int a = place_in(row->words, base->text), b = place_in(row->words, head->text);
        return a < 0 || b < 0 || b > a;
    }
    if (!size_of(base->text, &before) || !size_of(head->text, &after))
        return true;
    if (row->sense == SENSE_MORE || row->sense == SENSE_LONGER)
        return after < before;
    return row->sense == SENSE_ANY || after > before;
}

// ---- trees --------------------------------------------------------------------------------------

// What an element of a list goes by: the `id`, `stage`, `finding`, `test` or `name` of a map, the
// text of a scalar. Empty when it has none.
static str element_name(const struct node *node)
{
    static const char *const keys[] = {"id", "stage", "finding", "test", "name"};
    if (is_scalar(node))
        return node->text;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        str name = node_text(node, keys[i]);
        if (name.len)
            return name;
    }
    return (str){"", 0};
}

static bool same_tree(const struct node *a, const struct node *b)
{
    if (!a || !b || a->kind != b->kind || a->count != b->count)
        return a == b;
    if (is_scalar(a))
        return str_eq(a->text, b->text);
    const struct node *y = b->first;
    for (const struct node *x = a->first; x; x = x->next, y = y->next) {
        const struct node *other = a->kind == NODE_MAP ? NULL : y;
        for (const struct node *z = b->first; a->kind == NODE_MAP && z && !other; z = z->next)
            if (str_eq(z->key, x->key))
                other = z;
        if (!other || !same_tree(x, other))
            return false;
    }
    return true;
}

static const struct node *counterpart(const struct node *parent, const struct node *child,
                                      bool in_list)
{
    if (!parent)
        return NULL;
    str name = in_list ? element_name(child) : child->key;
    for (const struct node *n = parent->first; n; n = n->next)
        if (in_list ? (name.len ? str_eq(element_name(n), name) : same_tree(n, child))
                    : str_eq(n->key, name))
            return n;
    return NULL;
}

static void compare(const struct comparison *cmp, const struct trail *trail,
                    const struct node *base, const struct node *head);

// Something that only the base has. What an entry is itself decides; else what it stands in does.
static bool gone_is_looser(const struct direction *parent, const struct direction *own)
{
    if (own->sense == SENSE_FREE || own->sense == SENSE_GROWS)
        return false;
    return own->sense == SENSE_SHRINKS || parent->sense != SENSE_GROWS;
}

static bool new_is_looser(const struct direction *parent, const struct direction *own,
                          const struct node *node)
{
    if (own->sense == SENSE_FREE)
        return false;
    if (own->sense == SENSE_WORDS)
        return !is_scalar(node) || place_in(own->words, node->text) != 0;
    return own->sense == SENSE_GROWS || parent->sense == SENSE_GROWS ||
           (parent->sense == SENSE_ANY && own->sense == SENSE_ANY);
}

static void compare_children(const struct comparison *cmp, const struct trail *trail,
                             const struct direction *row, const struct node *base,
                             const struct node *head)
{
    bool list = base->kind == NODE_LIST;
    for (const struct node *n = base->first; n; n = n->next) {
        struct trail inner = {trail, list ? element_name(n) : n->key, list};
        const struct node *other = counterpart(head, n, list);
        if (other)
            compare(cmp, &inner, n, other);
        else if (gone_is_looser(row, direction_of(cmp, &inner)))
            say(cmp, &inner, n, NULL);
    }
    for (const struct node *n = head->first; n; n = n->next) {
        struct trail inner = {trail, list ? element_name(n) : n->key, list};
        const struct direction *own = direction_of(cmp, &inner);
        if (counterpart(base, n, list) || !new_is_looser(row, own, n))
            continue;
        if (own->sense == SENSE_GROWS && !is_scalar(n)) // entry by entry
            compare_children(cmp, &inner, own, &(struct node){.kind = n->kind}, n);
        else
            say(cmp, &inner, NULL, n);
    }
}

static void compare(const struct comparison *cmp, const struct trail *trail,
                    const struct node *base, const struct node *head)
{
    const struct direction *row = direction_of(cmp, trail);
    if (row->sense == SENSE_FREE || same_tree(base, head))
        return;
    if (is_scalar(base) && is_scalar(head)) {
        if (is_looser(row, base, head))
            say(cmp, trail, base, head);
        return;
    }
    if (base->kind == head->kind)
        compare_children(cmp, trail, row, base, head);
    else // `payments/**: 90%` became a map, or one value a list: a person has to look
        say(cmp, trail, base, head);
}

void loosening_list(struct arena *arena, enum loosening_document document, const struct node *base,
                    const struct node *head, struct loosenings *ret)
{
    static const struct direction root = {"", SENSE_SHRINKS, NULL};
    struct comparison cmp = {arena, directions[document], ret};
    struct node nothing = {.kind = NODE_MAP};
    if ((base && base->kind != NODE_MAP) || (head && head->kind != NODE_MAP))
        return; // binding has said so
    compare_children(&cmp, NULL, &root, base ? base : &nothing, head ? head : &nothing);
}
