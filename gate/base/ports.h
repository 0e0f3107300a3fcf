// The shape of every effect. Code that needs the world takes one of these; deploy/world makes them
// real, tests and the simulation make them up. Whatever takes time is started, then polled: nothing
// here blocks.
//
//     void *job;
//     if (!exec.start(exec.self, &request, &job, err)) return false;
//     while ((p = exec.poll(exec.self, job, &result, err)) == PROGRESS_PENDING) world_wait(...);
//     exec.drop(exec.self, job);
#ifndef GATE_BASE_PORTS_H
#define GATE_BASE_PORTS_H

#include "gate/base/error.h"
#include "gate/base/secret.h"
#include "gate/base/str.h"

#include <stdint.h>

enum progress { PROGRESS_PENDING, PROGRESS_DONE, PROGRESS_FAILED };

struct clock_port {
    void *self;
    int64_t (*now_ms)(void *self); // wall clock, milliseconds since 1970 UTC
};

struct entropy_port {
    void *self;
    void (*fill)(void *self, void *bytes, size_t size);
};

// ---- running a command, here or on another machine ---------------------------------------------
struct exec_login { // how to reach another machine; host null = run here, as a child process
    const char *host;
    const char *user;        // null = the name of the user who runs sluice
    uint16_t port;           // 0 = 22
    const char *known_hosts; // file; null = ~/.ssh/known_hosts
    const char *fingerprint; // "SHA256:…" pinned instead of known_hosts; null = none
    const char
        *key_file; // private key (ed25519, ECDSA); null = agent, then ~/.ssh/id_ed25519, id_ecdsa
};

struct exec_variable {
    const char *name;
    str value;
};

struct exec_request {
    struct exec_login login;
    const char *script;                    // run by `sh -c`, with `set -eu` by the caller if wanted
    const struct exec_variable *variables; // environment; ends with a null name; may be null
    const char *input_path;                // file that becomes standard input; null = empty
    int64_t timeout_ms;                    // > 0; on expiry the process group is ended
};

struct exec_result {
    int status; // exit status; 128 + signal when it was ended by one
    str output; // stdout, at most LIMIT_COMMAND_OUTPUT (the newest is kept); lives until drop
    str errors; // stderr, likewise
    int64_t took_ms;
};

struct exec_port {
    void *self;
    bool (*start)(void *self, const struct exec_request *request, void **ret_job,
                  struct error *err);
    // PROGRESS_FAILED: it could not be run or timed out (ERROR_TRANSIENT), was refused
    // (ERROR_DENIED: host key, login). A command that ran and exited non-zero is PROGRESS_DONE.
    enum progress (*poll)(void *self, void *job, struct exec_result *ret, struct error *err);
    void (*drop)(void *self, void *job); // ends what still runs; releases the result
};

// ---- one HTTP exchange --------------------------------------------------------------------------
struct http_header {
    const char *name;
    const char *value;
    const struct secret *secret; // sent after `value` ("Bearer "), never logged; null = none
};

struct http_request {
    const char *method; // "GET", "POST"
    const char *url;
    const struct http_header *headers; // ends with a null name; may be null
    str body;                          // copied; the copy is wiped, and so is the answer
    int64_t timeout_ms;                // > 0, of the whole exchange
    bool fresh_connection; // do not reuse one: probes ask a server as a new client would
    bool secret_url;       // it holds a secret: errors name no more of it than scheme and host
};

struct http_answer {
    long status;
    str body; // at most LIMIT_HTTP_BODY
    str content_type;
    int64_t retry_after_ms; // from Retry-After, -1 when absent
    int64_t server_date_ms; // from Date, -1 when absent
    int64_t took_ms;
    str headers; // "Name: value\n" each, as they came
    bool sent;   // told of a failed exchange too: some of it had left, the outcome is unknown
};

struct http_port {
    void *self;
    bool (*start)(void *self, const struct http_request *request, void **ret_job,
                  struct error *err);
    // PROGRESS_FAILED (ERROR_TRANSIENT): no answer, of *ret only `sent` is set. Any status is
    // PROGRESS_DONE.
    enum progress (*poll)(void *self, void *job, struct http_answer *ret, struct error *err);
    void (*drop)(void *self, void *job);
};

#endif
