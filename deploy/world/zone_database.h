// The system's time-zone database: TZif files under $TZDIR, or where distributions put them.
//
//     const struct zone *zone;
//     if (!zone_find(&arena, STR("Europe/Amsterdam"), &zone, err)) …
#ifndef DEPLOY_WORLD_ZONE_DATABASE_H
#define DEPLOY_WORLD_ZONE_DATABASE_H

#include "gate/base/zone.h"

// "UTC" needs no database. The zone lives in the arena. ERROR_INPUT: there is no zone of that name
// (with the nearest one), or its file cannot be read. ERROR_ABSENT: there is no database at all.
bool zone_find(struct arena *arena, str name, const struct zone **ret, struct error *err);

#endif
