#include "actions/cli/brief_words.h"

#include "actions/report/escape.h"
#include "deploy/engine/engine.h"
#include "gate/base/moment.h"

enum {
    RISKS_ASKED = 3,
    FILES_ASKED = 2,
    FILES_LISTED = 5,
    PATH_MOST = 120,          // bytes that are shown of one
    SENTENCE_MOST = 500,      // of the gate's, about one risk
    RISKS_LISTED_MOST = 16384 // bytes of them all; further ones are counted
};

// The two ways of writing: what is a stranger's is escaped by `put`, and the rest stands as it is.
struct pen {
    struct text *out;
    void (*put)(str s, struct text *out);
};

static void put_code(str s, struct text *out)
{
    text_adds(out, "<code>");
    markdown_escape(s, out);
    text_adds(out, "</code>");
}

static double percent(uint32_t ppm)
{
    return ppm / 10000.0;
}

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

// ---- the gate -----------------------------------------------------------------------------------

static void add_score(const struct release_brief *brief, struct text *out)
{
    if (brief->risk == RELEASE_NOT_SCORED)
        text_adds(out, "not scored");
    else
        text_addf(out, "%u of 100 (%s)", brief->score, release_risk_name(brief->risk));
}

static void add_warnings(const struct release_brief *brief, struct text *out)
{
    if (brief->warnings)
        text_addf(out, " with %zu warning%s", brief->warnings, plural(brief->warnings));
}

// ---- what it touches ----------------------------------------------------------------------------

static void add_migrations(const struct release_brief *brief, struct text *out)
{
    if (!brief->migrations_known)
        text_adds(out, "not known whether a database is migrated");
    else if (brief->migrations == 0)
        text_adds(out, "no migration");
    else
        text_addf(out, "%llu changed file%s migrate%s a database",
                  (unsigned long long)brief->migrations, plural(brief->migrations),
                  brief->migrations == 1 ? "s" : "");
}

static void add_files(const struct pen *pen, const str *files, size_t count, size_t most)
{
    for (size_t i = 0; i < count && i < most; i++) {
        text_adds(pen->out, i ? ", " : "");
        pen->put(str_shorten(files[i], PATH_MOST), pen->out);
    }
    if (count > most)
        text_addf(pen->out, " and %zu more", count - most);
}

// Why nothing can be said about risks; null = something can.
static const char *risks_unknown(const struct release_brief *brief)
{
    if (!brief->known)
        return "not known: no decision of the gate about this commit was found here";
    return brief->risk == RELEASE_NOT_SCORED ? "not known: there is no risk register" : NULL;
}

// Of all risks together, each file once.
static size_t all_files(const struct release_brief *brief, str *ret, size_t room)
{
    size_t count = 0;
    for (size_t i = 0; i < brief->risk_count; i++)
        for (size_t k = 0; k < brief->risks[i].file_count && count < room; k++) {
            size_t at = 0;
            while (at < count && !str_eq(ret[at], brief->risks[i].files[k]))
                at++;
            ret[at] = brief->risks[i].files[k];
            count += at == count;
        }
    return count;
}

static void ask_risks(const struct release_brief *brief, struct text *out)
{
    const struct pen pen = {out, terminal_escape};
    str files[BRIEF_FILES];
    size_t most = brief->risk_count < RISKS_ASKED ? brief->risk_count : RISKS_ASKED;
    const char *unknown = risks_unknown(brief);
    if (unknown || brief->risk_count == 0)
        text_adds(out, unknown ? unknown : "no open risk");
    for (size_t i = 0; i < most && !unknown; i++) {
        text_adds(out, i ? ", " : "");
        terminal_escape(brief->risks[i].id, out);
        text_adds(out, i ? " (" : " (exposure ");
        terminal_escape(brief->risks[i].exposure, out);
        text_addc(out, ')');
    }
    if (brief->risk_count + brief->risks_more > most)
        text_addf(out, " and %zu more", brief->risk_count + brief->risks_more - most);
    size_t count = all_files(brief, files, BRIEF_FILES);
    if (count) {
        text_adds(out, ", in ");
        add_files(&pen, files, count, FILES_ASKED);
    }
    text_adds(out, "; ");
    add_migrations(brief, out);
    if (brief->partial)
        text_adds(out, "; older commits of it could not be read here");
}

// ---- how far, and back --------------------------------------------------------------------------

