#include "deploy/artifact/registry.h"

#include "deploy/artifact/docker_config.h"
#include "gate/base/sha256.h"

#define MANIFESTS                                                                                  \
    "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "        \
    "application/vnd.docker.distribution.manifest.list.v2+json, "                                  \
    "application/vnd.docker.distribution.manifest.v2+json"

enum { OK = 200, REFUSED = 401, FORBIDDEN = 403, NOT_FOUND = 404, NO_METHOD = 405 };

static void absent(struct registry_look *look)
{
    str name = str_shorten(look->image, 300);
    chain_fail(&look->chain, ERROR_ABSENT, "image " STR_FMT " is not in its registry",
               STR_ARG(name));
}

static void denied(struct registry_look *look, long status)
{
    str name = str_shorten(look->image, 300);
    chain_fail(&look->chain, ERROR_DENIED,
               "the registry does not let us see image " STR_FMT " (status %ld)%s", STR_ARG(name),
               status,
               look->kind == REGISTRY_ANY && !secret_is_set(&look->basic)
                   ? ": `docker login` has left nothing for it"
                   : "");
}

// ---- the digest ---------------------------------------------------------------------------------

static void found(struct registry_look *look, str headers, str body)
{
    struct chain *chain = &look->chain;
    str name = str_shorten(look->image, 300);
    str told = cloud_header(headers, "Docker-Content-Digest"), digest = told;
    if (look->whole) {
        char hex[SHA256_HEX];
        digest = arena_format(&look->arena, "sha256:%s", sha256_of(body, hex));
    }
    if (!look->whole && !sha256_is_named(told)) {
        look->whole = true;
        registry_ask(look);
    } else if (look->whole && !body.len) {
        chain_fail(chain, ERROR_REMOTE, "image " STR_FMT ": the registry gives an empty manifest",
                   STR_ARG(name));
    } else if (sha256_is_named(told) && !str_eq(told, digest)) {
        chain_fail(chain, ERROR_REMOTE,
                   "image " STR_FMT ": its manifest is " STR_FMT ", but the registry says " STR_FMT,
                   STR_ARG(name), STR_ARG(digest), STR_ARG(told));
    } else if (look->name.digest.len && !str_eq(look->name.digest, digest)) {
        chain_fail(chain, ERROR_REMOTE, "image " STR_FMT ": the registry gives " STR_FMT,
                   STR_ARG(name), STR_ARG(digest));
    } else {
        look->digest = arena_str(&look->arena, digest);
        chain_end(chain);
    }
}

// Google's identity, where there is none: its public images may be seen by anybody.
static void go_without_google(struct registry_look *look)
{
    struct error why;
    look->kind = REGISTRY_ANY;
    if (docker_config_read(look->access->cloud, look->name.host, &look->basic, &why))
        registry_ask(look);
    else
        chain_fail(&look->chain, why.kind, "%s", why.message);
}

static void answered(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct registry_look *look = self;
    long status = reply->ok ? reply->status : reply->fault->status;
    if (status == OK)
        found(look, reply->headers, reply->body);
    else if (status == NOT_FOUND)
        absent(look);
    else if (status == NO_METHOD && !look->whole) {
        look->whole = true;
        registry_ask(look);
    } else if (status == REFUSED && look->kind != REGISTRY_GOOGLE && !look->proven)
        registry_challenged(look, reply->headers);
    else if (status == REFUSED || status == FORBIDDEN)
        denied(look, status);
    else if (reply->ok)
        chain_fail(chain, ERROR_REMOTE,
                   "image " STR_FMT ": the registry answers with status %ld, which is no manifest",
                   STR_ARG(str_shorten(look->image, 300)), status);
    else if (look->kind == REGISTRY_GOOGLE && !status && reply->error->kind == ERROR_ABSENT)
        go_without_google(look);
    else
        chain_fail_with(chain, reply, "looking up image " STR_FMT,
                        STR_ARG(str_shorten(look->image, 160)));
}

// ---- asking -------------------------------------------------------------------------------------

void registry_ask(struct registry_look *look)
{
    const struct image_name *name = &look->name;
    const char *method = look->whole ? "GET" : "HEAD";
    str reference = name->digest.len ? name->digest : name->tag;
    str path = arena_format(&look->arena, "/v2/" STR_FMT "/manifests/" STR_FMT,
                            STR_ARG(name->repository), STR_ARG(reference));
    struct http_header headers[] = {{"Accept", MANIFESTS, NULL}, {0}, {0}};
    if (look->kind == REGISTRY_GOOGLE) {
        chain_google(&look->chain, look->google,
                     &(struct google_request){.api = "registry",
                                              .origin = look->origin,
                                              .method = method,
                                              .path = path,
                                              .headers = headers,
                                              .bytes = true,
                                              .repeatable = true},
                     answered);
        return;
    }
    if (secret_is_set(&look->bearer))
        headers[1] = (struct http_header){"Authorization", "Bearer ", &look->bearer};
    else if (look->as_basic)
        headers[1] = (struct http_header){"Authorization", "Basic ", &look->basic};
    str url = arena_format(&look->arena, "%s" STR_FMT, look->origin, STR_ARG(path));
    chain_plain(&look->chain,
                &(struct plain_request){.method = method, .url = url, .headers = headers},
                answered);
}
