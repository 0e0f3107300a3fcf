// What codec_plan.c needs of codec_calendar.c. Private to this folder.
#ifndef DEPLOY_ENGINE_CODEC_PARTS_H
#define DEPLOY_ENGINE_CODEC_PARTS_H

#include "deploy/engine/plan.h"
#include "gate/doc/json.h"

// Season, emergency, freezes and windows, into the map that is open; what there is not is left out.
void plan_calendar_write(const struct plan *plan, struct json_out *out);
// Older plans have none of it. Time zones are filled in by whoever has a database.
bool plan_calendar_read(struct arena *arena, const struct node *map, struct plan *plan,
                        struct error *err);

#endif
