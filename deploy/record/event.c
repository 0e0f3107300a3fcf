#include "deploy/record/event.h"

#include "gate/base/moment.h"
#include "gate/base/number.h"
#include "gate/doc/json.h"

#include <stdio.h>

static const char *const stream_names[STREAM_COUNT] = {
    [STREAM_ROLLOUT] = "rollout", [STREAM_GATE] = "gate",         [STREAM_INCIDENT] = "incident",
    [STREAM_RELEASE] = "release", [STREAM_BASELINE] = "baseline",
};

const char *event_stream_name(enum event_stream stream)
{
    return stream < STREAM_COUNT ? stream_names[stream] : "?";
}

bool event_stream_of(str name, enum event_stream *ret)
{
    for (unsigned i = 0; i < STREAM_COUNT; i++)
        if (str_is(name, stream_names[i])) {
            *ret = (enum event_stream)i;
            return true;
        }
    return false;
}

// Types become file names and lines of commit messages: "lease.taken", "release.marked-bad".
static bool is_type(str s)
{
    if (s.len == 0 || s.len > EVENT_TYPE_MAX || s.data[0] == '.' || s.data[0] == '-')
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        if (!((c >= 'a' && c <= 'z') || c == '.' || c == '-'))
            return false;
    }
    return true;
}

// Names and keys stand on one line of a commit message.
static bool is_line(str s)
{
    if (s.len > EVENT_NAME_MAX || !str_is_utf8(s))
        return false;
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.data[i] < 0x20 || s.data[i] == 0x7f)
            return false;
    return true;
}

static bool check_names(const struct event *event, struct error *err)
{
    if (event->stream >= STREAM_COUNT)
        return error_set(err, ERROR_INPUT, "an event of an unknown stream");
    if (!is_type(event->type))
        return error_set(err, ERROR_INPUT, "`" STR_FMT "` is not a type of event",
                         STR_ARG(str_first(event->type, 80)));
    if (!str_is_hex(str_of(event->id), EVENT_ID - 1))
        return error_set(err, ERROR_INPUT, "`%s` is not the id of an event", event->id);
    if (event->sequence == 0)
        return error_set(err, ERROR_INPUT, "event %s has no sequence", event->id);
    const str names[] = {event->rollout,      event->key,        event->lease.environment,
                         event->lease.holder, event->lease.over, event->lease.process,
                         event->lease.why};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (!is_line(names[i]))
            return error_set(err, ERROR_INPUT,
                             "event %s: a name must be one line of UTF-8 of at most %d bytes",
                             event->id, EVENT_NAME_MAX);
    return true;
}

static void add_moment(struct json_out *out, const char *key, int64_t ms)
{
    char moment[MOMENT_TEXT];
    json_add_str(out, key, str_of(moment_format(ms, moment)));
}

static void add_if(struct json_out *out, const char *key, str value)
{
    if (value.len)
        json_add_str(out, key, value);
}

static void add_true(struct json_out *out, const char *key, bool value)
{
    if (value)
        json_add_bool(out, key, true);
}

static void write_lease(const struct event_lease *lease, struct json_out *out)
{
    if (!lease->environment.len)
        return;
    json_open_map(out, "lease");
    json_add_str(out, "environment", lease->environment);
    add_if(out, "holder", lease->holder);
    if (lease->fence)
        json_add_u64(out, "fence", lease->fence);
    if (lease->expires_ms)
        add_moment(out, "expires", lease->expires_ms);
    add_true(out, "force", lease->force);
    add_true(out, "keep_claim", lease->keep_claim);
    add_true(out, "late", lease->late);
    add_if(out, "process", lease->process);
    add_if(out, "over", lease->over);
    add_if(out, "why", lease->why);
    json_close(out);
}

