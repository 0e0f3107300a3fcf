// What a release becomes on Cloud Run: the name and the image of a revision, and its template.
#include "deploy/targets/gcp_run.h"

#include "deploy/targets/target_image.h"
#include "gate/base/sha256.h"

#include <stdio.h>

enum {
    NAME_MOST = 63,
    DIGEST_DIGITS = 12,
    MARK_DIGITS = 6,
    BODY_MOST = 1 << 20,
};

// ---- names -------------------------------------------------------------------------------------

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

// "V8.12" -> "v8-12"
static void add_slug(struct text *out, str release, size_t most)
{
    size_t begin = out->len;
    for (size_t i = 0; i < release.len && out->len - begin < most; i++) {
        char c = char_lower(release.data[i]);
        if (is_plain(c))
            text_addc(out, c);
        else if (out->len > begin && out->data[out->len - 1] != '-')
            text_addc(out, '-');
    }
    while (out->len > begin && out->data[out->len - 1] == '-')
        out->len--;
}

// Where the release's name has to be changed to stand here, a few digits of it keep two that would
// look the same apart; where there is no room for any of it, its digest alone is the name.
static void add_release(struct text *out, str release, size_t room)
{
    char hex[SHA256_HEX];
    struct text slug = text_of(NAME_MOST + 1);
    add_slug(&slug, release, NAME_MOST);
    if (str_eq(text_str(&slug), release) && release.len < room) {
        text_addf(out, "-" STR_FMT, STR_ARG(release));
    } else if (room > MARK_DIGITS + 1) {
        text_clear(&slug);
        if (room > MARK_DIGITS + 2)
            add_slug(&slug, release, room - MARK_DIGITS - 2);
        text_addf(out, "%s%s-" STR_FMT, slug.len ? "-" : "", text_c(&slug),
                  STR_ARG(str_first(str_of(sha256_of(release, hex)), MARK_DIGITS)));
    }
    text_done(&slug);
}

str run_revision_name(struct arena *arena, str service, const struct target_release *release,
                      unsigned nth)
{
    size_t rest = service.len + 1 + DIGEST_DIGITS + 1; // the last one for `nth`
    struct text name = text_of((size_t)2 * NAME_MOST);
    text_add(&name, service);
    add_release(&name, release->release, rest < NAME_MOST ? NAME_MOST - rest : 0);
    text_addf(&name, "-" STR_FMT,
              STR_ARG(str_first(str_from(release->digest, sizeof "sha256:" - 1), DIGEST_DIGITS)));
    if (nth)
        text_addc(&name, (char)('a' + (char)nth));
    str copy = arena_str(arena, text_str(&name));
    text_done(&name);
    return copy;
}

bool run_is_revision_of(str name, str service, const struct target_release *release)
{
    struct arena arena = {0};
    bool is = false;
    for (unsigned nth = 0; nth < RUN_NAMES && !is && release->digest.len; nth++)
        is = str_eq(name, run_revision_name(&arena, service, release, nth));
    arena_done(&arena);
    return is;
}

// ---- artifact ----------------------------------------------------------------------------------

// "europe-docker.pkg.dev/p/r/app@sha256:…"
static bool image_of(struct arena *arena, const struct target *run,
                     const struct target_release *release, str *ret, struct error *err)
{
    return target_image_of(arena, &run->setup, run->config->artifact.image, release, ret, err);
}

bool run_pack(const struct target *run, const struct target_pack *pack, struct arena *arena,
              struct target_release *ret, struct error *err)
{
    struct target_release packed;
    if (!target_image_pack(&run->setup, run->config->artifact.image, pack, arena, &packed, err))
        return false;
    packed.revision = run_revision_name(arena, run->service, &packed, 0);
    *ret = packed;
    return true;
}

// ---- templates ---------------------------------------------------------------------------------

// What a revision has of the template that it was made of. Everything else it has is its own.
static const char *const template_keys[] = {
    "scaling",
    "vpcAccess",
    "timeout",
    "serviceAccount",
    "containers",
    "volumes",
    "executionEnvironment",
    "encryptionKey",
    "maxInstanceRequestConcurrency",
    "serviceMesh",
    "encryptionKeyRevocationAction",
    "encryptionKeyShutdownDuration",
    "sessionAffinity",
    "nodeSelector",
    "gpuZonalRedundancyDisabled",
    "healthCheckDisabled",
    "labels",
    "annotations",
};

static bool is_among(str key, const char *const *keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_is(key, keys[i]))
            return true;
    return false;
}

// The API refuses labels and annotations of its own kind that it put there itself.
static bool is_own(str key)
{
    static const char *const spaces[] = {"run.googleapis.com", "cloud.googleapis.com",
                                         "serving.knative.dev", "autoscaling.knative.dev", "goog-"};
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++)
        if (str_search(key, str_of(spaces[i])) != STR_NONE)
            return true;
    return false;
}

