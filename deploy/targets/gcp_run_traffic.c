// Who gets what share of a service's requests: what is there, and what a verb wants.
//
// `traffic` is replaced as a whole, so that what others tagged for looking at it has to be kept: at
// 0 %. Shares are always given to revisions by name: "the latest" would move with the next revision
// that anybody makes.
#include "deploy/targets/gcp_run.h"

#include "gate/doc/json.h"

uint32_t run_percent_of(uint32_t share_ppm)
{
    uint32_t percent = (share_ppm + RUN_PERCENT_PPM - 1) / RUN_PERCENT_PPM;
    return percent < 100 ? percent : 100;
}

uint32_t run_percent_on(const struct run_traffic *traffic, str revision)
{
    uint32_t percent = 0;
    for (size_t i = 0; i < traffic->count && revision.len; i++)
        if (str_eq(traffic->items[i].revision, revision))
            percent += traffic->items[i].percent;
    return percent;
}

static bool same(const struct run_share *a, const struct run_share *b)
{
    return a->latest == b->latest && (a->latest || str_eq(a->revision, b->revision)) &&
           a->percent == b->percent && str_eq(a->tag, b->tag);
}

// Nothing is asked of an entry of 0 % without a tag, and not everybody tells of one.
static bool says_something(const struct run_share *share)
{
    return share->percent > 0 || share->tag.len > 0;
}

static bool has_all_of(const struct run_traffic *list, const struct run_traffic *of)
{
    for (size_t i = 0; i < of->count; i++) {
        bool found = !says_something(&of->items[i]);
        for (size_t k = 0; !found && k < list->count; k++)
            found = same(&list->items[k], &of->items[i]);
        if (!found)
            return false;
    }
    return true;
}

bool run_traffic_equal(const struct run_traffic *a, const struct run_traffic *b)
{
    return has_all_of(a, b) && has_all_of(b, a);
}

static void add(struct run_traffic *list, struct arena *arena, struct run_share share)
{
    for (size_t i = 0; i < list->count; i++) {
        struct run_share *known = &list->items[i];
        if (!share.latest && !known->latest && str_eq(known->revision, share.revision) &&
            str_eq(known->tag, share.tag)) {
            known->percent += share.percent;
            return;
        }
    }
    list->items = arena_grow(arena, list->items, list->count, &list->room, sizeof *list->items);
    list->items[list->count++] = share;
}

// What is served now, by name, and at our tag nothing.
static void add_present(struct run_traffic *list, struct arena *arena,
                        const struct run_traffic *served)
{
    for (size_t i = 0; i < served->count; i++)
        if (served->items[i].percent)
            add(list, arena,
                (struct run_share){.revision = served->items[i].revision,
                                   .percent = served->items[i].percent});
}

static void add_tags(struct run_traffic *list, struct arena *arena,
                     const struct run_traffic *wanted, str own)
{
    for (size_t i = 0; i < wanted->count; i++) {
        struct run_share share = wanted->items[i];
        share.percent = 0;
        if (share.tag.len && !str_eq(share.tag, own))
            add(list, arena, share);
    }
}

struct run_traffic run_traffic_for(const struct target_operation *operation, struct arena *arena)
{
    const struct run_seen *seen = &operation->seen;
    str next = operation->next.revision, good = operation->good.revision;
    str tag = operation->run->config->tag;
    uint32_t percent = run_percent_of(operation->share_ppm);
    struct run_traffic list = {0};
    switch (operation->verb) {
    case INTENT_STAGE:
        next = run_revision_name(arena, operation->run->service, &operation->next, operation->name);
        add_present(&list, arena, &seen->served);
        add(&list, arena, (struct run_share){.revision = next, .tag = tag});
        break;
    case INTENT_SHIFT:
        if (percent < 100)
            add(&list, arena, (struct run_share){.revision = good, .percent = 100 - percent});
        add(&list, arena, (struct run_share){.revision = next, .percent = percent, .tag = tag});
        break;
    case INTENT_PROMOTE:
        add(&list, arena, (struct run_share){.revision = next, .percent = 100});
        break;
    case INTENT_REVERT:
        if (good.len)
            add(&list, arena, (struct run_share){.revision = good, .percent = 100});
        else
            add_present(&list, arena, &seen->served);
        break;
    case INTENT_OBSERVE:
        break;
    }
    add_tags(&list, arena, &seen->wanted, tag);
    return list;
}

void run_traffic_write(const struct run_traffic *traffic, struct json_out *out)
{
    json_open_list(out, "traffic");
    for (size_t i = 0; i < traffic->count; i++) {
        const struct run_share *share = &traffic->items[i];
        json_open_map(out, NULL);
        json_add_str(out, "type",
                     share->latest ? STR("TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST")
                                   : STR("TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"));
        if (!share->latest)
            json_add_str(out, "revision", share->revision);
        if (share->percent)
            json_add_u64(out, "percent", share->percent);
        if (share->tag.len)
            json_add_str(out, "tag", share->tag);
        json_close(out);
    }
    json_close(out);
}