bool event_write(const struct event *event, struct text *text, struct error *err)
{
    if (!check_names(event, err))
        return false;
    struct json_out out = json_out_of(text, JSON_PRETTY);
    json_open_map(&out, NULL);
    json_add_u64(&out, "schema", EVENT_SCHEMA);
    json_add_str(&out, "id", str_of(event->id));
    json_add_str(&out, "stream", str_of(event_stream_name(event->stream)));
    json_add_u64(&out, "sequence", event->sequence);
    add_moment(&out, "time", event->time_ms);
    json_add_str(&out, "type", event->type);
    add_if(&out, "rollout", event->rollout);
    json_open_map(&out, "actor");
    add_if(&out, "login", event->actor.login);
    add_if(&out, "subject", event->actor.subject);
    add_if(&out, "run_url", event->actor.run_url);
    add_if(&out, "local_user", event->actor.local_user);
    json_close(&out);
    write_lease(&event->lease, &out);
    add_if(&out, "key", event->key);
    json_open_list(&out, "evidence");
    for (size_t i = 0; i < event->evidence_count; i++) {
        json_open_map(&out, NULL);
        json_add_str(&out, "path", event->evidence[i].path);
        json_add_str(&out, "sha256", str_of(event->evidence[i].sha256));
        json_add_u64(&out, "bytes", event->evidence[i].size_bytes);
        json_close(&out);
    }
    json_close(&out);
    if (event->body.len)
        json_add_raw(&out, "body", event->body);
    else if (event->fields)
        json_add_node(&out, "body", event->fields);
    else
        json_add_raw(&out, "body", STR("{}"));
    json_close(&out);
    text_addc(text, '\n');
    if (text_full(text))
        return error_set(err, ERROR_LIMIT, "event %s is larger than %u bytes", event->id,
                         LIMIT_EVENT_BYTES);
    return true;
}

// ---- reading ------------------------------------------------------------------------------------

static bool wrong(struct error *err, str key, const char *want)
{
    return error_set(err, ERROR_INPUT, "`" STR_FMT "` of an event must be %s",
                     STR_ARG(str_first(key, 60)), want);
}

static bool read_text(const struct node *node, str *ret, struct error *err)
{
    if (node->kind != NODE_STRING || !is_line(node->text) || !node->text.len)
        return wrong(err, node->key, "one line of text");
    *ret = node->text;
    return true;
}

// Addresses and subjects may be longer than a name.
static bool read_words(const struct node *node, str *ret, struct error *err)
{
    if (node->kind != NODE_STRING)
        return wrong(err, node->key, "text");
    *ret = node->text;
    return true;
}

static bool read_number(const struct node *node, uint64_t *ret, struct error *err)
{
    if (node->kind != NODE_NUMBER || !number_u64(node->text, ret))
        return wrong(err, node->key, "a whole number");
    return true;
}

static bool read_moment(const struct node *node, int64_t *ret, struct error *err)
{
    if (node->kind != NODE_STRING || !moment_parse(node->text, ret))
        return wrong(err, node->key, "a moment such as 2026-11-22T07:09:55.123Z");
    return true;
}

static bool read_flag(const struct node *node, bool *ret, struct error *err)
{
    if (node->kind != NODE_BOOL || !str_is(node->text, "true"))
        return wrong(err, node->key, "true, or absent");
    *ret = true;
    return true;
}

static bool unknown(const struct node *node, const char *where, struct error *err)
{
    return error_set(err, ERROR_INPUT, "unknown key `" STR_FMT "` in %s",
                     STR_ARG(str_first(node->key, 60)), where);
}

static bool read_actor(const struct node *map, struct event_actor *actor, struct error *err)
{
    if (map->kind != NODE_MAP)
        return wrong(err, map->key, "a map");
    for (const struct node *n = map->first; n; n = n->next) {
        str *to = str_is(n->key, "login")        ? &actor->login
                  : str_is(n->key, "subject")    ? &actor->subject
                  : str_is(n->key, "run_url")    ? &actor->run_url
                  : str_is(n->key, "local_user") ? &actor->local_user
                                                 : NULL;
        if (!to)
            return unknown(n, "the actor of an event", err);
        if (!read_words(n, to, err))
            return false;
    }
    return true;
}

enum lease_part { LEASE_WORD, LEASE_FLAG, LEASE_NUMBER, LEASE_MOMENT };

