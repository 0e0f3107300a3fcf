// What is told of a group, and what is remembered of it.
#include "deploy/targets/gcp_mig.h"

// ---- memory ------------------------------------------------------------------------------------

str mig_memory(const struct target_operation *operation, struct arena *arena)
{
    struct text text = text_of(4096);
    struct json_out out = json_out_of(&text, JSON_COMPACT);
    json_open_map(&out, NULL);
    if (operation->verb == INTENT_SHIFT) {
        json_add_str(&out, "template", operation->next.revision);
        json_add_u64(&out, "share", operation->share_ppm);
        json_add_u64(&out, "count", operation->step.count);
        json_add_u64(&out, "size", operation->seen.size);
    }
    json_close(&out);
    str copy = arena_str(arena, text_str(&text));
    text_done(&text);
    return copy;
}

// An autoscaler gives a group another size at any time, and a number of instances is another share
// then. It still is what was asked for: as long as the number is the same and known good has the
// rest, the share is told that it stood for. The next change reckons by the new size.
static bool is_held(const struct target_operation *operation, uint32_t *share_ppm)
{
    struct arena arena = {0};
    struct error unread;
    const struct mig_seen *seen = &operation->seen;
    const struct node *memory;
    uint64_t share = 0, count = 0, size = 0;
    bool known = operation->verb == INTENT_OBSERVE && operation->memory.len &&
                 json_parse(&arena, NULL, operation->memory, &memory, &unread) &&
                 str_eq(node_text(memory, "template"), operation->next.revision) &&
                 json_get_u64(memory, "share", &share) && json_get_u64(memory, "count", &count) &&
                 json_get_u64(memory, "size", &size);
    arena_done(&arena);
    if (!known || size == seen->size || count >= seen->size || share >= MIG_WHOLE_PPM ||
        seen->version_count != 2 || !mig_is_settled(seen))
        return false;
    *share_ppm = (uint32_t)share;
    return mig_count_on(seen, operation->next.revision) == count &&
           mig_count_on(seen, operation->good.revision) == seen->size - count;
}

// ---- evidence ----------------------------------------------------------------------------------

static bool is_first_of_it(const struct mig_seen *seen, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (str_eq(seen->instances[i].template, seen->instances[at].template))
            return false;
    return true;
}

static void add_instances(const struct mig_seen *seen, struct json_out *out)
{
    json_open_map(out, "instances");
    for (size_t i = 0; i < seen->instance_count; i++) {
        str template = seen->instances[i].template;
        char key[256];
        struct text name = text_of(sizeof key - 1);
        if (!is_first_of_it(seen, i))
            continue;
        text_add(&name, str_first(template.len ? template : STR("none"), sizeof key - 1));
        json_open_map(out, text_c(&name));
        json_add_u64(out, "count", mig_count_on(seen, template));
        json_add_u64(out, "ready", mig_ready_on(seen, template));
        json_close(out);
        text_done(&name);
    }
    json_close(out);
}

static const char *evidence_of(struct arena *arena, const struct mig_seen *seen)
{
    static const char *const keys[] = {"targetSize", "versions", "status", "currentActions"};
    struct text text = text_of(LIMIT_JSON_TREE_BYTES);
    struct json_out out = json_out_of(&text, JSON_COMPACT);
    json_open_map(&out, NULL);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const struct node *value = node_get(seen->tree, keys[i]);
        if (value)
            json_add_node(&out, keys[i], value);
    }
    json_add_str(&out, "updateType", node_text(node_get(seen->tree, "updatePolicy"), "type"));
    add_instances(seen, &out);
    if (seen->error.len)
        json_add_str(&out, "error", seen->error);
    json_close(&out);
    const char *copy = arena_copy(arena, text_str(&text));
    text_done(&text);
    return copy;
}

void mig_observation(const struct target_operation *operation, struct arena *arena,
                     struct target_observation *ret)
{
    const struct mig_seen *seen = &operation->seen;
    const struct target_troubles *troubles = &operation->troubles;
    str next = operation->next.revision, good = operation->good.revision;
    struct target_observation told = {
        .next_ppm = mig_ppm_of(mig_ready_on(seen, next), seen->size),
        .good_ppm = mig_ppm_of(mig_ready_on(seen, good), seen->size),
        .settled = seen->tree && mig_is_settled(seen),
        .revision = arena_str(arena, mig_only_version(seen)),
        .release = arena_str(arena, operation->release),
        .evidence = seen->tree ? evidence_of(arena, seen) : "{}",
        .troubles = ARENA_ARRAY(arena, struct target_trouble, troubles->count + 1),
        .trouble_count = troubles->count,
    };
    uint32_t share;
    if (is_held(operation, &share)) {
        told.next_ppm = share;
        told.good_ppm = MIG_WHOLE_PPM - share;
    }
    if (seen->tree && seen->size == 0) { // what a next instance would be
        told.next_ppm = next.len && str_eq(told.revision, next) ? MIG_WHOLE_PPM : 0;
        told.good_ppm = good.len && str_eq(told.revision, good) ? MIG_WHOLE_PPM : 0;
    }
    for (size_t i = 0; i < troubles->count; i++)
        told.troubles[i] = (struct target_trouble){troubles->items[i].kind,
                                                   arena_str(arena, troubles->items[i].words)};
    *ret = told;
}
