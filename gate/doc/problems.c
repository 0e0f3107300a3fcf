#include "gate/doc/shape.h"

#include "gate/base/limits.h"

#include <stdio.h>

void problem_at(struct problems *problems, struct position at, const char *format, ...)
{
    if (problems->count >= LIMIT_PROBLEMS) {
        problems->dropped++;
        return;
    }
    problems->items = arena_grow(problems->arena, problems->items, problems->count, &problems->room,
                                 sizeof(problems->items[0]));
    char message[sizeof(problems->items[0].message) + 1];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(message, sizeof message, format, args);
    va_end(args);
    (void)error_at(&problems->items[problems->count++], ERROR_INPUT, at, "%s", message);
}

bool problems_none(const struct problems *problems, struct error *err)
{
    if (problems->count == 0)
        return true;
    *err = problems->items[0];
    size_t more = problems->count - 1 + problems->dropped;
    if (more) {
        char message[sizeof err->message];
        memcpy(message, err->message, sizeof message);
        (void)error_at(err, err->kind, err->at, "%s (and %zu more)", message, more);
    }
    return false;
}

static size_t rank_of(const struct problems *problems, const char *const *files, const char *file)
{
    for (size_t i = 0; i < problems->count; i++)
        if (files[i] == file || (files[i] && file && strcmp(files[i], file) == 0))
            return i;
    return problems->count;
}

// Insertion: stable, and there are at most LIMIT_PROBLEMS of them.
void problems_sort(struct problems *problems)
{
    const char *files[LIMIT_PROBLEMS];
    for (size_t i = 0; i < problems->count; i++)
        files[i] = problems->items[i].at.file;
    for (size_t i = 1; i < problems->count; i++) {
        struct error moving = problems->items[i];
        size_t rank = rank_of(problems, files, moving.at.file), j = i;
        for (; j > 0; j--) {
            const struct position *before = &problems->items[j - 1].at;
            size_t before_rank = rank_of(problems, files, before->file);
            bool stays = before_rank != rank              ? before_rank < rank
                         : before->line != moving.at.line ? before->line < moving.at.line
                                                          : before->column <= moving.at.column;
            if (stays)
                break;
            problems->items[j] = problems->items[j - 1];
        }
        problems->items[j] = moving;
    }
}
