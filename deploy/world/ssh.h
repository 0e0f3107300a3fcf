// Inside deploy/world: SSH connections and the commands on them. A connection belongs to the world
// and carries the jobs of one login; it opens, checks the host's key, logs in, and then steps its
// jobs whenever bytes came or could leave. Nothing outside this folder includes this header.
//
// libssh2 1.10 cannot be called for another channel while a packet of its own is half sent. So
// sending never blocks as it sees it: what the socket does not take waits in `out`.
#ifndef DEPLOY_WORLD_SSH_H
#define DEPLOY_WORLD_SSH_H

#include "deploy/world/exec.h"
#include "deploy/world/ssh_host_key.h"
#include "deploy/world/ssh_key.h"
#include "gate/base/arena.h"
#include "gate/base/text.h"

#include <libssh2.h>

enum {
    SSH_JOBS = 5, // commands at a time on one connection; servers allow ten sessions, and
                  // stopping a command takes one more
    SSH_OUT_MOST = 256 * 1024 // bytes waiting to leave before standard input waits
};

enum ssh_state { SSH_DIALLING, SSH_SHAKING, SSH_LOGIN, SSH_READY, SSH_BROKEN };

struct ssh_connection {
    struct ssh_connection *next; // of the world
    struct world *world;
    struct loop_part part;
    struct arena arena; // the strings below
    const char *host, *user, *known_hosts, *fingerprint, *key_file;
    uint16_t port;
    enum ssh_state state;
    struct error error; // why it broke
    int64_t ready_by_ms, idle_from_ms, heard_ms, keepalive_ms;
    struct dial *dial;
    int fd;
    LIBSSH2_SESSION *session;
    struct host_key_rules rules;
    struct ssh_login *login; // while logging in
    char *out;
    size_t out_len, out_room;
    uint64_t heard_bytes;
    struct ssh_job *jobs;
    struct ssh_job *opening; // libssh2 opens one channel at a time
    size_t most_jobs;        // falls when the server refuses more sessions
    bool tainted;            // a channel could not be closed: no new jobs
    bool progressed;         // there is more to do at once
};

// A connection for this login with room for a job: one that is there, or a new one.
bool ssh_connection_for(struct world *world, const struct exec_login *login,
                        struct ssh_connection **ret, struct error *err);
// The server allows only so many sessions on a connection: learnt for all of the same login.
void ssh_limit_jobs(struct ssh_connection *connection, size_t most_jobs);
// Ends it: its jobs fail, or move to another where their command was not sent.
void ssh_break(struct ssh_connection *connection, const struct error *why);
// libssh2's newest error on this connection: ERROR_TRANSIENT, with its words.
void ssh_error(struct ssh_connection *connection, const char *doing, struct error *err);

// ssh_login.c: proves who we are. DONE, or FAILED: ERROR_DENIED with what was tried.
struct ssh_login;
struct ssh_login *ssh_login_open(struct ssh_connection *connection);
enum progress ssh_login_step(struct ssh_login *login, struct error *err);
void ssh_login_close(struct ssh_login *login);

// exec_ssh.c: the jobs of a connection.
void ssh_jobs_want(const struct ssh_connection *connection, struct loop_wants *wants);
// False when the connection itself is broken.
bool ssh_jobs_step(struct ssh_connection *connection, struct error *err);
size_t ssh_jobs_count(const struct ssh_connection *connection);
void ssh_jobs_broken(struct ssh_connection *connection); // leaves connection->jobs empty

#endif
