#include "actions/github/rollout_words.h"

#include "actions/report/escape.h"
#include "gate/base/moment.h"

#include <stdio.h>

static uint32_t share_now(const struct plan *plan, const struct rollout_state *state)
{
    return state->step < plan->step_count ? plan->steps[state->step].share_ppm : 0;
}

// What is asked about a step is asked before it.
static uint32_t share_out(const struct plan *plan, const struct rollout_state *state)
{
    bool before = state->phase == PHASE_WAITING || state->phase == PHASE_NEW ||
                  state->phase == PHASE_PREPARING;
    if (!before)
        return share_now(plan, state);
    return state->out && state->step > 0 ? plan->steps[state->step - 1].share_ppm : 0;
}

static str good_release(const struct plan *plan)
{
    str good = plan->target_count ? plan->targets[0].good.release : STR("");
    return good.len ? good : STR("nothing");
}

// No markup is read there, but it may be seen in a terminal.
static void one_line(str words, char *ret, size_t room)
{
    struct text line = text_of(4 * words.len + 1);
    terminal_escape(words, &line);
    str cut = str_shorten(text_str(&line), room - 1);
    (void)snprintf(ret, room, STR_FMT, STR_ARG(cut));
    text_done(&line);
}

// ---- the deployment -----------------------------------------------------------------------------

// A rollback by hand is the deployment of what it goes back to.
static const char *deployment_state(const struct plan *plan, enum rollout_phase phase)
{
    if (plan->mode == PLAN_ROLLBACK && phase == PHASE_REVERTING)
        return "in_progress";
    if (plan->mode == PLAN_ROLLBACK && phase == PHASE_ROLLED_BACK)
        return "success";
    switch (phase) {
    case PHASE_NEW:
    case PHASE_WAITING:
        return "queued";
    case PHASE_PREPARING:
    case PHASE_SHIFTING:
    case PHASE_STEP_BAKE:
    case PHASE_BAKE:
    case PHASE_PROMOTING:
    case PHASE_VERIFYING:
    case PHASE_HELD:
        return "in_progress";
    case PHASE_DONE:
        return "success";
    case PHASE_REVERTING:
    case PHASE_STUCK:
        return "failure";
    case PHASE_ROLLED_BACK:
    case PHASE_DENIED:
    case PHASE_CANCELLED:
        break;
    }
    return "inactive";
}

void deployment_face(const struct plan *plan, const struct rollout_state *state,
                     struct deployment_face *ret)
{
    struct text words = text_of(4096);
    double share = share_now(plan, state) / 10000.0;
    ret->state = deployment_state(plan, state->phase);
    switch (state->phase) {
    case PHASE_NEW:
    case PHASE_PREPARING:
        text_adds(&words, "It is staged; nothing has traffic yet");
        break;
    case PHASE_WAITING:
        if (state->out)
            ret->state = "in_progress";
        text_addf(&words, "%g %% is out; waiting for an approval",
                  share_out(plan, state) / 10000.0);
        break;
    case PHASE_SHIFTING:
    case PHASE_STEP_BAKE:
        text_addf(&words, "%g %% (step %u of %u), watched", share, state->step + 1,
                  plan->step_count);
        break;
    case PHASE_BAKE:
    case PHASE_PROMOTING:
    case PHASE_VERIFYING:
        text_adds(&words, "All of it is out, watched to the end");
        break;
    case PHASE_HELD:
        text_addf(&words, "Held: %s", state->why);
        break;
    case PHASE_DONE:
        text_addf(&words, STR_FMT " is out", STR_ARG(plan->release));
        break;
    case PHASE_REVERTING:
        text_addf(&words, "Back to " STR_FMT ": %s", STR_ARG(good_release(plan)), state->why);
        break;
    case PHASE_STUCK:
        text_addf(&words, "The way back is stuck: %s", state->why);
        break;
    case PHASE_ROLLED_BACK:
        text_addf(&words, "Taken back to " STR_FMT ": %s", STR_ARG(good_release(plan)), state->why);
        break;
    case PHASE_DENIED:
    case PHASE_CANCELLED:
        text_addf(&words, "Nothing was touched: %s", state->why);
        break;
    }
    one_line(text_str(&words), ret->words, sizeof ret->words);
    text_done(&words);
}

// ---- the issue ----------------------------------------------------------------------------------

bool rollout_needs_people(const struct rollout_state *state)
{
    return state->phase == PHASE_WAITING || state->phase == PHASE_HELD ||
           state->phase == PHASE_STUCK;
}

