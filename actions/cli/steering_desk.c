#include "actions/cli/steering_desk.h"

#include "actions/cli/ledger_facts.h"
#include "gate/doc/json.h"

enum { LOOK_MS = 500 };

static const char *const steer_names[] = {
    [STEER_HOLD] = "hold", [STEER_PROMOTE] = "promote", [STEER_ABORT] = "abort"};
enum { STEERS = sizeof steer_names / sizeof steer_names[0] };

const char *steer_name(enum rollout_steer steer)
{
    return steer_names[steer];
}

bool steering_write(struct ledger *ledger, str rollout, const struct steering *word, str key,
                    struct error *err)
{
    struct text body = text_of(65536);
    struct json_out json = json_out_of(&body, JSON_COMPACT);
    json_open_map(&json, NULL);
    json_add_str(&json, "steer", str_of(steer_name(word->steer)));
    if (word->share_ppm)
        json_add_u64(&json, "share_ppm", word->share_ppm);
    json_add_str(&json, "text", word->text);
    json_close(&json);
    struct event event = {.stream = STREAM_ROLLOUT,
                          .rollout = rollout,
                          .type = STR(STEERING_TYPE),
                          .key = key,
                          .body = text_str(&body)};
    if (key.len)
        event.actor = facts_actor(ledger, word->who);
    bool ok = text_full(&body) ? error_set(err, ERROR_LIMIT, "the reason is too long")
                               : ledger_append(ledger, &event, NULL, err);
    text_done(&body);
    return ok;
}

bool steering_read(const struct event *event, struct steering *ret)
{
    str name = node_text(event->fields, "steer");
    uint64_t share = 0;
    unsigned steer = 0;
    while (steer < STEERS && !str_is(name, steer_names[steer]))
        steer++;
    if (steer == STEERS ||
        (node_get(event->fields, "share_ppm") &&
         (!json_get_u64(event->fields, "share_ppm", &share) || share == 0 || share > SHARE_ALL)))
        return false;
    *ret = (struct steering){.steer = (enum rollout_steer)steer,
                             .token = mailbox_token(str_of(event->id)),
                             .share_ppm = (uint32_t)share,
                             .who = facts_person(&event->actor),
                             .text = node_text(event->fields, "text")};
    return true;
}

static bool poll(void *self, int64_t now_ms, struct steering *ret)
{
    struct steering_desk *desk = self;
    struct event event;
    struct error ignored;
    if (now_ms < desk->next_ms && desk->next_ms <= now_ms + LOOK_MS)
        return false;
    if (!ledger_refresh(desk->box.ledger, &ignored))
        return false;
    while (mailbox_next(&desk->box, STR(STEERING_TYPE), &desk->arena, &event))
        if (steering_read(&event, ret))
            return true;
    desk->next_ms = now_ms + LOOK_MS;
    return false;
}

struct steering_port steering_desk_port(struct steering_desk *desk)
{
    return (struct steering_port){desk, poll};
}

void steering_desk_done(struct steering_desk *desk)
{
    mailbox_done(&desk->box);
    arena_done(&desk->arena);
}
