// A managed instance group of Compute Engine, told word for word: its answers, and the target that
// gets them.
//
//     static struct mig_scene scene;
//     mig_scene_open(&scene);
//     mig_must(&scene, mig_intent(&scene, INTENT_SHIFT, 500000), lines);
//     cr_expect_eq(scene.outcome.seen.next_ppm, 500000);
#ifndef TESTS_UNIT_DEPLOY_TARGETS_GCP_MIG_SCENE_H
#define TESTS_UNIT_DEPLOY_TARGETS_GCP_MIG_SCENE_H

#include "aws_script.h"

#include "deploy/targets/gcp_mig.h"

#define PLACE_OF "project: p\nzone: z\ngroup: g\n"
#define BUILT PLACE_OF "artifact: {template: \"web-${release}\"}\n"
#define MADE                                                                                       \
    PLACE_OF "artifact: {image: \"learn-${release}\", metadata: {release: \"${release}\", "        \
             "stage: \"${env.STAGE}\"}}\n"
#define PROJECT "/compute/v1/projects/p"
#define PLACE PROJECT "/zones/z/instanceGroupManagers/g"
#define LIST "POST " PLACE "/listManagedInstances?maxResults=500"
#define TEMPLATES PROJECT "/global/instanceTemplates"
#define LINK "https://www.googleapis.com" PROJECT

#define ONE(template) "{\"instanceTemplate\":\"" LINK "/global/instanceTemplates/" template "\"}"
#define SIZED(template, n)                                                                         \
    "{\"instanceTemplate\":\"" LINK                                                                \
    "/global/instanceTemplates/" template "\",\"targetSize\":{\"fixed\":" n ",\"calculated\":" n   \
                                          "}}"
#define GROUP_OF(type, print, size, stable, reached, versions)                                     \
    "{\"fingerprint\":\"" print "\",\"targetSize\":" size ",\"versions\":[" versions               \
    "],\"updatePolicy\":{\"type\":\"" type                                                         \
    "\"},\"autoHealingPolicies\":[{\"healthCheck\":\"h\"}],"                                       \
    "\"status\":{\"isStable\":" stable ",\"versionTarget\":{\"isReached\":" reached "}}}"
#define GROUP(print, size, stable, reached, versions)                                              \
    GROUP_OF("PROACTIVE", print, size, stable, reached, versions)
#define INSTANCE(name, template, action, health)                                                   \
    "{\"instance\":\"" LINK "/zones/z/instances/" name "\",\"currentAction\":\"" action            \
    "\",\"instanceStatus\":\"RUNNING\",\"targetStatus\":\"RUNNING\",\"version\":{"                 \
    "\"instanceTemplate\":\"" LINK                                                                 \
    "/global/instanceTemplates/" template "\"},\"instanceHealth\":[{\"detailedHealthState\":"      \
                                          "\"" health "\"}]}"
#define WELL(name, template) INSTANCE(name, template, "NONE", "HEALTHY")
#define INSTANCES(items) "{\"managedInstances\":[" items "]}"
#define OLD2 WELL("a", "web-v1") "," WELL("b", "web-v1")
#define NEW2 WELL("c", "web-v2") "," WELL("d", "web-v2")
#define OPERATION(status)                                                                          \
    "{\"name\":\"operation-1\",\"status\":\"" status "\",\"selfLink\":\"" LINK                     \
    "/zones/z/operations/operation-1\"}"
#define STALE                                                                                      \
    "{\"error\":{\"code\":412,\"message\":\"Invalid fingerprint.\",\"errors\":[{\"reason\":"       \
    "\"conditionNotMet\"}]}}"
#define ABSENT "{\"error\":{\"code\":404,\"message\":\"not found\"}}"
#define TEMPLATE(id) "{\"selfLink\":\"" LINK "/global/instanceTemplates/web-v2\",\"id\":\"" id "\"}"
#define AT_GOOD GROUP("f", "2", "true", "true", ONE("web-v1"))
#define AT_NEXT GROUP("f", "2", "true", "true", ONE("web-v2"))
#define AT_HALF GROUP("f", "2", "true", "true", ONE("web-v1") "," SIZED("web-v2", "1"))

struct mig_scene {
    struct script script;
    struct target_release good, next; // "v1" of template web-v1, "v2" of web-v2
    struct target_outcome outcome;
    struct error err;
};

void mig_scene_open(struct mig_scene *scene); // with the section BUILT
void mig_scene_close(struct mig_scene *scene);

struct target_intent mig_intent(const struct mig_scene *scene, enum intent_verb verb,
                                uint32_t share_ppm);
// The intent is done once the lines are said; the outcome is the scene's.
void mig_must(struct mig_scene *scene, struct target_intent intent, const struct line *lines);
// It fails with an error of that kind that has the words in it.
void mig_fails(struct mig_scene *scene, struct target_intent intent, const struct line *lines,
               enum error_kind kind, const char *words);

#endif