void rollout_issue_title(const struct plan *plan, const struct rollout_state *state,
                         char ret[THREAD_TITLE])
{
    struct text words = text_of(2048);
    char out[48];
    (void)snprintf(out, sizeof out, " at %g %%", share_out(plan, state) / 10000.0);
    const char *mark = "▶", *where = out, *then = "going out";
    switch (state->phase) {
    case PHASE_WAITING:
        mark = "⏸", then = "waiting for you";
        break;
    case PHASE_HELD:
        mark = "✋", then = "held, a person must decide";
        break;
    case PHASE_REVERTING:
        mark = "↩", where = "", then = "going back";
        break;
    case PHASE_STUCK:
        mark = "🔥", where = "", then = "the way back is stuck";
        break;
    case PHASE_DONE:
        mark = "✅", where = "", then = "out";
        break;
    case PHASE_ROLLED_BACK:
        mark = "↩", where = "", then = "taken back";
        break;
    case PHASE_DENIED:
        mark = "🚫", where = "", then = "denied";
        break;
    case PHASE_CANCELLED:
        mark = "🚫", where = "", then = "cancelled";
        break;
    case PHASE_NEW:
    case PHASE_PREPARING:
        where = "";
        break;
    case PHASE_SHIFTING:
    case PHASE_STEP_BAKE:
    case PHASE_BAKE:
    case PHASE_PROMOTING:
    case PHASE_VERIFYING:
        break;
    }
    text_addf(&words, "%s " STR_FMT " in " STR_FMT "%s: %s", mark, STR_ARG(plan->release),
              STR_ARG(plan->environment), where, then);
    one_line(text_str(&words), ret, THREAD_TITLE);
    text_done(&words);
}

static void add_targets(const struct plan *plan, struct text *out)
{
    for (uint32_t i = 0; i < plan->target_count; i++) {
        text_adds(out, i ? ", " : "");
        markdown_escape(plan->targets[i].name, out);
        text_adds(out, " (from ");
        str good = plan->targets[i].good.release;
        markdown_escape(good.len ? good : STR("nothing"), out);
        text_adds(out, ")");
    }
}

static void add_steps(const struct plan *plan, const struct rollout_state *state, struct text *out)
{
    for (uint32_t i = 0; i < plan->step_count; i++) {
        bool here = i == state->step;
        text_addf(out, "%s%s%g %%%s", i ? " → " : "", here ? "**" : "",
                  plan->steps[i].share_ppm / 10000.0, here ? "**" : "");
    }
}

// No link is made of an address that could leave its brackets.
bool rollout_is_link(str s)
{
    bool ok = str_starts(s, STR("https://")) || str_starts(s, STR("http://"));
    for (size_t i = 0; ok && i < s.len; i++)
        ok = s.data[i] > ' ' && s.data[i] < 0x7f && !strchr("()<>[]\"`\\", s.data[i]);
    return ok;
}

// Five lines; what it rests on is folded.
void rollout_issue_body(const struct issue_source *source, struct text *out)
{
    const struct plan *plan = source->plan;
    text_addf(out, STR_FMT "\n**", STR_ARG(source->marker));
    markdown_escape(plan->release, out);
    text_adds(out, "** to ");
    markdown_escape(plan->environment, out);
    text_addf(out, ", commit " STR_FMT "%s" STR_FMT "  \n**Targets** ", STR_ARG(plan->commit),
              source->judged.len ? ", " : "", STR_ARG(source->judged));
    add_targets(plan, out);
    text_adds(out, "  \n**Steps** ");
    add_steps(plan, source->state, out);
    text_adds(out, "  \n**If the figures turn bad** it goes back to ");
    markdown_escape(good_release(plan), out);
    text_adds(out, " by itself  \n**Say** `/status`, `/hold`, `/promote` or `/rollback` in a "
                   "comment, and `/approve` or `/deny` when it asks\n");
    if (source->facts.len)
        text_addf(out,
                  "\n<details><summary>What it rests on</summary>\n\n" STR_FMT "\n\n</details>\n",
                  STR_ARG(source->facts));
    if (rollout_is_link(source->run_url))
        text_addf(out, "\n[The run](" STR_FMT ")", STR_ARG(source->run_url));
    if (rollout_is_link(source->deployments_url))
        text_addf(
            out, "\n[Deployments of the environment, and who must let its jobs begin](" STR_FMT ")",
            STR_ARG(source->deployments_url));
    text_adds(out, "\nRollout `");
    text_add(out, plan->rollout);
    text_adds(out, "`\n");
}

