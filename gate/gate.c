#include "gate/gate.h"

#include "gate/base/moment.h"
#include "gate/fix.h"
#include "gate/git/attributes.h"
#include "gate/git/authors.h"
#include "gate/git/changes.h"
#include "gate/matrices.h"
#include "gate/policy_findings.h"
#include "gate/rules/standing.h"
#include "gate/rules/waiving.h"

// ---- where we stand ----------------------------------------------------------------------------
static const char *keep(struct arena *arena, const char *hex)
{
    return arena_copy(arena, str_of(hex));
}

bool gate_locate(struct arena *arena, struct repository *repository, const char *base,
                 struct gate_place *ret, struct error *err)
{
    char head[COMMIT_HEX], other[COMMIT_HEX], found[COMMIT_HEX];
    bool has = true;
    struct gate_place place = {0};
    struct error unborn = {0};
    if (!repository || !repository_resolve(repository, "HEAD", head, &unborn)) {
        if (base)
            return error_set(err, ERROR_ABSENT, "--base %s: %s", base,
                             repository ? "nothing is committed yet" : "there is no repository");
        place.base_unknown =
            repository ? "nothing is committed yet" : "this folder is not in a git repository";
        *ret = place;
        return true;
    }
    if (base) {
        if (!repository_resolve(repository, base, other, err) ||
            !repository_merge_base(repository, other, head, found, err))
            return error_wrap(err, "the base");
    } else if (!repository_first_parent(repository, head, found, &has, err)) {
        return error_wrap(err, "the commit before HEAD");
    }
    place.commit = keep(arena, head);
    place.base = has ? keep(arena, found) : NULL;
    *ret = place;
    return true;
}

// ---- one run ------------------------------------------------------------------------------------
struct run {
    struct arena *arena;
    const struct gate_request *request;
    struct gate *gate;
    struct gate_demands floor; // of the built-in default, when the policy is tightened
    enum verdict floor_on_missing;
    struct error *err;
};

static bool read_reports(struct run *run)
{
    const struct gate_request *request = run->request;
    struct repository_paths paths = {0};
    bool known = request->repository != NULL;
    if (request->place.commit) {
        if (!repository_paths(run->arena, request->repository, request->place.commit, &paths,
                              run->err))
            return false;
    } else if (known && !repository_tracked(run->arena, request->repository, &paths, run->err)) {
        return false;
    }
    struct intake_request intake = {
        .root = *request->root ? request->root : ".",
        .config = request->evidence,
        .paths = known ? &paths : NULL,
        .recorded = run->request->recorded,
    };
    return intake_run(&intake, &run->gate->evidence, &run->gate->intake, run->err);
}

static bool read_submodules(struct run *run, struct rule_input *input)
{
    const struct gate_request *request = run->request;
    struct repository_paths folders = {0};
    if (request->place.commit && !repository_submodules(run->arena, request->repository,
                                                        request->place.commit, &folders, run->err))
        return false;
    input->submodules = folders.items;
    input->submodule_count = folders.count;
    return true;
}

static bool asks_for_changes(const struct gate_demands *demands)
{
    if (demands->vulnerabilities)
        return true;
    if (!demands->coverage)
        return false;
    const struct critical_path *paths = demands->coverage->critical.items;
    for (size_t i = 0; i < demands->coverage->critical.count; i++)
        if (paths[i].changed.den)
            return true;
    return demands->coverage->changed.den != 0;
}

static void take_changes(struct run *run, const struct changes *changes,
                         const struct attributes *attributes)
{
    struct changed_file *files = ARENA_ARRAY(run->arena, struct changed_file, changes->count + 1);
    for (size_t i = 0; i < changes->count; i++) {
        const struct change *change = &changes->items[i];
        files[i] = (struct changed_file){
            .path = change->path,
            .generated = attributes_generated(attributes, change->path),
            .ranges = ARENA_ARRAY(run->arena, struct line_range, change->range_count + 1),
            .range_count = change->range_count,
        };
        for (size_t k = 0; k < change->range_count; k++)
            files[i].ranges[k] = (struct line_range){change->ranges[k].from, change->ranges[k].to};
    }
    run->gate->changed = files;
    run->gate->changed_count = changes->count;
}

