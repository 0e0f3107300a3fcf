#include "deploy/targets/target_image.h"

#include "deploy/artifact/image.h"
#include "deploy/targets/target_parts.h"
#include "gate/base/template.h"

// ---- configuration -----------------------------------------------------------------------------

static bool is_image_name(void *context, str name)
{
    static const char *const known[] = {"release", "commit", "digest"};
    str *wrong = context;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (str_is(name, known[i]))
            return true;
    if (str_starts(name, STR("env.")) && name.len > 4)
        return true;
    *wrong = name;
    return false;
}

void target_image_check(str image, struct position at, struct problems *problems)
{
    str wrong = {NULL, 0};
    if (!template_names(image, is_image_name, &wrong))
        problem_at(problems, at,
                   "`image`: `${" STR_FMT "}` is not known here; there are `${release}`, "
                   "`${commit}`, `${digest}` and `${env.NAME}`",
                   STR_ARG(str_shorten(wrong, 120)));
    else if (str_search(image, STR("${release}")) == STR_NONE &&
             str_search(image, STR("${commit}")) == STR_NONE &&
             str_search(image, STR("${digest}")) == STR_NONE)
        problem_at(problems, at,
                   "`image` is the same for every release: name what differs, such as "
                   "`registry.example/app:${release}` or `registry.example/app@${digest}`");
    else if (str_search(image, STR("${digest}")) != STR_NONE && !str_ends(image, STR("@${digest}")))
        problem_at(problems, at, "`${digest}` stands at the end, after `@`, or nowhere");
}

// ---- references --------------------------------------------------------------------------------

static str image_repository(str reference)
{
    size_t at = str_find(reference, '@');
    str image = at == STR_NONE ? reference : str_first(reference, at);
    size_t slash = str_find_last(image, '/'), colon = str_find_last(image, ':');
    bool tagged = colon != STR_NONE && (slash == STR_NONE || colon > slash);
    return tagged ? str_first(image, colon) : image;
}

bool target_image_of(struct arena *arena, const struct target_setup *setup, str image,
                     const struct target_release *release, str *ret, struct error *err)
{
    str reference;
    if (!release->digest.len)
        return error_set(err, ERROR_INPUT, "there is no image to bring to target %s", setup->name);
    if (!target_release_fill(arena, setup, "image", image, release, &reference, err))
        return false;
    *ret = arena_format(arena, STR_FMT "@" STR_FMT, STR_ARG(image_repository(reference)),
                        STR_ARG(release->digest));
    return true;
}

// ---- packing -----------------------------------------------------------------------------------

static bool is_tag(str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (str_find(STR("/:@"), s.data[i]) != STR_NONE)
            return false;
    return s.len > 0;
}

// What `--artifact` and the configuration come to: "repository:tag" or "repository@sha256:…".
static bool reference_of(const struct target_setup *setup, str image,
                         const struct target_pack *pack, struct arena *arena, str *ret,
                         struct error *err)
{
    str given = pack->given, reference, repository;
    struct target_release release = {pack->release, pack->commit, STR("sha256:"), {NULL, 0}, {0}};
    if (!given.len && str_search(image, STR("${digest}")) != STR_NONE)
        return error_set(err, ERROR_INPUT,
                         "`image` names `${digest}`, which nobody gave: say which with `--artifact "
                         "%s=sha256:…`, or name the image by `${release}` or `${commit}`",
                         setup->name);
    if (!target_release_fill(arena, setup, "image", image, &release, &reference, err))
        return false;
    repository = image_repository(reference);
    if (!given.len)
        *ret = reference;
    else if (str_starts(given, STR("sha256:")))
        *ret = arena_format(arena, STR_FMT "@" STR_FMT, STR_ARG(repository), STR_ARG(given));
    else if (is_tag(given))
        *ret = arena_format(arena, STR_FMT ":" STR_FMT, STR_ARG(repository), STR_ARG(given));
    else if (str_eq(image_repository(given), repository))
        *ret = given;
    else
        return error_set(err, ERROR_INPUT,
                         "`--artifact %s=" STR_FMT "` is of another repository than `image` of the "
                         "configuration, which is " STR_FMT,
                         setup->name, STR_ARG(str_shorten(given, 200)), STR_ARG(repository));
    return true;
}

bool target_image_pack(const struct target_setup *setup, str image, const struct target_pack *pack,
                       struct arena *arena, struct target_release *ret, struct error *err)
{
    str reference, digest;
    if (!reference_of(setup, image, pack, arena, &reference, err))
        return false;
    if (pack->again) { // found when the rollout began
        *ret = (struct target_release){
            .release = pack->release, .commit = pack->commit, .digest = pack->given};
        return true;
    }
    const struct artifact_access access = {setup->cloud, setup->aws, setup->google};
    if (!image_resolve(&access, reference, arena, &digest, err))
        return false;
    *ret =
        (struct target_release){.release = pack->release, .commit = pack->commit, .digest = digest};
    return true;
}
