// What a release of an instance group is: a template of the build, or one made of known good's.
#include "gcp_mig_scene.h"

#include "../expect.h"

static struct mig_scene scene;

static void open_scene(void)
{
    mig_scene_open(&scene);
}

static void close_scene(void)
{
    mig_scene_close(&scene);
}

TestSuite(gcp_mig_template, .init = open_scene, .fini = close_scene);

Test(gcp_mig_template, a_template_of_the_build_is_pinned_by_its_id)
{
    struct target_release packed;
    const struct line lines[] = {{"GET " TEMPLATES "/web-v2", NULL, 0, TEMPLATE("7"), NULL}, {0}};
    const struct line absent[] = {{"GET " TEMPLATES "/web-v2", NULL, 404, ABSENT, NULL}, {0}};
    const struct line other[] = {
        {"GET " PROJECT "/regions/r/instanceTemplates/x", NULL, 0,
         "{\"selfLink\":\"" LINK "/regions/r/instanceTemplates/x\",\"id\":\"8\"}", NULL},
        {0}};
    cr_assert(script_pack(&scene.script, "", lines, &packed, &scene.err), "%s", scene.err.message);
    cr_expect(str_eq(packed.digest, scene.next.digest));
    expect_str(packed.revision, "web-v2");
    cr_assert(script_pack(&scene.script, packed.digest.data, lines, &packed, &scene.err), "%s",
              scene.err.message);
    cr_expect_not(script_pack(&scene.script, "sha256:77", lines, &packed, &scene.err));
    expect_contains(str_of(scene.err.message), "is not what is there now");
    cr_expect_not(script_pack(&scene.script, "", absent, &packed, &scene.err));
    expect_contains(str_of(scene.err.message), "looking at template web-v2");
    cr_assert(
        script_pack(&scene.script, "regions/r/instanceTemplates/x", other, &packed, &scene.err));
    expect_str(packed.revision, "regions/r/instanceTemplates/x");
}

Test(gcp_mig_template, a_template_that_was_made_anew_since_is_neither_staged_nor_given_a_share)
{
    const struct line staged[] = {
        {"GET " PLACE, NULL, 0, AT_GOOD, NULL},
        {LIST, NULL, 0, INSTANCES(OLD2), NULL},
        {"GET " TEMPLATES "/web-v2", NULL, 0, TEMPLATE("7"), NULL},
        {0},
    };
    const struct line anew[] = {
        {"GET " PLACE, NULL, 0, AT_GOOD, NULL},
        {LIST, NULL, 0, INSTANCES(OLD2), NULL},
        {"GET " TEMPLATES "/web-v2", NULL, 0, TEMPLATE("8"), NULL},
        {0},
    };
    mig_must(&scene, mig_intent(&scene, INTENT_STAGE, 0), staged);
    expect_str(scene.outcome.revision, "web-v2");
    cr_expect_eq(scene.outcome.seen.good_ppm, 1000000);
    mig_fails(&scene, mig_intent(&scene, INTENT_STAGE, 0), anew, ERROR_REMOTE, "made anew");
    mig_fails(&scene, mig_intent(&scene, INTENT_SHIFT, 500000), anew, ERROR_REMOTE, "made anew");
}

#define IMAGE(id)                                                                                  \
    "{\"name\":\"learn-v2\",\"id\":\"" id "\",\"status\":\"READY\",\"selfLink\":\"" LINK           \
    "/global/images/learn-v2\"}"
#define BASE                                                                                       \
    "{\"selfLink\":\"" LINK "/global/instanceTemplates/web-v1\",\"id\":\"1\",\"description\":"     \
    "\"by hand\",\"properties\":{\"machineType\":\"e2-small\",\"labels\":{\"kind\":\"web\"},"      \
    "\"metadata\":{\"kind\":\"compute#metadata\",\"fingerprint\":\"x\",\"items\":[{\"key\":"       \
    "\"release\",\"value\":\"v1\"},{\"key\":\"keep\",\"value\":\"me\"}]},\"disks\":[{\"kind\":"    \
    "\"compute#attachedDisk\",\"index\":0,\"boot\":true,\"initializeParams\":{\"sourceImage\":"    \
    "\"old\",\"diskSizeGb\":\"20\"}}],\"networkInterfaces\":[{\"kind\":\"compute#"                 \
    "networkInterface\",\"name\":\"nic0\",\"network\":\"n\"}]}}"
#define PROPERTIES                                                                                 \
    "\"properties\":{\"machineType\":\"e2-small\",\"labels\":{\"kind\":\"web\"},\"metadata\":{"    \
    "\"items\":[{\"key\":\"release\",\"value\":\"v2\"},{\"key\":\"keep\",\"value\":\"me\"},"       \
    "{\"key\":\"stage\",\"value\":\"prod\"}]},\"disks\":[{\"boot\":true,\"initializeParams\":"     \
    "{\"sourceImage\":\"projects/p/global/images/learn-v2\",\"diskSizeGb\":\"20\"}}],"             \
    "\"networkInterfaces\":[{\"network\":\"n\"}]}"