static const bool *generated_files(struct run *run, const struct attributes *attributes)
{
    const struct coverage *coverage = &run->gate->evidence.coverage;
    bool *generated = ARENA_ARRAY(run->arena, bool, coverage->count + 1);
    for (size_t i = 0; i < coverage->count; i++)
        generated[i] = attributes_generated(attributes, coverage->files[i].path);
    return generated;
}

// Files whose changed lines a rule can speak of: those that a report covers, others of their kind
// (leaving one out of the measurement is no way around it), and those a scanner points into.
static struct file_kinds kinds_of_evidence(struct run *run)
{
    const struct evidence *evidence = &run->gate->evidence;
    struct file_kinds kinds = {0};
    for (size_t i = 0; i < evidence->coverage.count; i++) {
        const struct covered_file *file = &evidence->coverage.files[i];
        file_kinds_add(run->arena, &kinds, file->path.len ? file->path : file->reported);
    }
    for (size_t i = 0; i < evidence->vulnerabilities.count; i++)
        if (evidence->vulnerabilities.items[i].line)
            file_kinds_add(run->arena, &kinds, evidence->vulnerabilities.items[i].path);
    return kinds;
}

// Attributes are the base's: what a change calls generated does not count for that change.
static bool read_changes(struct run *run, struct rule_input *input)
{
    const struct gate_request *request = run->request;
    const struct gate_place *place = &request->place;
    struct attributes attributes = {0};
    struct changes changes = {0};
    if (!place->commit) {
        input->changed_unknown = place->base_unknown;
        input->changed_advice = "Commit the change, and run the gate inside its repository.";
        return true;
    }
    if (!attributes_read(run->arena, request->repository, place->base ? place->base : place->commit,
                         &attributes, run->err))
        return false;
    const struct file_kinds kinds = kinds_of_evidence(run);
    if ((request->change || request->wants_score || input->risks ||
         asks_for_changes(request->demands)) &&
        !changes_between(run->arena, request->repository, place->base, place->commit, &kinds,
                         &changes, run->err))
        return false;
    take_changes(run, &changes, &attributes);
    input->changed = run->gate->changed;
    input->changed_count = run->gate->changed_count;
    input->generated = generated_files(run, &attributes);
    return true;
}

static bool first_problem(struct problems *problems, struct error *err)
{
    problems_sort(problems);
    return problems_none(problems, err);
}

static bool read_register(struct run *run, struct rule_input *input)
{
    const struct companion *file = &run->gate->companions[COMPANION_RISKS];
    const struct gate_request *request = run->request;
    struct problems problems = {.arena = run->arena};
    struct source tree = {
        .repository = request->repository, .commit = request->tree_commit, .root = request->root};
    input->risks_asked = run->request->policy->risks_asked;
    input->risks_path = file->path;
    if (!file->found)
        return true;
    if (!register_bind(run->arena, file->from_tree ? &tree : &request->policy->source, file->root,
                       &run->gate->risks, &problems))
        return first_problem(&problems, run->err);
    input->risks = &run->gate->risks;
    return true;
}

static bool read_exceptions(struct run *run, struct rule_input *input)
{
    const struct companion *waivers = &run->gate->companions[COMPANION_WAIVERS];
    const struct companion *quarantine = &run->gate->companions[COMPANION_QUARANTINE];
    struct problems problems = {.arena = run->arena};
    if (waivers->found) {
        (void)waivers_bind(run->arena, waivers->root, &run->gate->waivers, &problems);
        input->waivers = &run->gate->waivers;
        input->waivers_path = waivers->path;
    }
    if (quarantine->found) {
        (void)quarantine_bind(run->arena, quarantine->root, &run->gate->quarantine, &problems);
        input->quarantine = &run->gate->quarantine;
        input->quarantine_path = quarantine->path;
    }
    return first_problem(&problems, run->err);
}

// What stands beside the configuration.
static bool read_companions(struct run *run, struct rule_input *input)
{
    const struct evidence_config *config = run->request->evidence;
    const str named[COMPANIONS] = {[COMPANION_RISKS] = config->risks,
                                   [COMPANION_WAIVERS] = config->waivers,
                                   [COMPANION_QUARANTINE] = config->quarantine};
    struct source tree = {.repository = run->request->repository,
                          .commit = run->request->tree_commit,
                          .root = run->request->root};
    for (int kind = 0; kind < COMPANIONS; kind++)
        if (!companion_read(run->arena, (enum companion_kind)kind, run->request->policy, &tree,
                            named[kind], &run->gate->companions[kind], run->err))
            return false;
    return read_register(run, input) && read_exceptions(run, input);
}