static void add_reach(const struct pen *pen, const struct plan *plan, uint32_t step)
{
    for (uint32_t i = 0; i < plan->target_count; i++) {
        const struct plan_target *target = &plan->targets[i];
        text_adds(pen->out, i ? ", " : "");
        pen->put(target->name, pen->out);
        text_adds(pen->out, " (from ");
        pen->put(target->good.release.len ? target->good.release : STR("nothing"), pen->out);
        text_addc(pen->out, ')');
    }
    text_addc(pen->out, ':');
    for (uint32_t i = step == STEP_STAGE ? 0 : step; i < plan->step_count; i++)
        text_addf(pen->out, " %s%g %%", i == 0 || i == step ? "" : "then ",
                  percent(plan->steps[i].share_ppm));
    text_adds(pen->out, " of its traffic");
}

static void add_no_return(const struct pen *pen, const struct plan *plan, bool *ret_any)
{
    *ret_any = false;
    for (uint32_t i = 0; i < plan->target_count; i++) {
        if (!plan->targets[i].no_return.len)
            continue;
        text_adds(pen->out, *ret_any ? "; " : "");
        pen->put(plan->targets[i].name, pen->out);
        text_adds(pen->out, " has none once it is staged: ");
        pen->put(plan->targets[i].no_return, pen->out);
        *ret_any = true;
    }
}

static void add_taken(const struct way_back *way, int64_t now_ms, struct text *out)
{
    char ago[32], took[32];
    if (way->count == 0) {
        text_adds(out, "never taken or rehearsed here");
        return;
    }
    text_addf(out, "last taken or rehearsed %s ago",
              duration_words(now_ms - way->newest_at_ms, ago));
    text_addf(out, ", in %s", duration_words(way->newest_ms, took));
}

static void add_back(const struct pen *pen, const struct plan *plan,
                     const struct release_brief *brief, int64_t now_ms)
{
    bool none;
    str good = plan->target_count ? plan->targets[0].good.release : STR("");
    add_no_return(pen, plan, &none);
    if (!none) {
        text_adds(pen->out, "by itself to ");
        pen->put(good.len ? good : STR("nothing"), pen->out);
        text_adds(pen->out, " when the figures turn bad");
    }
    text_adds(pen->out, "; ");
    add_taken(&brief->way, now_ms, pen->out);
}

static void add_hurry(const struct pen *pen, const struct plan *plan)
{
    const struct plan_emergency *hurry = &plan->emergency;
    pen->put(hurry->severity, pen->out);
    text_adds(pen->out, " for ");
    pen->put(hurry->incident, pen->out);
    text_adds(pen->out, ", because: ");
    pen->put(hurry->reason, pen->out);
    if (hurry->overrides.len) {
        text_adds(pen->out, "; it goes past ");
        pen->put(hurry->overrides, pen->out);
    }
}

// ---- whole --------------------------------------------------------------------------------------

static void ask_gate(const struct plan *plan, const struct release_brief *brief, struct text *out)
{
    char at[MOMENT_TEXT];
    if (brief->known) {
        terminal_escape(brief->verdict, out);
        add_warnings(brief, out);
        text_addf(out, ", %.16sZ; risk ", moment_format(brief->decided_ms, at));
        add_score(brief, out);
    } else {
        text_adds(out, "no decision was found here");
    }
    text_addf(out, "; commit %.12s", plan->commit.len >= 12 ? plan->commit.data : "");
}

void brief_ask(const struct plan *plan, uint32_t step, const struct plan_approval *rule,
               const struct release_brief *brief, int64_t now_ms, struct text *out)
{
    const struct pen pen = {out, terminal_escape};
    text_adds(out, step == STEP_STAGE ? "Release " : "Bring release ");
    terminal_escape(plan->release, out);
    text_adds(out, step == STEP_STAGE ? " to " : " in ");
    terminal_escape(plan->environment, out);
    if (step != STEP_STAGE)
        text_addf(out, " to %g %% (step %u of %u)", percent(plan->steps[step].share_ppm), step + 1,
                  plan->step_count);
    text_adds(out, "?\n");
    if (plan->emergency.severity.len) {
        text_adds(out, "  EMERGENCY ");
        add_hurry(&pen, plan);
        text_addc(out, '\n');
    }
    text_adds(out, "  gate      ");
    ask_gate(plan, brief, out);
    text_adds(out, "\n  touches   ");
    ask_risks(brief, out);
    text_adds(out, "\n  reaches   ");
    add_reach(&pen, plan, step);
    text_adds(out, "\n  way back  ");
    add_back(&pen, plan, brief, now_ms);
    text_addf(out, "\n  answers   %u of:", rule->count);
    for (uint32_t i = 0; i < rule->from_count; i++) {
        text_adds(out, i ? ", " : " ");
        terminal_escape(rule->from[i], out);
    }
    text_adds(out, rule->prevent_self_review ? "; nobody who wrote or started it\n" : "\n");
}