static const struct line packing[] = {
    {"GET " PROJECT "/global/images/learn-v2", NULL, 0, IMAGE("5"), NULL}, {0}};

static struct target_intent made(void)
{
    struct target_release packed;
    script_close(&scene.script);
    script_open(&scene.script, "gcp-mig", MADE);
    cr_assert(script_pack(&scene.script, "", packing, &packed, &scene.err), "%s",
              scene.err.message);
    return (struct target_intent){.verb = INTENT_STAGE, .next = packed, .good = scene.good};
}

static const char *description_of(const char *content)
{
    struct text text = text_of(4096);
    text_addf(&text,
              "{\"selfLink\":\"%s\",\"id\":\"9\",\"description\":\"Made by sluice. release=v2 "
              "content=%s\"}",
              LINK "/global/instanceTemplates/made", content);
    const char *copy = arena_copy(&scene.script.arena, text_str(&text));
    text_done(&text);
    return copy;
}

Test(gcp_mig_template, a_template_is_made_of_known_goods_with_what_differs)
{
    struct target_intent intent = made();
    cr_expect(str_starts(intent.next.revision, STR("g-v2-")) && intent.next.revision.len == 17);
    str body = STR(PROPERTIES);
    str properties = str_from(body, sizeof "\"properties\":" - 1);
    const char *known = description_of(mig_digest_of(&scene.script.arena, properties).data);
    const struct line lines[] = {
        {"GET " PLACE, NULL, 0, AT_GOOD, NULL},
        {LIST, NULL, 0, INSTANCES(OLD2), NULL},
        {"GET " PROJECT "/global/images/learn-v2", NULL, 0, IMAGE("5"), NULL},
        {"GET " TEMPLATES "/web-v1", NULL, 0, BASE, NULL},
        {"GET " TEMPLATES "/g-v2-", NULL, 404, ABSENT, NULL},
        {"POST " TEMPLATES, PROPERTIES, 409, "{\"error\":{\"code\":409}}", NULL},
        {"GET " TEMPLATES "/g-v2-", NULL, 0, known, NULL},
        {0},
    };
    mig_must(&scene, intent, lines);
    expect_str(scene.outcome.revision, "made");
    // staged again, it is found
    const struct line again[] = {lines[0], lines[1], lines[2], lines[3], lines[6], {0}};
    mig_must(&scene, intent, again);
}

Test(gcp_mig_template, a_name_with_something_else_in_it_is_left_to_it)
{
    struct target_intent intent = made();
    const char *other = description_of("sha256:0");
    struct line lines[MIG_NAMES + 5] = {
        {"GET " PLACE, NULL, 0, AT_GOOD, NULL},
        {LIST, NULL, 0, INSTANCES(OLD2), NULL},
        {"GET " PROJECT "/global/images/learn-v2", NULL, 0, IMAGE("5"), NULL},
        {"GET " TEMPLATES "/web-v1", NULL, 0, BASE, NULL},
    };
    for (size_t i = 0; i < MIG_NAMES; i++)
        lines[4 + i] = (struct line){"GET " TEMPLATES "/g-v2-", NULL, 0, other, NULL};
    mig_fails(&scene, intent, lines, ERROR_REMOTE, "delete those that no group uses");
    cr_assert(
        str_ends(mig_template_name(&scene.script.arena, STR("g"), STR("v2"), STR("sha256:12"), 1),
                 STR("-12b")));
}

Test(gcp_mig_template, an_image_that_was_made_anew_since_is_not_staged)
{
    struct target_intent intent = made();
    const struct line lines[] = {
        {"GET " PLACE, NULL, 0, AT_GOOD, NULL},
        {LIST, NULL, 0, INSTANCES(OLD2), NULL},
        {"GET " PROJECT "/global/images/learn-v2", NULL, 0, IMAGE("6"), NULL},
        {0},
    };
    mig_fails(&scene, intent, lines, ERROR_REMOTE, "another one than was planned");
    intent.good = (struct target_release){0};
    const struct line first[] = {lines[0], lines[1], {0}};
    mig_fails(&scene, intent, first, ERROR_DENIED, "sluice adopt");
}

Test(gcp_mig_template, names_of_templates_are_what_compute_engine_takes)
{
    static const struct {
        const char *group, *release, *name;
    } rows[] = {
        {"web", "v8.12", "web-v8-12-0123456789ab"},
        {"web", "V8_12+hotfix", "web-v8-12-hotfix-0123456789ab"},
        {"web", "...", "web-0123456789ab"},
        {"a-group-of-which-the-name-is-longer-than-most", "a-release-with-a-long-name-too",
         "a-group-of-which-the-name-is-longer-a-release-wit-0123456789ab"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        str name = mig_template_name(&scene.script.arena, str_of(rows[i].group),
                                     str_of(rows[i].release), STR("sha256:0123456789abcdef"), 0);
        expect_str(name, rows[i].name);
        cr_expect_lt(name.len, 63);
    }
}
