// Reading report archives: zip, tar, tar.gz, tar.zst (libarchive inside). Entries are streamed,
// never unpacked to disk. Caps: LIMIT_ARCHIVE_ENTRIES, LIMIT_ARCHIVE_BYTES over all entries. Entry
// names that are absolute, climb with "..", or are not UTF-8 are refused, as are encrypted,
// truncated and damaged archives (ERROR_INPUT). A zip needs its directory at the end, a tar its end
// mark.
//
//     while (archive_next(a, &member, &more, err) && more)
//         while (archive_read(a, &chunk, err) && chunk.len) …
#ifndef GATE_DOC_ARCHIVE_H
#define GATE_DOC_ARCHIVE_H

#include "gate/base/arena.h"
#include "gate/base/error.h"

#include <stdint.h>

struct archive_reader;

struct archive_member {
    str path;            // without a leading "./"; lives until the next entry
    uint64_t size_bytes; // as its header says
};

bool archive_recognise(str first_bytes); // by magic number: zip, gzip, zstd, tar
bool archive_open(const char *path, struct archive_reader **ret, struct error *err);
// *ret_more false at the end. Folders and links are passed over.
bool archive_next(struct archive_reader *reader, struct archive_member *ret, bool *ret_more,
                  struct error *err);
// The next chunk of the current entry; an empty one at its end. Lives until the next call.
bool archive_read(struct archive_reader *reader, str *ret_chunk, struct error *err);
void archive_close(struct archive_reader *reader);

#endif