void brief_verdict_markdown(const struct plan *plan, const struct release_brief *brief,
                            struct text *out)
{
    if (plan->mode != PLAN_FORWARD || !brief->known)
        return;
    text_adds(out, "gate **");
    markdown_escape(brief->verdict, out);
    text_adds(out, "**");
    add_warnings(brief, out);
    text_adds(out, ", risk ");
    add_score(brief, out);
}

static void list_gate(const struct plan *plan, const struct release_brief *brief, struct text *out)
{
    char at[MOMENT_TEXT];
    if (!brief->known) {
        text_adds(out, "- **Gate** no decision about this commit was found here\n");
        return;
    }
    text_adds(out, "- **Gate** ");
    markdown_escape(brief->verdict, out);
    add_warnings(brief, out);
    text_addf(out, ", %.16sZ\n- **Risk** ", moment_format(brief->decided_ms, at));
    add_score(brief, out);
    const str more[] = {brief->risk_unknown, plan->risk_why, plan->season_why};
    for (size_t i = 0; i < sizeof more / sizeof *more; i++)
        if (more[i].len) {
            text_adds(out, "; ");
            markdown_escape(more[i], out);
        }
    text_addc(out, '\n');
}

static void list_risk(const struct brief_risk *risk, struct text *out)
{
    const struct pen pen = {out, put_code};
    text_adds(out, "  - ");
    markdown_escape(str_shorten(risk->says, SENTENCE_MOST), out);
    text_addc(out, ' ');
    add_files(&pen, risk->files, risk->file_count, FILES_LISTED);
    text_addc(out, '\n');
}

static void list_risks(const struct release_brief *brief, struct text *out)
{
    struct text rows = text_of(RISKS_LISTED_MOST);
    const char *unknown = risks_unknown(brief);
    size_t listed = 0, end = 0; // of the rows that are whole
    text_adds(out, "- **Critical paths changed** ");
    if (unknown || brief->risk_count == 0)
        text_adds(out, unknown ? unknown : "those of no open risk");
    text_addc(out, '\n');
    for (; listed < brief->risk_count; listed++) {
        list_risk(&brief->risks[listed], &rows);
        if (text_full(&rows))
            break;
        end = rows.len;
    }
    text_add(out, str_first(text_str(&rows), end));
    text_done(&rows);
    size_t more = brief->risk_count + brief->risks_more - listed;
    if (more)
        text_addf(out, "  - and %zu more\n", more);
    if (brief->partial)
        text_adds(out, "  - older commits of it could not be read where this was written\n");
    text_adds(out, "- **Migrations** ");
    add_migrations(brief, out);
    text_addc(out, '\n');
}

static void list_way_back(const struct plan *plan, const struct release_brief *brief,
                          struct text *out)
{
    const struct pen pen = {out, markdown_escape};
    char words[32], at[MOMENT_TEXT];
    bool any;
    if (plan->mode == PLAN_FORWARD) {
        text_adds(out, "- **Point of no return** ");
        add_no_return(&pen, plan, &any);
        text_adds(out, any ? "\n" : "none: it can be taken back at every step\n");
    }
    text_adds(out, "- **Way back** ");
    if (brief->way.count == 0)
        text_adds(out, "never taken or rehearsed in this environment\n");
    else
        text_addf(out, "last taken or rehearsed %.16sZ; half of the newest %zu took %s or less\n",
                  moment_format(brief->way.newest_at_ms, at), brief->way.count,
                  duration_words(brief->way.median_ms, words));
}

void brief_markdown(const struct plan *plan, const struct release_brief *brief, struct text *out)
{
    const struct pen pen = {out, markdown_escape};
    if (plan->mode == PLAN_FORWARD) {
        if (plan->emergency.severity.len) {
            text_adds(out, "- **Emergency** ");
            add_hurry(&pen, plan);
            text_addc(out, '\n');
        }
        list_gate(plan, brief, out);
        list_risks(brief, out);
        text_adds(out, "- **Reach** ");
        add_reach(&pen, plan, STEP_STAGE);
        text_addc(out, '\n');
    }
    list_way_back(plan, brief, out);
}