// Whoever is among them approves nothing of this change. Their words may call it a fix.
static bool read_authors(struct run *run, struct rule_input *input)
{
    const struct gate_request *request = run->request;
    const struct gate_place *place = &request->place;
    const struct test_demands *tests = request->demands->tests;
    struct authors authors;
    bool asks_for_fix = tests && tests->fix_needs_test;
    if (!place->commit || (!input->waivers && !asks_for_fix))
        return true;
    if (!authors_between(run->arena, request->repository, place->base, place->commit, &authors,
                         run->err))
        return error_wrap(run->err, "the authors of the change");
    struct change_author *items = ARENA_ARRAY(run->arena, struct change_author, authors.count + 1);
    for (size_t i = 0; i < authors.count; i++)
        items[i] = (struct change_author){authors.items[i].name, authors.items[i].email};
    input->authors = items;
    input->author_count = authors.count;
    if (asks_for_fix)
        input->fix_why = fix_sign(run->arena, &(struct fix_question){.signs = &tests->fix,
                                                                     .branch = request->branch,
                                                                     .labels = request->labels,
                                                                     .commits = &authors});
    return true;
}

// Reports of the change's tests on the base's code. Asked for by a fix; missing is said by its
// rule.
static bool read_base_reports(struct run *run, struct rule_input *input)
{
    const struct gate_request *request = run->request;
    const struct evidence_tests *tests = request->evidence->tests;
    if (!input->fix_why || !tests || tests->base_reports.count == 0)
        return true;
    struct evidence_tests only = {.reports = tests->base_reports};
    struct evidence_config config = {.tests = &only};
    struct intake_request intake = {.root = *request->root ? request->root : ".",
                                    .config = &config,
                                    .recorded = request->recorded};
    struct intake ignored;
    input->base_evidence = &run->gate->base_evidence;
    return intake_run(&intake, &run->gate->base_evidence, &ignored, run->err);
}

// As they stand in the commit that is judged; without one, in the working tree.
static bool read_dependencies(struct run *run, struct rule_input *input)
{
    const struct gate_request *request = run->request;
    const struct gate_place *place = &request->place;
    if (!request->evidence->dependencies && request->demands->upgrades.count == 0)
        return true;
    struct source source = {.repository = request->repository, .root = request->root};
    struct dependencies_request question = {.config = request->evidence->dependencies,
                                            .head = source,
                                            .base = source,
                                            .base_unknown = place->base_unknown};
    question.head.commit = place->commit;
    question.base.commit = place->base;
    if (!lifecycles_read(run->arena, &run->gate->lifecycles, run->err) ||
        !dependencies_read(run->arena, &question, &run->gate->dependencies, run->err))
        return error_wrap(run->err, "the lock files");
    input->dependencies = &run->gate->dependencies;
    input->lifecycles = &run->gate->lifecycles;
    run->gate->decision.dependencies = input->dependencies;
    return true;
}

static void fill_needs(const struct run *run, struct rule_input *input)
{
    for (int kind = 0; kind < EVIDENCE_KINDS; kind++) {
        const struct intake_search *search = &run->gate->intake.search[kind];
        input->needs[kind] = (struct evidence_need){
            .asked = run->request->policy->asked[kind],
            .missing = search->missing,
            .missing_count = search->missing_count,
            .looked_for = search->looked_for,
            .shards = search->shards,
        };
    }
}

static bool bind_floor(struct run *run)
{
    const struct node *floor = run->request->policy->floor;
    const struct node *gate = node_get(floor, "gate"), *evidence = node_get(floor, "evidence");
    struct problems problems = {.arena = run->arena};
    struct evidence_config config;
    bool ok = shape_bind(run->arena, &gate_demands_shape, gate, &run->floor, &problems) &&
              shape_bind(run->arena, &evidence_shape, evidence, &config, &problems);
    if (!ok && !problems_none(&problems, run->err))
        return error_wrap(run->err, "the built-in policy `default`");
    run->floor_on_missing = severity_verdict(config.on_missing);
    return true;
}

