// Files, whole and atomically.
#ifndef DEPLOY_WORLD_FILES_H
#define DEPLOY_WORLD_FILES_H

#include "gate/base/arena.h"
#include "gate/base/error.h"

#include <stdint.h>

// ERROR_ABSENT when there is none, ERROR_LIMIT past max_bytes.
bool file_read(struct arena *arena, const char *path, size_t max_bytes, str *ret,
               struct error *err);
// Written beside, flushed to disk, renamed: readers see the old or the new one. mode e.g. 0644.
bool file_write(const char *path, str bytes, unsigned mode, struct error *err);
bool folder_make(const char *path, unsigned mode, struct error *err); // with its parents; may exist
bool folder_remove(const char *path, struct error *err); // with all in it; follows no link
bool file_exists(const char *path);

#endif
