// Observing: what serves, as which release, and what would keep a release from going out.
#include "deploy/targets/gcp_mig.h"

#define ROLE "role roles/compute.instanceAdmin.v1"
#define TEMPLATE_PERMISSION "compute.instanceTemplates.get (" ROLE ")"

static const char *const needed[] = {
    "compute.instanceGroupManagers.update",
    "compute.instanceTemplates.useReadOnly",
    "compute.instanceTemplates.create", // where the template is made here, as are the others
    "compute.images.useReadOnly",
};

// Of those, which changes need that this configuration makes.
static size_t needed_count(const struct target *mig)
{
    const struct mig_artifact *artifact = &mig->config->artifact;
    if (artifact->template.len)
        return 2;
    return artifact->image.len ? 4 : 3;
}

void mig_permissions(const struct target *mig, struct arena *arena, struct target_permissions *ret)
{
    static const char *const looks[] = {"compute.instanceGroupManagers.get",
                                        "compute.instanceTemplates.get"};
    struct permission *wanted = ARENA_ARRAY(arena, struct permission, 3 + 4);
    size_t count = 0;
    wanted[count++].action =
        mig->zone.len ? "compute.zoneOperations.get" : "compute.regionOperations.get";
    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++)
        wanted[count++] = (struct permission){.action = looks[i]};
    for (size_t i = 0; i < needed_count(mig); i++)
        wanted[count++] = (struct permission){.action = needed[i]};
    *ret = (struct target_permissions){
        .google = mig->client, .project = mig->project, .wanted = wanted, .count = count};
}

static void permitted(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct target_operation *operation = self;
    const struct node *list = node_get(reply->tree, "permissions");
    for (size_t i = 0; reply->ok && i < needed_count(operation->mig); i++) {
        bool found = false;
        for (const struct node *n = list ? list->first : NULL; n; n = n->next)
            found = found || str_is(n->text, needed[i]);
        if (!found)
            target_trouble_add(&operation->troubles, ERROR_DENIED,
                               "changing group " STR_FMT ": allow it `%s (" ROLE ")`",
                               STR_ARG(operation->mig->group), needed[i]);
    }
    chain_end(chain); // who may not ask learns it from the first change
}

static void ask_permissions(struct target_operation *operation)
{
    struct text path = text_of(1024), body = text_of(4096);
    struct json_out out = json_out_of(&body, JSON_COMPACT);
    json_open_map(&out, NULL);
    json_open_list(&out, "permissions");
    for (size_t i = 0; i < needed_count(operation->mig); i++)
        json_add_str(&out, NULL, str_of(needed[i]));
    json_close(&out);
    json_close(&out);
    text_adds(&path, "/v1/projects/");
    google_path_add(&path, operation->mig->project);
    text_adds(&path, ":testIamPermissions");
    chain_google(&operation->chain, operation->mig->client,
                 &(struct google_request){.api = "cloudresourcemanager",
                                          .method = "POST",
                                          .path = text_str(&path),
                                          .body = text_str(&body),
                                          .repeatable = true},
                 permitted);
    text_done(&path);
    text_done(&body);
}

static void template_seen(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct target_operation *operation = self;
    struct mig_template template;
    struct error unread;
    if (reply->ok && mig_read_template(&operation->look_arena, reply->body, &template, &unread)) {
        operation->release = mig_description_word(template.description, "release");
        if (!operation->release.len)
            operation->release = mig_release_in(operation->mig, template.revision);
        operation->release = arena_str(&operation->arena, operation->release);
    } else if (!reply->ok && operation->survey) {
        target_trouble_of(&operation->troubles, reply, TEMPLATE_PERMISSION);
    }
    if (operation->survey)
        ask_permissions(operation);
    else
        chain_end(chain);
}

void mig_observe(struct target_operation *operation)
{
    const struct mig_seen *seen = &operation->seen;
    struct target *mig = operation->mig;
    bool adopts = !operation->next.revision.len && !operation->good.revision.len;
    if (operation->survey && !seen->size)
        target_trouble_add(&operation->troubles, ERROR_ABSENT,
                           "group " STR_FMT " has no instances: give it a size, or its autoscaler "
                           "a minimum",
                           STR_ARG(mig->group));
    if (operation->survey && seen->most_disruptive.len && !str_is(seen->most_disruptive, "REPLACE"))
        target_trouble_add(&operation->troubles, ERROR_INPUT,
                           "group " STR_FMT " allows updates at most to " STR_FMT " an instance, "
                           "and another template means to make it anew: set "
                           "`mostDisruptiveAllowedAction` of its update policy to REPLACE",
                           STR_ARG(mig->group), STR_ARG(seen->most_disruptive));
    if ((adopts || operation->survey) && seen->version_count)
        mig_ask(operation,
                mig_template_path(&operation->look_arena, mig, seen->versions[0].template),
                template_seen);
    else
        chain_end(&operation->chain);
}
