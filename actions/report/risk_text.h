// The risk register and its roadmap, for people and programs.
//
//     struct risk_view view = {.risks = &risks, .path = "risk-register.yml", .today_days = today};
//     view.count = risk_select(&arena, &risks, &filter, &view.items);
//     risk_list_text(&view, &out);
#ifndef ACTIONS_REPORT_RISK_TEXT_H
#define ACTIONS_REPORT_RISK_TEXT_H

#include "gate/base/text.h"
#include "gate/risk/ranking.h"

struct risk_view {
    const struct risk_register *risks;
    const char *path; // of the register
    int64_t today_days;
    const struct risk **items; // as they are to be shown
    size_t count;
};

void risk_list_text(const struct risk_view *view, struct text *out);
void risk_list_markdown(const struct risk_view *view, struct text *out);
void risk_list_json(const struct risk_view *view, struct text *out); // "sluice.risks/1"

void roadmap_text(const struct risk_view *view, const struct roadmap *roadmap, struct text *out);
void roadmap_markdown(const struct risk_view *view, const struct roadmap *roadmap,
                      struct text *out);
void roadmap_json(const struct risk_view *view, const struct roadmap *roadmap,
                  struct text *out); // "sluice.roadmap/1"

#endif