void rollout_mention(str name, struct text *out)
{
    str plain = str_starts(name, STR("@")) ? str_from(name, 1) : name;
    bool ok = plain.len > 0 && plain.len <= 100;
    for (size_t i = 0; ok && i < plain.len; i++) {
        char c = plain.data[i];
        ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             c == '-' || c == '_' || c == '/';
    }
    if (ok)
        text_addf(out, "@" STR_FMT, STR_ARG(plain));
    else
        markdown_escape(name, out);
}

static void ask_approval(const struct issue_source *source, const struct plan_approval *rule,
                         uint32_t step, struct text *out)
{
    const struct plan *plan = source->plan;
    char until[MOMENT_TEXT], words[32];
    for (uint32_t i = 0; i < rule->from_count; i++) {
        text_adds(out, i ? " " : "");
        rollout_mention(rule->from[i], out);
    }
    text_adds(out, ": may ");
    markdown_escape(plan->release, out);
    if (step == STEP_STAGE) {
        text_adds(out, " go to ");
        markdown_escape(plan->environment, out);
    } else {
        text_addf(out, " go to %g %%", plan->steps[step].share_ppm / 10000.0);
    }
    text_addf(out,
              "?\n\nAnswer with a comment: `/approve` or `/deny`, and why if you like. It needs %u "
              "of you",
              rule->count);
    if (rule->prevent_self_review)
        text_adds(out, ", and nobody who wrote or started it");
    if (rule->expires_after_ms)
        text_addf(out, "; it is over %.16s UTC, in %s",
                  moment_format(source->state->phase_since_ms + rule->expires_after_ms, until),
                  duration_words(rule->expires_after_ms, words));
    text_adds(out, ".\n");
}

bool rollout_issue_question(const struct issue_source *source, struct text *out,
                            char ret_key[THREAD_KEY])
{
    const struct rollout_state *state = source->state;
    uint32_t step = 0;
    const struct plan_approval *rule = rollout_question(source->plan, state, &step);
    if (state->phase == PHASE_WAITING && rule) {
        (void)snprintf(ret_key, THREAD_KEY, "asked-%llu", (unsigned long long)state->asked);
        ask_approval(source, rule, step, out);
        return true;
    }
    if (state->phase == PHASE_HELD) {
        (void)snprintf(ret_key, THREAD_KEY, "held-%lld", (long long)state->phase_since_ms);
        text_addf(out, "✋ Held at %g %%: ", share_now(source->plan, state) / 10000.0);
        markdown_escape(str_of(state->why), out);
        text_adds(out, "\n\nSay `/promote` with a reason to go on, or `/rollback` to take it "
                       "back.\n");
        return true;
    }
    if (state->phase == PHASE_STUCK) {
        (void)snprintf(ret_key, THREAD_KEY, "stuck-%lld", (long long)state->phase_since_ms);
        text_adds(out, "🔥 The way back could not be verified: ");
        markdown_escape(str_of(state->why), out);
        text_adds(out, "\n\nLook at the targets; `sluice resume` tries again.\n");
        return true;
    }
    return false;
}

void rollout_issue_end(const struct issue_source *source, struct text *out)
{
    char title[THREAD_TITLE];
    rollout_issue_title(source->plan, source->state, title);
    markdown_escape(str_of(title), out);
    if (source->state->phase != PHASE_DONE && *source->state->why) {
        text_adds(out, ": ");
        markdown_escape(str_of(source->state->why), out);
    }
    text_adds(out, "\n");
}

void rollout_issue_status(const struct issue_source *source, struct text *out)
{
    const struct rollout_state *state = source->state;
    char title[THREAD_TITLE];
    rollout_issue_title(source->plan, state, title);
    markdown_escape(str_of(title), out);
    text_addf(out, "\n\nPhase: %s. Steps: ", phase_name(state->phase));
    add_steps(source->plan, state, out);
    if (state->phase == PHASE_STEP_BAKE || state->phase == PHASE_BAKE) {
        char until[MOMENT_TEXT];
        text_addf(out, ". This bake lasts until %.16s UTC",
                  moment_format(state->bake_until_ms, until));
    }
    uint32_t step = 0;
    const struct plan_approval *rule = rollout_question(source->plan, state, &step);
    if (rule)
        text_addf(out, ". Agreed: %u of %u", state->answers, rule->count);
    text_adds(out, ".\n");
}
