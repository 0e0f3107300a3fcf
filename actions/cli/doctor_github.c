// What a release rests on at GitHub: that nobody merges past the gate or rewrites the ledger, that
// those who are asked can answer, that what is to be shown can be.
#include "actions/cli/doctor.h"
#include "deploy/cloud/chain.h"
#include "deploy/cloud/url_parts.h"
#include "gate/base/limits.h"
#include "gate/doc/json.h"

struct look {
    struct doctor *doctor;
    struct github_client *github;
    struct arena *arena;
    // of the call at hand
    bool ok;
    long status;
    const struct node *tree; // a copy
    struct error error;
};

// ---- asking -------------------------------------------------------------------------------------

static void answered(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct look *look = self;
    struct error ignored;
    look->ok = reply->ok;
    look->status = reply->ok ? reply->status : reply->fault ? reply->fault->status : 0;
    look->tree = NULL;
    if (reply->ok)
        (void)json_parse(look->arena, NULL, arena_str(look->arena, reply->body), &look->tree,
                         &ignored);
    else
        look->error = *reply->error;
    chain_end(chain);
}

// Null: it is refused or not there (look->status, look->error).
static const struct node *ask(struct look *look, str path, const char *needs)
{
    struct chain chain;
    struct error ignored;
    chain_begin(&chain, look->doctor->d->ports.cloud, look);
    look->ok = false;
    chain_github(&chain, look->github, &(struct github_request){.path = path, .needs = needs},
                 answered);
    if (!chain_finish(&chain, &ignored))
        look->error = ignored;
    chain_drop(&chain);
    return look->ok ? look->tree : NULL;
}

static str path_to(struct look *look, const char *folder, str branch)
{
    struct text name = text_of(1024);
    url_encode(&name, branch, URL_PATH);
    str path = github_path(look->github, look->arena, "/%s/%s", folder, text_c(&name));
    text_done(&name);
    return path;
}

// ---- branches -----------------------------------------------------------------------------------

static const struct node *rule_of(const struct node *rules, const char *type)
{
    const struct node *one = rules && rules->kind == NODE_LIST ? rules->first : NULL;
    while (one && !str_is(node_text(one, "type"), type))
        one = one->next;
    return one;
}

// The names of the checks that a ruleset, or else a protection of the older kind, requires.
static void add_checks(const struct node *rules, const struct node *branch, struct text *out)
{
    const struct node *rule = rule_of(rules, "required_status_checks");
    const struct node *list = node_get(node_get(rule, "parameters"), "required_status_checks");
    for (const struct node *one = list ? list->first : NULL; one; one = one->next)
        text_addf(out, "%s`" STR_FMT "`", out->len ? ", " : "", STR_ARG(node_text(one, "context")));
    const struct node *older =
        node_get(node_get(node_get(branch, "protection"), "required_status_checks"), "contexts");
    for (const struct node *one = older ? older->first : NULL; one; one = one->next)
        text_addf(out, "%s`" STR_FMT "`", out->len ? ", " : "", STR_ARG(one->text));
}

static void look_at_default_branch(struct look *look, str branch)
{
    str about = arena_format(look->arena, "branch " STR_FMT, STR_ARG(branch));
    const struct node *rules = ask(look, path_to(look, "rules/branches", branch), "metadata: read");
    const struct node *older = ask(look, path_to(look, "branches", branch), "contents: read");
    struct text checks = text_of(4096);
    add_checks(rules, older, &checks);
    if (checks.len)
        doctor_find(look->doctor, FINDING_GOOD, about, "these checks are required: %s",
                    text_c(&checks));
    else if (!rules && !older)
        doctor_find(look->doctor, FINDING_UNKNOWN, about, "%s", look->error.message);
    else
        doctor_find(look->doctor, FINDING_WEAK, about,
                    "no check is required on it: anybody who may write merges past the gate; add "
                    "a ruleset that requires the gate's job");
    text_done(&checks);
}