// The worse of two judgements of one thing stands.
static void add_worse(struct findings *findings, const struct findings *more)
{
    for (size_t i = 0; i < more->count; i++) {
        const struct finding *other = &more->items[i];
        const struct finding *same = finding_find(findings, other->id);
        if (same && same->verdict >= other->verdict)
            continue;
        struct finding *at;
        if (same)
            at = &findings->items[same - findings->items];
        else
            at = finding_add(findings, other->rule, other->verdict, "%s", other->id);
        *at = *other;
        at->message = finding_text(findings, "%s (by the built-in `default`)", other->message);
    }
}

static void judge(struct run *run, struct rule_input *input, struct findings *findings)
{
    rules_judge(input, findings);
    if (!run->request->policy->tighten)
        return;
    struct rule_input tightened = *input;
    struct findings more = {.arena = run->arena};
    tightened.demands = &run->floor;
    tightened.dependencies = NULL; // `default` asks for no lock files
    if (run->floor_on_missing > tightened.on_missing)
        tightened.on_missing = run->floor_on_missing;
    rules_judge(&tightened, &more);
    add_worse(findings, &more);
}

static void fill_decision(const struct run *run, const struct rule_input *input,
                          struct decision *decision)
{
    const struct gate_request *request = run->request;
    decision->history = input->history;
    decision->commit = request->place.commit;
    decision->base = request->place.base;
    decision->change = request->change;
    decision->policy_path = request->policy->path;
    memcpy(decision->policy_sha256, request->policy->sha256, SHA256_HEX);
    decision->time_ms = request->now_ms;
    decision->evidence = &run->gate->evidence;
    if (input->risks) {
        const struct companion *file = &run->gate->companions[COMPANION_RISKS];
        int64_t today = request->now_ms / MS_DAY;
        decision->has_risks = true;
        decision->matrix = input->risks->matrix;
        decision->risks = risk_totals(input->risks, today);
        decision->register_path = file->path;
        memcpy(decision->register_sha256, file->sha256, SHA256_HEX);
        decision->register_bytes = file->size_bytes;
    }
}

// Reports that were recorded are judged again by other rules (replay): nothing is released by that.
static bool score_release(struct run *run, const struct rule_input *input)
{
    const struct gate_request *request = run->request;
    struct release_score_request question = {
        .repository = request->repository,
        .commit = request->place.commit,
        .base = request->place.base,
        .now_ms = request->now_ms,
        .window_days = request->score_window_days ? request->score_window_days : SCORE_WINDOW_DAYS,
    };
    if ((!input->risks && !request->wants_score) || request->recorded)
        return true;
    if (!release_score(run->arena, &question, input, &run->gate->score, run->err))
        return false;
    rollout_demands_make(run->arena, input, &run->gate->rollout);
    run->gate->decision.score = &run->gate->score;
    run->gate->decision.rollout = &run->gate->rollout;
    return true;
}

bool gate_judge(struct arena *arena, const struct gate_request *request, struct gate *gate,
                struct error *err)
{
    struct run run = {.arena = arena, .request = request, .gate = gate, .err = err};
    struct rule_input *input = &gate->input;
    struct decision *decision = &gate->decision;
    *input = (struct rule_input){
        .evidence = &gate->evidence,
        .demands = request->demands,
        .on_missing = severity_verdict(request->evidence->on_missing),
        .change = request->change,
        .history = request->history,
        .now_ms = request->now_ms,
        .tests_at_least =
            request->evidence->tests ? request->evidence->tests->at_least : (struct fraction){0},
        .scanner_max_age_ms =
            request->evidence->vulnerabilities ? request->evidence->vulnerabilities->max_age_ms : 0,
    };
    *decision = (struct decision){.findings = {.arena = arena}};
    if (request->policy->tighten && !bind_floor(&run))
        return false;
    if (!read_companions(&run, input) || !read_authors(&run, input) || !read_reports(&run) ||
        !read_dependencies(&run, input) || !read_base_reports(&run, input) ||
        !read_submodules(&run, input) || !read_changes(&run, input))
        return false;
    fill_needs(&run, input);
    if (!score_release(&run, input))
        return false;
    judge(&run, input, &decision->findings);
    if (!policy_findings(arena, request, gate, &decision->findings, err))
        return false;
    findings_stand(input, &decision->findings);
    findings_waive(input, &decision->findings);
    fill_decision(&run, input, decision);
    decision_settle(decision, request->enforce);
    return true;
}

void gate_done(struct gate *gate)
{
    evidence_done(&gate->evidence);
    evidence_done(&gate->base_evidence);
}
