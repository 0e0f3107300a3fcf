#include "deploy/record/verify_parts.h"

#include "deploy/engine/engine.h"
#include "deploy/record/baseline.h"
#include "deploy/record/evidence_store.h"
#include "deploy/world/files.h"

// ---- evidence that is kept ----------------------------------------------------------------------

static const struct event_evidence *evidence_named(const struct event *event, const char *sha256)
{
    for (size_t i = 0; i < event->evidence_count; i++)
        if (strcmp(event->evidence[i].sha256, sha256) == 0)
            return &event->evidence[i];
    return NULL;
}

// Every file of evidence that comes with an event is named by it, and has the content that its
// own name says.
bool verify_kept(struct audit *audit, struct step *step)
{
    for (size_t i = 0; i < step->difference_count; i++) {
        const struct store_difference *d = &step->differences[i];
        struct arena arena = {0};
        struct error why;
        char sha[SHA256_HEX];
        str bytes;
        if (!evidence_path_is(str_of(d->path)))
            continue;
        bool there = store_read_blob(audit->store, &arena, &d->blob, &bytes, &why);
        const struct event_evidence *named =
            there ? evidence_named(&step->event, sha256_of(bytes, sha)) : NULL;
        bool same = named && named->size_bytes == bytes.len &&
                    strcmp(evidence_path(&audit->scratch, sha), d->path) == 0;
        arena_done(&arena);
        if (!there)
            return bad(audit, step, "%s", why.message);
        if (!same)
            return bad(audit, step,
                       "adds %s, which is no evidence of its event or has another content",
                       d->path);
        step->kept++;
    }
    audit->result.kept += step->kept;
    return true;
}

// ---- phases and evidence ------------------------------------------------------------------------

static bool follow_phase(struct audit *audit, struct step *step, str name)
{
    str rollout = step->event.rollout;
    enum rollout_phase phase;
    if (!phase_of(name, &phase))
        return bad(audit, step, "it has no phase that exists");
    uint64_t *known = names_find(&audit->phases, rollout);
    enum rollout_phase before = known ? (enum rollout_phase) * known : PHASE_NEW;
    if (!phase_legal(before, phase))
        return known ? bad(audit, step, "rollout " STR_FMT " goes from %s to %s", STR_ARG(rollout),
                           phase_name(before), phase_name(phase))
                     : bad(audit, step, "rollout " STR_FMT " begins in phase %s", STR_ARG(rollout),
                           phase_name(phase));
    if (known)
        *known = phase;
    else
        names_put(&audit->phases, rollout, phase);
    return true;
}

// Of the record, and of the state after all that was committed with it.
bool verify_phase(struct audit *audit, struct step *step)
{
    const struct event *event = &step->event;
    const struct node *phase = node_get(event->fields, "phase"),
                      *state = node_get(event->fields, "state");
    if (event->stream != STREAM_ROLLOUT || !event->rollout.len || event->lease.late)
        return true;
    return (!phase || follow_phase(audit, step, node_text(event->fields, "phase"))) &&
           (!state || follow_phase(audit, step, node_text(state, "phase")));
}

bool verify_evidence(struct audit *audit, struct step *step)
{
    const struct event *event = &step->event;
    for (size_t i = 0; audit->request->evidence && i < event->evidence_count; i++) {
        const struct event_evidence *e = &event->evidence[i];
        struct error why;
        struct arena arena = {0};
        str bytes;
        char sha[SHA256_HEX];
        const char *path =
            arena_format(&arena, "%s/" STR_FMT, audit->request->evidence, STR_ARG(e->path)).data;
        bool there = file_read(&arena, path, LIMIT_REPORT_BYTES, &bytes, &why);
        bool same =
            there && bytes.len == e->size_bytes && strcmp(sha256_of(bytes, sha), e->sha256) == 0;
        arena_done(&arena);
        if (!there && why.kind == ERROR_ABSENT) {
            audit->result.evidence_absent++;
            continue;
        }
        if (!there)
            return bad(audit, step, "%s", why.message);
        if (!same)
            return bad(audit, step, "its evidence " STR_FMT " is another file now",
                       STR_ARG(e->path));
        audit->result.evidence++;
    }
    return true;
}

// ---- baselines ----------------------------------------------------------------------------------

// What later runs are judged beside rests on a decision of the gate about the same commit; a
// baseline on one that let it go.
bool verify_baseline(struct audit *audit, struct step *step)
{
    const struct event *event = &step->event;
    struct baseline_basis basis;
    struct error why;
    if (str_is(event->type, "gate.decided")) {
        str decision = node_text(event->fields, "decision");
        bool passed = str_is(decision, "pass") || str_is(decision, "warn");
        str name = arena_format(&audit->scratch, "%s " STR_FMT, event->id,
                                STR_ARG(node_text(event->fields, "commit")));
        (void)names_put(&audit->decided, name, passed);
        return true;
    }
    if (!baseline_is(event))
        return true;
    if (!baseline_basis(event, &basis, &why))
        return bad(audit, step, "%s", why.message);
    str name = arena_format(&audit->scratch, STR_FMT " " STR_FMT, STR_ARG(basis.decided),
                            STR_ARG(basis.commit));
    const uint64_t *passed = names_find(&audit->decided, name);
    if (!passed)
        return bad(audit, step, "it rests on a decision of the gate that is not before it");
    return *passed || !str_is(event->type, "baseline.recorded") ||
           bad(audit, step, "a baseline of a run that did not pass");
}