// Only where the ledger lies in this very repository.
static void look_at_ledger_branch(struct look *look)
{
    const struct deployment *d = look->doctor->d;
    str branch = str_of(d->branch);
    str about = arena_format(look->arena, "branch " STR_FMT, STR_ARG(branch));
    if (!d->remote)
        return;
    const struct node *rules = ask(look, path_to(look, "rules/branches", branch), "metadata: read");
    if (!rules) {
        doctor_find(look->doctor, FINDING_UNKNOWN, about, "%s", look->error.message);
        return;
    }
    bool forced = !rule_of(rules, "non_fast_forward"), deleted = !rule_of(rules, "deletion");
    if (forced || deleted)
        doctor_find(look->doctor, FINDING_WEAK, about,
                    "the record may be %s%s%s: add a ruleset for it that forbids both",
                    forced ? "rewritten by a forced push" : "", forced && deleted ? " and " : "",
                    deleted ? "deleted" : "");
    else
        doctor_find(look->doctor, FINDING_GOOD, about,
                    "the record can be neither rewritten nor deleted");
}

// ---- people -------------------------------------------------------------------------------------

static void look_at_team(struct look *look, str about, str name)
{
    str rest = str_from(name, 1), org = str_cut(&rest, '/');
    struct text path = text_of(2048);
    text_adds(&path, "/orgs/");
    url_encode(&path, org, URL_SEGMENT);
    text_adds(&path, "/teams/");
    url_encode(&path, rest, URL_SEGMENT);
    text_adds(&path, "/members?per_page=1");
    if (!ask(look, arena_str(look->arena, text_str(&path)), "members: read"))
        doctor_find(look->doctor, FINDING_BAD, about,
                    "team " STR_FMT " cannot be read, so that nobody of it can answer: %s",
                    STR_ARG(name), look->error.message);
    text_done(&path);
}

static void look_at_person(struct look *look, str about, str login)
{
    struct text name = text_of(1024);
    url_encode(&name, login, URL_SEGMENT);
    const struct node *role = ask(
        look, github_path(look->github, look->arena, "/collaborators/%s/permission", text_c(&name)),
        "metadata: read");
    str permission = node_text(role, "permission");
    text_done(&name);
    if (!role && look->status != 404)
        doctor_find(look->doctor, FINDING_UNKNOWN, about, "%s", look->error.message);
    else if (!str_is(permission, "admin") && !str_is(permission, "write") &&
             !str_is(permission, "maintain"))
        doctor_find(look->doctor, FINDING_BAD, about,
                    STR_FMT " is asked for an approval and cannot give it in an issue: only who "
                            "may write to the repository is heard there",
                    STR_ARG(login));
}

static void look_at_approval(struct look *look, const struct stage_settings *stage,
                             const struct approval_settings *approval)
{
    str about = arena_format(look->arena, "stage " STR_FMT, STR_ARG(stage->stage));
    const str *names = approval ? approval->from.items : NULL;
    for (size_t i = 0; approval && i < approval->from.count; i++) {
        if (str_starts(names[i], STR("@")))
            look_at_team(look, about, names[i]);
        else
            look_at_person(look, about, names[i]);
    }
}

// ---- environments and what is shown
// --------------------------------------------------------------

// "ada, release": logins and teams.
static str reviewers_of(struct look *look, const struct node *rule)
{
    const struct node *list = node_get(rule, "reviewers");
    struct text names = text_of(2048);
    for (const struct node *one = list ? list->first : NULL; one; one = one->next) {
        const struct node *who = node_get(one, "reviewer");
        str login = node_text(who, "login");
        text_addf(&names, "%s" STR_FMT, names.len ? ", " : "",
                  STR_ARG(login.len ? login : node_text(who, "slug")));
    }
    str made = arena_str(look->arena, names.len ? text_str(&names) : STR("its reviewers"));
    text_done(&names);
    return made;
}

