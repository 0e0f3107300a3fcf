// What a release becomes on Compute Engine: the name of an instance template, and what is in it.
#include "deploy/targets/gcp_mig.h"

#include "gate/base/sha256.h"
#include "gate/base/template.h"

enum {
    NAME_MOST = 63,
    GROUP_MOST = 36,
    DIGEST_DIGITS = 12,
    BODY_MOST = 1 << 20,
    DEPTH_MOST = 32,
};

static const str global = STR_INIT("global/instanceTemplates/");

// ---- names -------------------------------------------------------------------------------------

// "global/images/x" of "https://…/projects/p/global/images/x"
static str within_project(str url)
{
    size_t at = str_search(url, STR("projects/"));
    if (at == STR_NONE)
        return url;
    str rest = str_from(url, at + sizeof "projects/" - 1);
    (void)str_cut(&rest, '/');
    return rest;
}

str mig_revision_of(str url)
{
    str rest = within_project(url);
    return str_starts(rest, global) ? str_from(rest, global.len) : rest;
}

str mig_template_path(struct arena *arena, const struct target *mig, str revision)
{
    str place = str_find(revision, '/') == STR_NONE ? global : (str){NULL, 0};
    return arena_format(arena, STR_FMT "/" STR_FMT STR_FMT, STR_ARG(mig->projects), STR_ARG(place),
                        STR_ARG(revision));
}

// "V8.12" -> "v8-12"
static void add_slug(struct text *out, str words, size_t most)
{
    size_t begin = out->len;
    for (size_t i = 0; i < words.len && out->len - begin < most; i++) {
        char c = char_lower(words.data[i]);
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
            text_addc(out, c);
        else if (out->len > begin && out->data[out->len - 1] != '-')
            text_addc(out, '-');
    }
    while (out->len > begin && out->data[out->len - 1] == '-')
        out->len--;
    if (out->data)
        out->data[out->len] = '\0';
}

// The digest keeps two releases apart whose names look the same here.
str mig_template_name(struct arena *arena, str group, str release, str digest, unsigned nth)
{
    struct text name = text_of(NAME_MOST + 1);
    add_slug(&name, group, GROUP_MOST);
    size_t rest = NAME_MOST - name.len - 1 - DIGEST_DIGITS - 1; // the last one for `nth`
    size_t before = name.len;
    text_addc(&name, '-');
    add_slug(&name, release, rest - 1);
    if (name.len == before + 1) // nothing of it can stand here
        name.len = before;
    text_addf(&name, "-" STR_FMT,
              STR_ARG(str_first(str_from(digest, sizeof "sha256:" - 1), DIGEST_DIGITS)));
    if (nth)
        text_addc(&name, (char)('a' + (char)nth));
    str copy = arena_str(arena, text_str(&name));
    text_done(&name);
    return copy;
}

// ---- the configuration's part ------------------------------------------------------------------

bool mig_named_template(struct arena *arena, const struct target *mig,
                        const struct target_release *release, str *ret, struct error *err)
{
    str name;
    if (!target_release_fill(arena, &mig->setup, "template", mig->config->artifact.template,
                             release, &name, err))
        return false;
    *ret = mig_revision_of(name);
    return true;
}

// The configuration's pattern has the release once, and nothing else that differs.
str mig_release_in(const struct target *mig, str revision)
{
    static const str variable = STR_INIT("${release}");
    struct arena arena = {0};
    struct error unused;
    str pattern = mig->config->artifact.template, filled, found = {NULL, 0};
    size_t at = str_search(pattern, variable);
    struct target_release mark = {.release = STR("\1"), .commit = STR("\2"), .digest = STR("\2")};
    if (at != STR_NONE &&
        target_release_fill(&arena, &mig->setup, "template", pattern, &mark, &filled, &unused)) {
        str name = mig_revision_of(filled);
        size_t one = str_find(name, '\1');
        str before = str_first(name, one), after = str_from(name, one + 1);
        bool fits = one != STR_NONE && str_find(after, '\1') == STR_NONE &&
                    str_find(name, '\2') == STR_NONE && str_starts(revision, before) &&
                    str_ends(revision, after) && revision.len > before.len + after.len;
        if (fits)
            found = str_make(revision.data + before.len, revision.len - before.len - after.len);
    }
    arena_done(&arena);
    return found;
}

bool mig_uses_digest(const struct mig_config *config)
{
    const struct mig_metadata *items = config->artifact.metadata.items;
    bool uses = str_search(config->artifact.image, STR("${digest}")) != STR_NONE;
    for (size_t i = 0; i < config->artifact.metadata.count; i++)
        uses = uses || str_search(items[i].value, STR("${digest}")) != STR_NONE;
    return uses;
}

