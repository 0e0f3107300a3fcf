#include "deploy/record/urgent.h"

#include "deploy/world/files.h"
#include "gate/base/moment.h"
#include "gate/base/number.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEPT_MOST = 64 }; // files that are looked at; each is of a process that was killed

static str folder_of(struct ledger *ledger, struct arena *arena)
{
    return arena_format(arena, "%ssluice/urgent", store_path(ledger_store(ledger)));
}

static str path_of(struct ledger *ledger, struct arena *arena, const char *name)
{
    str folder = folder_of(ledger, arena);
    return arena_format(arena, STR_FMT "/%s", STR_ARG(folder), name);
}

// ---- keeping ------------------------------------------------------------------------------------

// A line with the length in bytes, then so many: whatever is torn off the end is seen.
static void add_piece(struct text *out, str piece)
{
    text_addf(out, "%zu\n" STR_FMT "\n", piece.len, STR_ARG(piece));
}

static bool add_event(struct text *out, const struct event *event, struct error *err)
{
    struct text one = text_of(LIMIT_EVENT_BYTES);
    struct event copy = *event;
    copy.sequence = 1; // given when it is appended
    bool ok = event_write(&copy, &one, err);
    if (ok)
        add_piece(out, text_str(&one));
    text_done(&one);
    return ok;
}

static bool write_new(const char *path, str bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool ok = fd >= 0;
    while (ok && bytes.len) {
        ssize_t n = write(fd, bytes.data, bytes.len);
        ok = n > 0;
        bytes = ok ? str_from(bytes, (size_t)n) : bytes;
    }
    return fd >= 0 && close(fd) == 0 && ok;
}

bool urgent_keep(struct ledger *ledger, const char *name, const struct event *events, size_t count,
                 struct error *err)
{
    struct arena arena = {0};
    struct text out = text_of((count + 1) * (size_t)LIMIT_EVENT_BYTES);
    str path = path_of(ledger, &arena, name);
    add_piece(&out, process_self(&arena));
    add_piece(&out, ledger_is_signed(ledger) ? STR("signed") : STR("unsigned"));
    bool ok = folder_make(folder_of(ledger, &arena).data, 0700, err);
    for (size_t i = 0; ok && i < count; i++)
        ok = add_event(&out, &events[i], err);
    if (ok && (text_full(&out) || !write_new(path.data, text_str(&out)))) {
        (void)unlink(path.data);
        ok = error_set(err, ERROR_SYSTEM, "records cannot be kept in " STR_FMT, STR_ARG(path));
    }
    text_done(&out);
    arena_done(&arena);
    return ok;
}

void urgent_drop(struct ledger *ledger, const char *name)
{
    struct arena arena = {0};
    (void)unlink(path_of(ledger, &arena, name).data);
    arena_done(&arena);
}

// ---- recovering ---------------------------------------------------------------------------------

// False at the end, and at what a killed process has only half written: it had sent nothing yet.
static bool next_piece(str *rest, str *ret)
{
    uint64_t size;
    str line = str_cut(rest, '\n');
    if (!rest->data || !number_u64(line, &size) || size >= rest->len || rest->data[size] != '\n')
        return false;
    *ret = str_first(*rest, (size_t)size);
    *rest = str_from(*rest, (size_t)size + 1);
    return true;
}

// A process settles what it keeps within seconds: what is older was left, whoever it was.
static bool is_left(struct ledger *ledger, const char *path, str process)
{
    struct stat st;
    return process_is_gone(process) ||
           (stat(path, &st) == 0 &&
            ledger_now(ledger) - (int64_t)st.st_mtim.tv_sec * MS_SECOND > LEASE_TTL_MS);
}

// True when the file has done its service.
static bool take_over(struct ledger *ledger, struct arena *arena, str bytes, const char *path)
{
    str process, is_signed, piece;
    if (!next_piece(&bytes, &process) || !next_piece(&bytes, &is_signed))
        return is_left(ledger, path, (str){NULL, 0}); // torn before its first event
    if (!is_left(ledger, path, process) ||
        (str_is(is_signed, "signed") && !ledger_is_signed(ledger)))
        return false;
    while (next_piece(&bytes, &piece)) {
        struct event event;
        struct error err;
        if (!event_read(arena, piece, &event, &err))
            return false;
        event.sequence = 0;
        if (!ledger_append(ledger, &event, NULL, &err) && err.kind != ERROR_DENIED)
            return false;
    }
    return true;
}

void urgent_recover(struct ledger *ledger)
{
    struct arena arena = {0};
    str folder = folder_of(ledger, &arena);
    DIR *files = opendir(folder.data);
    unsigned seen = 0;
    for (const struct dirent *entry; files && (entry = readdir(files)) && seen < KEPT_MOST;) {
        struct error err;
        str bytes;
        if (entry->d_name[0] == '.')
            continue;
        seen++;
        const char *path = path_of(ledger, &arena, entry->d_name).data;
        if (file_read(&arena, path, LIMIT_JSON_TREE_BYTES, &bytes, &err) &&
            take_over(ledger, &arena, bytes, path))
            (void)unlink(path);
    }
    if (files)
        (void)closedir(files);
    arena_done(&arena);
}
