#include "deploy/notify/render.h"

const char *render_mark(enum notice_event event)
{
    static const char *const marks[] = {
        [NOTICE_STARTED] = "🚀",          [NOTICE_WAITING] = "⏸️", [NOTICE_HELD] = "⏸️",
        [NOTICE_ROLLED_BACK] = "↩️", [NOTICE_STUCK] = "🚨",        [NOTICE_DONE] = "✅",
        [NOTICE_DENIED] = "⛔",           [NOTICE_CANCELLED] = "⛔",
    };
    return marks[event];
}

void render_cut(str s, size_t max_bytes, struct text *out)
{
    static const str more = STR_INIT("…");
    if (s.len <= max_bytes) {
        text_add(out, s);
        return;
    }
    text_add(out, str_shorten(s, max_bytes > more.len ? max_bytes - more.len : 0));
    text_add(out, more);
}

void render_list(const str *items, size_t count, const char *between, struct text *out)
{
    for (size_t i = 0; i < count; i++)
        text_addf(out, "%s" STR_FMT, i ? between : "", STR_ARG(items[i]));
}

void render_targets(const struct notice *notice, struct text *out)
{
    static const str nothing = STR_INIT("nothing");
    for (size_t i = 0; i < notice->target_count && i < RENDER_TARGETS; i++) {
        const struct notice_target *target = &notice->targets[i];
        text_addf(out, "%s" STR_FMT ": " STR_FMT " → " STR_FMT, i ? "\n" : "",
                  STR_ARG(target->name), STR_ARG(target->from.len ? target->from : nothing),
                  STR_ARG(target->to.len ? target->to : nothing));
    }
    if (notice->target_count > RENDER_TARGETS)
        text_addf(out, "\nand %zu more", notice->target_count - RENDER_TARGETS);
}

void render_asked(const struct notice *notice, struct text *out)
{
    text_adds(out, "asked: ");
    render_list(notice->asked, notice->asked_count, ", ", out);
    text_addf(out, " (%u of them)", notice->answers_needed);
}