static const struct {
    const char *key;
    enum lease_part part;
    size_t offset;
} lease_parts[] = {
    {"environment", LEASE_WORD, offsetof(struct event_lease, environment)},
    {"holder", LEASE_WORD, offsetof(struct event_lease, holder)},
    {"fence", LEASE_NUMBER, offsetof(struct event_lease, fence)},
    {"expires", LEASE_MOMENT, offsetof(struct event_lease, expires_ms)},
    {"force", LEASE_FLAG, offsetof(struct event_lease, force)},
    {"keep_claim", LEASE_FLAG, offsetof(struct event_lease, keep_claim)},
    {"late", LEASE_FLAG, offsetof(struct event_lease, late)},
    {"process", LEASE_WORD, offsetof(struct event_lease, process)},
    {"over", LEASE_WORD, offsetof(struct event_lease, over)},
    {"why", LEASE_WORD, offsetof(struct event_lease, why)},
};

static bool read_lease_part(const struct node *n, struct event_lease *lease, struct error *err)
{
    for (size_t i = 0; i < sizeof lease_parts / sizeof lease_parts[0]; i++) {
        void *to = (char *)lease + lease_parts[i].offset;
        if (!str_is(n->key, lease_parts[i].key))
            continue;
        switch (lease_parts[i].part) {
        case LEASE_WORD:
            return read_text(n, to, err);
        case LEASE_FLAG:
            return read_flag(n, to, err);
        case LEASE_NUMBER:
            return read_number(n, to, err);
        case LEASE_MOMENT:
            return read_moment(n, to, err);
        }
    }
    return unknown(n, "the lease of an event", err);
}

static bool read_lease(const struct node *map, struct event_lease *lease, struct error *err)
{
    if (map->kind != NODE_MAP)
        return wrong(err, map->key, "a map");
    for (const struct node *n = map->first; n; n = n->next)
        if (!read_lease_part(n, lease, err))
            return false;
    return lease->environment.len ? true : wrong(err, STR("lease"), "of an environment");
}

static bool read_evidence(struct arena *arena, const struct node *list, struct event *event,
                          struct error *err)
{
    if (list->kind != NODE_LIST || list->count > EVENT_EVIDENCE_MAX)
        return wrong(err, list->key, "a list of at most 4096 files");
    struct event_evidence *items = ARENA_ARRAY(arena, struct event_evidence, list->count + 1);
    size_t count = 0;
    for (const struct node *n = list->first; n; n = n->next, count++) {
        const struct node *sha = node_get(n, "sha256"), *bytes = node_get(n, "bytes"),
                          *path = node_get(n, "path");
        if (n->kind != NODE_MAP || n->count != 3 || !sha || !bytes || !path ||
            sha->kind != NODE_STRING || !str_is_hex(sha->text, SHA256_HEX - 1))
            return wrong(err, STR("evidence"), "path, sha256 and bytes, each");
        if (!read_words(path, &items[count].path, err) ||
            !read_number(bytes, &items[count].size_bytes, err))
            return false;
        memcpy(items[count].sha256, sha->text.data, sha->text.len);
    }
    event->evidence = items;
    event->evidence_count = count;
    return true;
}

enum part { // of an event's JSON
    PART_SCHEMA = 1,
    PART_ID = 2,
    PART_STREAM = 4,
    PART_SEQUENCE = 8,
    PART_TIME = 16,
    PART_TYPE = 32,
    PART_ACTOR = 64,
    PART_EVIDENCE = 128,
    PART_BODY = 256,
    PARTS_REQUIRED = 511,
};

static bool read_stream(const struct node *node, enum event_stream *ret, struct error *err)
{
    return node->kind == NODE_STRING && event_stream_of(node->text, ret)
               ? true
               : wrong(err, node->key, "rollout, gate, incident, release or baseline");
}

static bool read_id(const struct node *node, char ret[EVENT_ID], struct error *err)
{
    if (node->kind != NODE_STRING || !str_is_hex(node->text, EVENT_ID - 1))
        return wrong(err, node->key, "32 hexadecimal digits");
    memcpy(ret, node->text.data, EVENT_ID - 1);
    ret[EVENT_ID - 1] = '\0';
    return true;
}

static bool read_schema(const struct node *node, struct error *err)
{
    uint64_t schema = 0;
    if (!read_number(node, &schema, err))
        return false;
    if (schema != EVENT_SCHEMA)
        return error_set(err, ERROR_INPUT,
                         "an event of schema %llu; this sluice knows schema %d: use a newer one",
                         (unsigned long long)schema, EVENT_SCHEMA);
    return true;
}