bool mig_image_path(struct arena *arena, const struct target *mig,
                    const struct target_release *release, str *ret, struct error *err)
{
    str image;
    if (!target_release_fill(arena, &mig->setup, "image", mig->config->artifact.image, release,
                             &image, err))
        return false;
    size_t at = str_search(image, STR("projects/"));
    if (at != STR_NONE)
        *ret = arena_format(arena, "/compute/v1/" STR_FMT, STR_ARG(str_from(image, at)));
    else
        *ret =
            arena_format(arena, STR_FMT "/%s" STR_FMT, STR_ARG(mig->projects),
                         str_starts(image, STR("global/")) ? "" : "global/images/", STR_ARG(image));
    return true;
}

str mig_digest_of(struct arena *arena, str words)
{
    char hex[SHA256_HEX];
    return arena_format(arena, "sha256:%s", sha256_of(words, hex));
}

str mig_template_digest(struct arena *arena, const struct mig_template *template)
{
    return mig_digest_of(arena, arena_format(arena, STR_FMT "#" STR_FMT,
                                             STR_ARG(template->revision), STR_ARG(template->id)));
}

bool mig_blueprint_of(struct arena *arena, const struct target *mig,
                      const struct target_release *release, str image, str image_id,
                      struct mig_blueprint *ret, struct error *err)
{
    const struct mig_artifact *artifact = &mig->config->artifact;
    const struct mig_metadata *from = artifact->metadata.items;
    size_t count = artifact->metadata.count;
    struct mig_metadata *items = ARENA_ARRAY(arena, struct mig_metadata, count + 1);
    struct text all = text_of(BODY_MOST);
    bool ok = true;
    text_addf(&all, STR_FMT "#" STR_FMT "\n", STR_ARG(image), STR_ARG(image_id));
    for (size_t i = 0; ok && i < count; i++) {
        items[i].key = from[i].key;
        ok = target_release_fill(arena, &mig->setup, "metadata", from[i].value, release,
                                 &items[i].value, err);
        text_addf(&all, "%zu:" STR_FMT "=%zu:", items[i].key.len, STR_ARG(items[i].key),
                  items[i].value.len);
        text_add(&all, items[i].value);
    }
    if (ok && text_full(&all))
        ok = error_set(err, ERROR_LIMIT, "`metadata` is larger than Compute Engine takes");
    if (ok) {
        str digest = mig_digest_of(arena, text_str(&all));
        *ret = (struct mig_blueprint){
            .image = arena_str(arena, image),
            .image_id = arena_str(arena, image_id),
            .items = items,
            .item_count = count,
            .digest = digest,
            .name = mig_template_name(arena, mig->group, release->release, digest, 0),
        };
    }
    text_done(&all);
    return ok;
}

// ---- what is in a template ---------------------------------------------------------------------

// What Compute Engine puts there itself, and takes from nobody, by what it stands in.
static const struct {
    const char *in, *key;
} own[] = {
    {"metadata", "fingerprint"},
    {"tags", "fingerprint"},
    {"disks", "index"},
    {"disks", "licenses"},
    {"disks", "architecture"},
    {"disks", "savedState"},
    {"disks", "shieldedInstanceInitialState"},
    {"diskEncryptionKey", "sha256"},
    {"sourceImageEncryptionKey", "sha256"},
    {"sourceSnapshotEncryptionKey", "sha256"},
    {"networkInterfaces", "name"},
    {"networkInterfaces", "fingerprint"},
    {"networkInterfaces", "ipv6AccessType"},
};

static bool is_own(str in, const struct node *node)
{
    if (str_is(node->key, "kind") && str_starts(node->text, STR("compute#")))
        return true;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (str_is(in, own[i].in) && str_is(node->key, own[i].key))
            return true;
    return false;
}

// `in` is the key under which the map, or the list of it, stands.
static struct node *copy_of(struct arena *arena, const struct node *from, str in, unsigned depth)
{
    struct node *node = ARENA_NEW(arena, struct node);
    struct node **end = &node->first;
    *node = *from;
    node->first = node->next = NULL;
    node->count = 0;
    for (const struct node *n = from->first; n && depth < DEPTH_MOST; n = n->next) {
        if (is_own(in, n))
            continue;
        *end = copy_of(arena, n, n->key.len ? n->key : in, depth + 1);
        end = &(*end)->next;
        node->count++;
    }
    return node;
}

static struct node *child(struct node *map, const char *key)
{
    for (struct node *n = map ? map->first : NULL; n; n = n->next)
        if (str_is(n->key, key))
            return n;
    return NULL;
}

static struct node *add(struct arena *arena, struct node *to, enum node_kind kind, const char *key,
                        str value)
{
    struct node **end = &to->first;
    while (*end)
        end = &(*end)->next;
    *end = ARENA_NEW(arena, struct node);
    **end = (struct node){.kind = kind, .quoted = true, .key = str_of(key), .text = value};
    to->count++;
    return *end;
}

static void set(struct arena *arena, struct node *map, const char *key, str value)
{
    struct node *known = child(map, key);
    if (!known)
        known = add(arena, map, NODE_STRING, key, value);
    known->kind = NODE_STRING;
    known->text = value;
}

