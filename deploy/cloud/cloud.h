// What all clients of one run share: the ports, who we are (one refresh of a token for all), and
// how fast each service is asked. One is opened for a run, and closed after all calls are dropped.
//
//     struct cloud *cloud = cloud_open(&(struct cloud_ports){.http = &http, .clock = &clock});
//     if (!aws_client_open(cloud, &(struct aws_account){.region = "eu-west-1"}, &client, err)) …
//     cloud_close(cloud);      // closes the clients and identities as well
#ifndef DEPLOY_CLOUD_CLOUD_H
#define DEPLOY_CLOUD_CLOUD_H

#include "gate/base/ports.h"
#include "gate/doc/node.h"

struct cloud_ports { // all live as long as the cloud
    const struct http_port *http;
    const struct clock_port *clock;
    const char *(*variable)(void *self, const char *name); // of the environment; null: getenv
    // What a person should know though nothing failed: a clock that is wrong, a refresh that failed
    // while the old token still holds. Never holds a secret. Null: nobody listens.
    void (*say)(void *self, const char *sentence);
    // Sleeps until something moved or the moment (wall clock) is reached. Null: nobody may block.
    void (*wait)(void *self, int64_t until_ms);
    void *self; // of the three above
};

struct cloud_endpoint {  // where a service is, instead of its public address
    const char *service; // "ecs", "run"; null ends a list
    const char *url;     // "http://127.0.0.1:4566", "https://vpce-…"; a path in it stays in front
};

struct cloud;

struct cloud *cloud_open(const struct cloud_ports *ports);
void cloud_close(struct cloud *cloud); // null is fine

// Of the environment, as the ports give it; null when empty, too.
const char *cloud_variable(const struct cloud *cloud, const char *name);
// "NAME: value" in the headers of an answer, names in any case; empty when absent.
str cloud_header(str headers, const char *name);
// Wipes all texts of a tree that lies in an arena: of an answer that held a secret.
void cloud_wipe_tree(const struct node *tree);
// Overwrites what `words`, that lie in memory of ours, have of the secret: some answers that refuse
// a request hold all of it (AWS's SignatureDoesNotMatch the session token). Also the beginning of
// one whose end was cut off; less than eight bytes are taken for a word like others.
void cloud_hide(str words, str secret);
// A copy on one line: control characters become spaces. For the providers' sentences.
str cloud_line(struct arena *arena, str s);

// Why a call failed, beside its sentence: what a caller may act on.
struct cloud_fault {
    long status;    // of HTTP; 0 = no answer came
    str code;       // the provider's word: "ServiceNotFoundException", "ABORTED"; may be empty
    str message;    // the provider's sentence
    str request_id; // to give to the provider's support; may be empty
    // It had been sent and no answer tells what became of it: a change may have been made. Observe
    // before asking again. (A call that is `repeatable` was tried again, and this is about the
    // last try.)
    bool outcome_unknown;
    bool throttled;
};

#endif