static bool read_part(struct arena *arena, const struct node *n, struct event *event,
                      unsigned *parts, struct error *err)
{
    static const struct {
        const char *key;
        unsigned part;
    } keys[] = {{"schema", PART_SCHEMA}, {"id", PART_ID},
                {"stream", PART_STREAM}, {"sequence", PART_SEQUENCE},
                {"time", PART_TIME},     {"type", PART_TYPE},
                {"actor", PART_ACTOR},   {"evidence", PART_EVIDENCE},
                {"body", PART_BODY}};
    unsigned part = 0;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (str_is(n->key, keys[i].key))
            part = keys[i].part;
    *parts |= part;
    switch (part) {
    case PART_SCHEMA:
        return read_schema(n, err);
    case PART_ID:
        return read_id(n, event->id, err);
    case PART_STREAM:
        return read_stream(n, &event->stream, err);
    case PART_SEQUENCE:
        return read_number(n, &event->sequence, err);
    case PART_TIME:
        return read_moment(n, &event->time_ms, err);
    case PART_TYPE:
        return read_text(n, &event->type, err);
    case PART_ACTOR:
        return read_actor(n, &event->actor, err);
    case PART_EVIDENCE:
        return read_evidence(arena, n, event, err);
    case PART_BODY:
        event->fields = n;
        return n->kind == NODE_MAP ? true : wrong(err, n->key, "a map");
    default:
        break;
    }
    if (str_is(n->key, "rollout"))
        return read_text(n, &event->rollout, err);
    if (str_is(n->key, "key"))
        return read_text(n, &event->key, err);
    if (str_is(n->key, "lease"))
        return read_lease(n, &event->lease, err);
    return unknown(n, "an event", err);
}

bool event_read(struct arena *arena, str bytes, struct event *ret, struct error *err)
{
    const struct node *root;
    if (bytes.len > LIMIT_EVENT_BYTES)
        return error_set(err, ERROR_LIMIT, "an event of more than %u bytes", LIMIT_EVENT_BYTES);
    if (!json_parse(arena, NULL, bytes, &root, err))
        return false;
    if (root->kind != NODE_MAP)
        return error_set(err, ERROR_INPUT, "an event must be a map");
    struct event event = {0};
    unsigned parts = 0;
    for (const struct node *n = root->first; n; n = n->next)
        if (!read_part(arena, n, &event, &parts, err))
            return false;
    if (parts != PARTS_REQUIRED)
        return error_set(err, ERROR_INPUT,
                         "an event lacks some of schema, id, stream, sequence, "
                         "time, type, actor, evidence, body");
    if (!check_names(&event, err))
        return false;
    *ret = event;
    return true;
}

// ---- paths --------------------------------------------------------------------------------------

char *event_path(const struct event *event, unsigned part, char out[EVENT_PATH])
{
    int year, month, day;
    int64_t days = event->time_ms / MS_DAY - (event->time_ms % MS_DAY < 0);
    civil_from_days(days, &year, &month, &day);
    char suffix[16] = "";
    if (part > 1)
        (void)snprintf(suffix, sizeof suffix, ".%u", part);
    (void)snprintf(out, EVENT_PATH, "events/%04d/%02d/%02d/%s%s/%08llu-" STR_FMT ".json", year,
                   month, day, event_stream_name(event->stream), suffix,
                   (unsigned long long)event->sequence, STR_ARG(event->type));
    return out;
}

bool event_path_parse(str path, enum event_stream *ret_stream, uint64_t *ret_sequence,
                      str *ret_type)
{
    static const size_t digits[] = {4, 2, 2};
    if (!str_starts(path, STR("events/")) || !str_ends(path, STR(".json")))
        return false;
    path = str_from(path, 7);
    path.len -= 5;
    uint64_t number;
    for (size_t i = 0; i < 3; i++) {
        str part = str_cut(&path, '/');
        if (part.len != digits[i] || !number_u64(part, &number))
            return false;
    }
    str folder = str_cut(&path, '/');
    str stream = str_cut(&folder, '.');
    str sequence = str_cut(&path, '-');
    if (folder.data && (!number_u64(folder, &number) || number < 2))
        return false;
    return event_stream_of(stream, ret_stream) && sequence.len >= 8 &&
           number_u64(sequence, ret_sequence) && is_type(path) && (*ret_type = path, true);
}