static bool set_image(struct arena *arena, struct node *properties, str image, str base,
                      struct error *err)
{
    struct node *disks = child(properties, "disks"), *found = NULL;
    for (struct node *disk = disks ? disks->first : NULL; disk; disk = disk->next)
        if (str_is(node_text(disk, "boot"), "true"))
            found = child(disk, "initializeParams");
    if (!found || child(found, "sourceSnapshot"))
        return error_set(err, ERROR_INPUT,
                         "instances of template " STR_FMT " do not boot from an image, so that "
                         "none can be put in its place: make the release's template in the build, "
                         "and name it with `artifact: {template: …}`",
                         STR_ARG(base));
    set(arena, found, "sourceImage", image);
    return true;
}

static void set_metadata(struct arena *arena, struct node *properties, str key, str value)
{
    struct node *metadata = child(properties, "metadata"), *items, *entry = NULL;
    if (!metadata)
        metadata = add(arena, properties, NODE_MAP, "metadata", (str){NULL, 0});
    items = child(metadata, "items");
    if (!items)
        items = add(arena, metadata, NODE_LIST, "items", (str){NULL, 0});
    for (struct node *n = items->first; n; n = n->next)
        if (str_eq(node_text(n, "key"), key))
            entry = n;
    if (!entry)
        entry = add(arena, items, NODE_MAP, NULL, (str){NULL, 0});
    set(arena, entry, "key", key);
    set(arena, entry, "value", value);
}

bool mig_properties(struct arena *arena, const struct mig_blueprint *blueprint,
                    const struct mig_template *base, str *ret, struct error *err)
{
    static const struct node none = {.kind = NODE_MAP};
    struct node *properties =
        copy_of(arena, base->properties ? base->properties : &none, (str){NULL, 0}, 0);
    if (blueprint->image.len &&
        !set_image(arena, properties, blueprint->image, base->revision, err))
        return false;
    for (size_t i = 0; i < blueprint->item_count; i++)
        set_metadata(arena, properties, blueprint->items[i].key, blueprint->items[i].value);
    struct text text = text_of(BODY_MOST);
    struct json_out out = json_out_of(&text, JSON_COMPACT);
    json_add_node(&out, NULL, properties);
    bool ok = !text_full(&text) ||
              error_set(err, ERROR_LIMIT, "template " STR_FMT " is too large to be copied",
                        STR_ARG(base->revision));
    if (ok)
        *ret = arena_str(arena, text_str(&text));
    text_done(&text);
    return ok;
}

// ---- what it says of itself --------------------------------------------------------------------

static const str by_us = STR_INIT("Made by sluice. ");

str mig_description(struct arena *arena, const struct target_release *release, str content)
{
    return arena_format(
        arena, STR_FMT "release=" STR_FMT " commit=" STR_FMT " digest=" STR_FMT " content=" STR_FMT,
        STR_ARG(by_us), STR_ARG(release->release), STR_ARG(release->commit),
        STR_ARG(release->digest), STR_ARG(content));
}

str mig_description_word(str description, const char *key)
{
    str rest = str_starts(description, by_us) ? str_from(description, by_us.len) : (str){NULL, 0};
    while (rest.len) {
        str value = str_cut(&rest, ' '), name = str_cut(&value, '=');
        if (str_is(name, key))
            return value;
    }
    return (str){NULL, 0};
}

bool mig_read_template(struct arena *arena, str body, struct mig_template *ret, struct error *err)
{
    const struct node *tree;
    if (!json_parse(arena, NULL, body, &tree, err)) {
        err->kind = ERROR_REMOTE;
        return error_wrap(err, "the answer of Compute Engine cannot be read");
    }
    *ret = (struct mig_template){
        .revision = mig_revision_of(node_text(tree, "selfLink")),
        .id = node_text(tree, "id"),
        .description = node_text(tree, "description"),
        .properties = node_get(tree, "properties"),
    };
    return (ret->revision.len && ret->id.len) ||
           error_set(err, ERROR_REMOTE, "the answer is no instance template: it has no %s",
                     ret->id.len ? "selfLink" : "id");
}

bool mig_read_image(struct arena *arena, str body, str *url, str *id, struct error *err)
{
    const struct node *tree;
    if (!json_parse(arena, NULL, body, &tree, err)) {
        err->kind = ERROR_REMOTE;
        return error_wrap(err, "the answer of Compute Engine cannot be read");
    }
    str link = node_text(tree, "selfLink"), status = node_text(tree, "status");
    size_t at = str_search(link, STR("projects/"));
    if (at == STR_NONE || !node_text(tree, "id").len)
        return error_set(err, ERROR_REMOTE, "the answer is no image: it has no %s",
                         at == STR_NONE ? "selfLink" : "id");
    if (status.len && !str_is(status, "READY"))
        return error_set(err, ERROR_REMOTE, "image " STR_FMT " cannot be used: it is " STR_FMT,
                         STR_ARG(node_text(tree, "name")), STR_ARG(status));
    *url = arena_str(arena, str_from(link, at));
    *id = arena_str(arena, node_text(tree, "id"));
    return true;
}
