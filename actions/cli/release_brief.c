#include "actions/cli/release_brief.h"

#include "actions/cli/release_risk.h"
#include "gate/doc/json.h"
#include "gate/doc/node.h"

#include <string.h>

struct reading {
    struct arena *arena;
    const struct plan *plan;
    struct release_brief *brief;
    struct release_demands demands;
    bool any;
};

// ---- risks --------------------------------------------------------------------------------------

static struct brief_risk *risk_of(struct release_brief *brief, str id)
{
    for (size_t i = 0; i < brief->risk_count; i++)
        if (str_eq(brief->risks[i].id, id))
            return &brief->risks[i];
    return NULL;
}

static void add_file(struct brief_risk *risk, str path)
{
    for (size_t i = 0; i < risk->file_count; i++)
        if (str_eq(risk->files[i], path))
            return;
    if (path.len && risk->file_count < BRIEF_FILES)
        risk->files[risk->file_count++] = path;
}

// "risk.touched[R-1]"
static str touched_risk(str finding)
{
    str begins = STR("risk.touched[");
    if (!str_starts(finding, begins) || finding.data[finding.len - 1] != ']')
        return (str){NULL, 0};
    str id = str_from(finding, begins.len);
    return str_first(id, id.len - 1);
}

static void add_risk(struct reading *reading, const struct node *finding, str id)
{
    struct release_brief *brief = reading->brief;
    struct brief_risk *risk = risk_of(brief, id);
    if (!risk && brief->risk_count == BRIEF_RISKS) {
        brief->risks_more++;
        return;
    }
    if (!risk) {
        risk = &brief->risks[brief->risk_count++];
        *risk = (struct brief_risk){.id = id,
                                    .exposure = node_text(finding, "have"),
                                    .says = node_text(finding, "message"),
                                    .files = ARENA_ARRAY(reading->arena, str, BRIEF_FILES)};
    }
    const struct node *where = node_get(finding, "where");
    for (const struct node *n = where && where->kind == NODE_LIST ? where->first : NULL; n;
         n = n->next)
        add_file(risk, node_text(n, "path"));
}

// ---- one decision -------------------------------------------------------------------------------

static void add_findings(struct reading *reading, const struct node *decision, bool own)
{
    const struct node *list = node_get(decision, "findings");
    for (const struct node *n = list && list->kind == NODE_LIST ? list->first : NULL; n;
         n = n->next) {
        str id = touched_risk(node_text(n, "id"));
        if (id.len)
            add_risk(reading, n, id);
        if (own && str_is(node_text(n, "verdict"), "warn"))
            reading->brief->warnings++;
    }
}

static void add_migrations(struct release_brief *brief, const struct node *decision)
{
    const struct node *list = node_get(node_get(decision, "score"), "parts");
    for (const struct node *n = list && list->kind == NODE_LIST ? list->first : NULL; n;
         n = n->next) {
        uint64_t files = 0;
        if (!str_is(node_text(n, "name"), "migrations"))
            continue;
        if (json_get_u64(n, "value", &files))
            brief->migrations += files;
        else
            brief->migrations_known = false;
        return;
    }
    brief->migrations_known = false;
}

static bool read_decision(void *self, const struct gate_record *record, struct error *err)
{
    struct reading *reading = self;
    struct release_brief *brief = reading->brief;
    struct release_demands demands;
    bool own = str_eq(record->commit, reading->plan->commit);
    if (own) {
        brief->known = true;
        brief->verdict = record->decision;
        brief->decided_ms = record->time_ms;
    }
    add_findings(reading, record->body, own);
    add_migrations(brief, record->body);
    if (!release_demands_read(reading->arena, record->body, &demands, err))
        return false;
    bool first = !reading->any;
    reading->any = true;
    if (first)
        reading->demands = demands;
    return first || release_demands_unite(reading->arena, &reading->demands, &demands,
                                          &reading->demands, err);
}

// `good_count` 0: of the release's own commit alone.
static bool read_decisions(struct deployment *d, const struct plan *plan,
                           const struct placement *good, size_t good_count,
                           struct release_brief *ret)
{
    struct reading reading = {
        .arena = d->arena, .plan = plan, .brief = ret, .demands = {.risk = RELEASE_NOT_SCORED}};
    const struct decision_visitor visitor = {&reading, read_decision};
    *ret = (struct release_brief){
        .risks = ARENA_ARRAY(d->arena, struct brief_risk, BRIEF_RISKS),
        .migrations_known = true,
    };
    bool ok = release_decisions(d, good, good_count, arena_copy(d->arena, plan->commit), &visitor);
    ret->risk = reading.demands.risk;
    ret->score = reading.demands.score;
    ret->risk_unknown = reading.demands.unknown;
    return ok;
}

void release_brief(struct deployment *d, const struct plan *plan, struct release_brief *ret)
{
    struct error before = d->call->error;
    struct placement *good = ARENA_ARRAY(d->arena, struct placement, plan->target_count + 1);
    for (uint32_t i = 0; i < plan->target_count; i++)
        good[i] = plan->targets[i].good;
    *ret = (struct release_brief){.risk = RELEASE_NOT_SCORED};
    if (plan->mode == PLAN_FORWARD && plan->commit.len + 1 == COMMIT_HEX &&
        !read_decisions(d, plan, good, plan->target_count, ret)) {
        (void)read_decisions(d, plan, NULL, 0, ret);
        ret->partial = true;
    }
    ret->migrations_known &= ret->known && !ret->partial;
    if (!facts_way_back(d, plan->environment, &ret->way))
        ret->way = (struct way_back){0};
    d->call->error = before;
}
