// Reviews of incidents: a severe incident needs one, in time. An incident without its review is a
// lesson that the next release may repeat.
#include "gate/rules/figure.h"
#include "gate/rules/registry.h"

static const struct shape_field fields[] = {
    {.key = "review_overdue",
     .kind = SHAPE_CHOICE,
     .offset = offsetof(struct incident_demands, review_overdue),
     .choices = severity_words,
     .fallback = "block",
     .doc = "What an incident whose review is overdue does: block, hold or warn."},
    {0},
};
const struct shape incident_demands_shape = {
    .name = "incidents",
    .size_bytes = sizeof(struct incident_demands),
    .fields = fields,
    .position_offset = offsetof(struct incident_demands, at) + 1,
    .doc = "Reviews of incidents.",
};

static void say_overdue(const struct rule_context *context, const struct history_review *review,
                        struct findings *out)
{
    enum verdict verdict = severity_verdict(context->in->demands->incidents->review_overdue);
    struct finding *finding = finding_add(
        out, "incidents", verdict, "incidents.review[" STR_FMT "]", STR_ARG(review->incident));
    long long late = (long long)((context->in->now_ms - review->due_ms) / MS_DAY);
    finding->scope = SCOPE_ENVIRONMENT;
    finding->have = finding_text(out, "%lld %s late", late, late == 1 ? "day" : "days");
    finding->want = finding_day(out, review->due_ms / MS_DAY);
    finding->message =
        finding_text(out, "The review of incident " STR_FMT " (" STR_FMT ") was due on %s.",
                     STR_ARG(review->incident), STR_ARG(review->severity), finding->want);
    finding->advice = finding_text(out,
                                   "Write " STR_FMT " with the headings Root cause, Timeline and "
                                   "Prevention.",
                                   STR_ARG(review->path));
    finding_place(out, finding, arena_copy(out->arena, review->path), 0, 0);
}

static void judge(const struct rule_context *context, struct findings *out)
{
    const struct rule_input *in = context->in;
    const struct history *history = in->history;
    size_t overdue = 0, open = 0;
    if (!in->demands->incidents)
        return;
    if (!history) {
        struct finding *finding = finding_add(out, "incidents", VERDICT_WARN, "incidents.unknown");
        finding->scope = SCOPE_ENVIRONMENT;
        finding->message = "There is no ledger at hand, so nobody knows whether an incident "
                           "waits for its review.";
        return;
    }
    if (history->reviews_unknown) { // there is a record, and it does not answer
        struct finding *finding =
            finding_add(out, "incidents", in->on_missing, "incidents.unknown");
        finding->scope = SCOPE_ENVIRONMENT;
        finding->message =
            finding_text(out, "Whether an incident waits for its review is not known: %s.",
                         history->reviews_unknown);
        return;
    }
    for (size_t i = 0; i < history->review_count; i++) {
        const struct history_review *review = &history->reviews[i];
        if (review->done)
            continue;
        open++;
        if (in->now_ms <= review->due_ms)
            continue;
        overdue++;
        say_overdue(context, review, out);
    }
    if (overdue)
        return;
    struct finding *finding = finding_add(out, "incidents", VERDICT_PASS, "incidents.reviews");
    finding->have = finding_text(out, "%zu", overdue);
    finding->want = "0";
    finding->message = open ? finding_text(out,
                                           "No review of an incident is overdue; %zu %s not "
                                           "written yet.",
                                           open, open == 1 ? "is" : "are")
                            : "Every incident that needs a review has one.";
}

const struct rule rule_incidents = {"incidents", "Reviews of incidents", judge};
