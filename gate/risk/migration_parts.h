// What the readers of migrations share. Not for others.
#ifndef GATE_RISK_MIGRATION_PARTS_H
#define GATE_RISK_MIGRATION_PARTS_H

#include "gate/risk/migrations.h"

// Keeps the worst change; `line` is that of its beginning.
void migration_add(struct arena *arena, struct migration *migration, enum migration_kind kind,
                   uint32_t line, str what);

// `line` is that of the first byte. ERROR_INPUT as migration_read.
bool migration_read_django(struct arena *arena, struct migration *migration, str bytes,
                           struct error *err);
bool migration_read_sql(struct arena *arena, struct migration *migration, str bytes, uint32_t line,
                        struct error *err);

#endif
