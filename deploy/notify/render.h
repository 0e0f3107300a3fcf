// A notice as the bytes that a receiver understands: one function for each format, all of them
// pure. Names, reasons and comments are other people's text: no format lets one become mark-up, a
// mention, or a link.
//
//     struct text body = text_of(RENDER_BYTES);
//     render_slack(&notice, &body);
#ifndef DEPLOY_NOTIFY_RENDER_H
#define DEPLOY_NOTIFY_RENDER_H

#include "deploy/notify/notice.h"
#include "gate/base/text.h"

enum {
    RENDER_BYTES = 1U << 17,
    RENDER_TARGETS = 20, // named one by one; the others are counted
};

// A Slack incoming webhook: blocks, and a text for notifications. Blocks are cut to Slack's limits.
void render_slack(const struct notice *notice, struct text *out);
// A webhook of Teams' workflows: an envelope with an Adaptive Card.
void render_teams(const struct notice *notice, struct text *out);
// `sluice.notice/1`; `subject` and `text` are a whole mail.
void render_json(const struct notice *notice, struct text *out);
// PagerDuty Events API v2. `resolve` ends what an earlier event of this rollout opened.
void render_pagerduty(const struct notice *notice, str key, bool resolve, struct text *out);

// ---- words that several formats share ----------------------------------------------------------
const char *render_mark(enum notice_event event); // "⏸"
// "web: v811 → v812", a line each.
void render_targets(const struct notice *notice, struct text *out);
// "asked: alice, bob (1 of them)".
void render_asked(const struct notice *notice, struct text *out);
void render_list(const str *items, size_t count, const char *between, struct text *out);
// At most `max_bytes` of s, never a part of a character; "…" where something is missing.
void render_cut(str s, size_t max_bytes, struct text *out);

#endif
