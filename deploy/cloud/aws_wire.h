// Inside deploy/cloud: one signed exchange with an AWS service, and what its answer means. Knows
// nothing of trying again.
#ifndef DEPLOY_CLOUD_AWS_WIRE_H
#define DEPLOY_CLOUD_AWS_WIRE_H

#include "deploy/cloud/aws_account.h"
#include "deploy/cloud/aws_services.h"
#include "deploy/cloud/aws_sign.h"
#include "deploy/cloud/cloud_parts.h"

// Where a service is asked, without a `/` at the end. `of_profile` may be empty.
const char *aws_endpoint_of(struct cloud *cloud, const struct aws_account *account,
                            const char *region, const char *of_profile,
                            const struct aws_service *service, struct arena *arena);

struct aws_sending {
    const struct aws_service *service;
    const char *region, *endpoint;
    const char *action; // query and JSON
    const char *method; // REST
    str path;           // REST
    const struct http_header *headers;
    str body; // of the query protocol: without Action and Version
    bool unsigned_body;
    bool secret_body;            // the joined form is wiped
    const struct aws_keys *keys; // null: not signed
    int64_t now_ms;              // by AWS's clock
    int64_t timeout_ms;
    bool once; // must not reach the service twice: no old connection, on which curl would repeat
};

bool aws_send(struct cloud *cloud, const struct aws_sending *sending, void **ret_job,
              struct error *err);

enum aws_meaning {
    AWS_FINE,
    AWS_THROTTLED, // nothing was done
    AWS_BROKEN,    // 5xx: nobody knows
    AWS_EXPIRED,   // the session token
    AWS_CLOCK,     // the time of the signature, perhaps
    AWS_REFUSED,
};

// Fills what is known of a failure; the strings live in the arena.
enum aws_meaning aws_understand(const struct aws_service *service, const struct http_answer *answer,
                                struct arena *arena, struct cloud_fault *ret);
str aws_request_id(const struct http_answer *answer, struct arena *arena);

// "ECS UpdateService: ServiceNotFoundException: …  (400, request 7f…)"
bool aws_fault_error(const struct aws_service *service, const char *action,
                     const struct cloud_fault *fault, enum aws_meaning meaning, struct error *err);

#endif