static void look_at_environment(struct look *look, str name)
{
    str about = arena_format(look->arena, "environment " STR_FMT, STR_ARG(name));
    const struct node *environment =
        ask(look, path_to(look, "environments", name), "actions: read");
    const struct node *rules = node_get(environment, "protection_rules");
    const struct node *rule = rule_of(rules, "required_reviewers");
    if (environment && rule)
        doctor_find(look->doctor, FINDING_GOOD, about,
                    "GitHub itself asks " STR_FMT " before a job of it begins (" STR_FMT
                    "): give `sluice-resume.yml` and `sluice-rollback.yml` another one, or each "
                    "of their runs waits for that",
                    STR_ARG(reviewers_of(look, rule)), STR_ARG(node_text(environment, "html_url")));
    else if (environment)
        doctor_find(look->doctor, FINDING_GOOD, about, "it has no reviewers of its own");
    else if (look->status == 404)
        doctor_find(look->doctor, FINDING_UNKNOWN, about,
                    "GitHub has none of that name (private repositories do not have them in every "
                    "plan): approvals are those of the configuration");
    else
        doctor_find(look->doctor, FINDING_UNKNOWN, about, "%s", look->error.message);
}

static void look_at_access(struct look *look, const char *what, const char *path, const char *needs)
{
    str about = arena_format(look->arena, "github %s", what);
    if (ask(look, github_path(look->github, look->arena, "%s?per_page=1", path), needs))
        doctor_find(look->doctor, FINDING_GOOD, about,
                    "can be read; that `%s` is there is only seen when something is written",
                    needs);
    else
        doctor_find(look->doctor, FINDING_WEAK, about, "will not be shown: %s",
                    look->error.message);
}

static void look_at_decisions(struct look *look, const struct github_settings *settings)
{
    str about = STR("decisions");
    if (settings->decided_by.len)
        doctor_find(look->doctor, FINDING_GOOD, about,
                    "only those of " STR_FMT " on the default branch let a release go",
                    STR_ARG(settings->decided_by));
    else
        doctor_find(look->doctor, FINDING_WEAK, about,
                    "every workflow of the default branch, and whoever may write the record, can "
                    "let a release go: name yours, `github: {decided_by: sluice-release.yml}`");
}

// ---- the whole ----------------------------------------------------------------------------------

static void look_at_all(struct look *look, const struct github_settings *settings)
{
    const struct deploy_settings *deploy = &look->doctor->d->settings;
    const struct node *repository =
        ask(look, github_path(look->github, look->arena, "%s", ""), "metadata: read");
    if (!repository) {
        doctor_find(look->doctor, FINDING_BAD, STR("github"), "%s", look->error.message);
        return;
    }
    doctor_find(look->doctor, FINDING_GOOD, STR("github"), "%s answers%s%s",
                github_repository(look->github),
                github_enterprise(look->github) ? ", Enterprise Server " : "",
                github_enterprise(look->github) ? github_enterprise(look->github) : "");
    look_at_default_branch(look, node_text(repository, "default_branch"));
    look_at_ledger_branch(look);
    look_at_decisions(look, settings);
    if (settings->deployments)
        look_at_access(look, "deployments", "/deployments", "deployments: write");
    if (settings->approvals || settings->incidents)
        look_at_access(look, "issues", "/issues", "issues: write");
    for (size_t i = 0; i < deploy->stage_count; i++) {
        const struct stage_settings *stage = &deploy->stages[i];
        look_at_environment(look, stage_environment(stage));
        if (!settings->approvals)
            continue;
        look_at_approval(look, stage, stage->approval);
        const struct step_settings *steps = stage->steps.items;
        for (size_t k = 0; k < stage->steps.count; k++)
            look_at_approval(look, stage, steps[k].approval);
    }
}

void doctor_look_at_github(struct doctor *doctor)
{
    struct deployment *d = doctor->d;
    struct look look = {.doctor = doctor, .arena = d->arena};
    struct github_settings settings;
    struct problems problems = {.arena = d->arena};
    struct error why = {0};
    if (!github_settings_bind(d->arena, d->config, &settings, &problems)) {
        (void)problems_none(&problems, &why);
        doctor_find(doctor, FINDING_BAD, STR("github"), "%s", why.message);
        return;
    }
    if (!settings.given && !d->call->runner.is_actions)
        return;
    if (!deployment_github(d, &settings, &look.github, &why)) {
        doctor_find(doctor, settings.given ? FINDING_BAD : FINDING_UNKNOWN, STR("github"), "%s",
                    why.message);
        return;
    }
    look_at_all(&look, &settings);
}
