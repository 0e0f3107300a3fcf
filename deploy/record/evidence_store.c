#include "deploy/record/evidence_store.h"

#include "deploy/record/ledger_parts.h"

#include <zlib.h>

#define FOLDER "evidence/"

// As git packs it: deflate, at its usual level.
static size_t packed_size(str bytes)
{
    z_stream stream = {0};
    unsigned char out[16384];
    size_t size = 0;
    if (deflateInit(&stream, Z_DEFAULT_COMPRESSION) != Z_OK)
        return bytes.len;
    // zlib's interface takes a pointer to what may be changed, and does not change it.
    memcpy(&stream.next_in, &bytes.data, sizeof stream.next_in);
    stream.avail_in = (uInt)bytes.len;
    int code;
    do {
        stream.next_out = out;
        stream.avail_out = sizeof out;
        code = deflate(&stream, Z_FINISH);
        size += sizeof out - stream.avail_out;
    } while (code == Z_OK && size <= EVIDENCE_FILE_BYTES);
    (void)deflateEnd(&stream);
    return size;
}

bool evidence_wanted(str bytes, struct evidence_room *room)
{
    if (bytes.len > EVIDENCE_PLAIN_BYTES || room->files >= EVIDENCE_FILES)
        return false;
    size_t size = packed_size(bytes);
    if (size > EVIDENCE_FILE_BYTES || room->bytes + size > EVIDENCE_RUN_BYTES)
        return false;
    room->bytes += size;
    room->files++;
    return true;
}

// Two digits of fan-out: one flat folder gets slower with every file.
const char *evidence_path(struct arena *arena, const char *sha256)
{
    return arena_format(arena, FOLDER "%.2s/%s", sha256, sha256).data;
}

bool evidence_path_is(str path)
{
    return str_starts(path, STR(FOLDER));
}

static bool check(str bytes, const char *sha256, struct error *err)
{
    char sha[SHA256_HEX];
    return strcmp(sha256_of(bytes, sha), sha256) == 0 ||
           error_set(err, ERROR_SYSTEM, "evidence %s of the ledger has another content", sha256);
}

bool evidence_find(struct ledger *ledger, struct arena *arena, const char *sha256, str *ret,
                   struct error *err)
{
    struct object_id tip = index_tip(ledger->index);
    str bytes;
    if (!store_read_file(ledger->store, arena, &tip, evidence_path(arena, sha256), &bytes, err) ||
        !check(bytes, sha256, err))
        return false;
    *ret = bytes;
    return true;
}

bool evidence_take_along(struct ledger *ledger, struct arena *arena, const struct object_id *commit,
                         struct event *event, struct error *err)
{
    struct event_evidence *list =
        ARENA_ARRAY(arena, struct event_evidence, event->evidence_count + 1);
    for (size_t i = 0; i < event->evidence_count; i++) {
        struct error why;
        list[i] = event->evidence[i];
        const char *path = evidence_path(arena, list[i].sha256);
        if (!store_read_file(ledger->store, arena, commit, path, &list[i].kept, &why)) {
            list[i].kept = (str){NULL, 0};
            if (why.kind != ERROR_ABSENT) {
                *err = why;
                return false;
            }
        }
    }
    event->evidence = list;
    return true;
}