bool run_container(const struct target *run, const struct node *template, const struct node **ret,
                   struct error *err)
{
    const struct node *list = node_get(template, "containers"), *found = NULL;
    str name = run->config->artifact.container;
    struct text names = text_of(400);
    for (const struct node *n = list ? list->first : NULL; n; n = n->next) {
        text_addf(&names, "%s`" STR_FMT "`", names.len ? ", " : "", STR_ARG(node_text(n, "name")));
        if (name.len ? str_eq(node_text(n, "name"), name) : list->count == 1)
            found = n;
    }
    // A container that is alone need not have the name that one gave it in mind.
    bool ok = found != NULL;
    if (ok)
        *ret = found;
    else if (name.len)
        (void)error_set(err, ERROR_INPUT,
                        "service " STR_FMT " has no container `" STR_FMT "`, but %s: correct "
                        "`artifact: {container: …}`",
                        STR_ARG(run->service), STR_ARG(name), text_c(&names));
    else
        (void)error_set(err, ERROR_INPUT,
                        "service " STR_FMT " has the containers %s: name the one that has the "
                        "release's image with `artifact: {container: …}`",
                        STR_ARG(run->service), text_c(&names));
    text_done(&names);
    return ok;
}

static void write_container(const struct node *container, str image, struct json_out *out)
{
    json_open_map(out, NULL);
    for (const struct node *n = container->first; n; n = n->next) {
        char key[64];
        if (str_is(n->key, "buildInfo") || (image.len && str_is(n->key, "image")))
            continue;
        (void)snprintf(key, sizeof key, STR_FMT, STR_ARG(n->key));
        json_add_node(out, key, n);
    }
    if (image.len)
        json_add_str(out, "image", image);
    json_close(out);
}

static void write_words(const struct node *words, const char *key,
                        const struct target_release *release, struct json_out *out)
{
    json_open_map(out, key);
    for (const struct node *n = words ? words->first : NULL; n; n = n->next)
        if (!is_own(n->key) && !str_starts(n->key, STR("sluice/")))
            json_add_key_str(out, n->key, n->text);
    if (release) {
        json_add_str(out, "sluice/release", release->release);
        json_add_str(out, "sluice/commit", release->commit);
        json_add_str(out, "sluice/digest", release->digest);
    }
    json_close(out);
}

static void write_template(const struct node *base, const struct node *own,
                           const struct node *container, str image,
                           const struct target_release *release, str revision, struct json_out *out)
{
    const struct node *containers = node_get(base, "containers");
    json_open_map(out, "template");
    if (revision.len)
        json_add_str(out, "revision", revision);
    for (size_t i = 0; i < sizeof template_keys / sizeof *template_keys; i++) {
        const struct node *value = node_get(base, template_keys[i]);
        if (!value && str_is(str_of(template_keys[i]), "healthCheckDisabled"))
            value = node_get(own, template_keys[i]); // which no revision tells
        bool apart = is_among(str_of(template_keys[i]),
                              (const char *const[]){"containers", "labels", "annotations"}, 3);
        if (value && !apart)
            json_add_node(out, template_keys[i], value);
    }
    json_open_list(out, "containers");
    for (const struct node *n = containers ? containers->first : NULL; n; n = n->next)
        write_container(n, n == container ? image : (str){NULL, 0}, out);
    json_close(out);
    write_words(node_get(base, "labels"), "labels", NULL, out);
    write_words(node_get(base, "annotations"), "annotations", release, out);
    json_close(out);
}

bool run_body(const struct target_operation *operation, const struct node *base, struct text *out,
              struct error *err)
{
    const struct target *run = operation->run;
    const struct run_step *step = &operation->step;
    struct arena arena = {0};
    struct json_out json = json_out_of(out, JSON_COMPACT);
    const struct node *container = NULL, *own = node_get(operation->seen.tree, "template");
    str image = {NULL, 0}, revision = {NULL, 0};
    bool ok = true;
    if (step->template == RUN_OF_NEXT) {
        ok = run_container(run, base, &container, err) &&
             image_of(&arena, run, &operation->next, &image, err);
        revision = run_revision_name(&arena, run->service, &operation->next, operation->name);
    }
    json_open_map(&json, NULL);
    json_add_str(&json, "etag", operation->seen.etag);
    run_traffic_write(&step->traffic, &json);
    if (ok && step->template == RUN_OF_NEXT)
        write_template(base, own, container, image, &operation->next, revision, &json);
    else if (ok && step->template == RUN_OF_GOOD)
        write_template(base, own, NULL, image,
                       operation->good.release.len ? &operation->good : NULL, revision, &json);
    json_close(&json);
    arena_done(&arena);
    if (ok && text_full(out))
        ok = error_set(err, ERROR_LIMIT, "the template of service " STR_FMT " is too large",
                       STR_ARG(run->service));
    return ok;
}
