#include "deploy/world/ssh.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { TRIES = 5 }; // servers hang up after six

// What can be tried, in this order: the key file of the configuration alone; else the agent's keys,
// then the usual files.
struct ssh_login {
    struct ssh_connection *connection;
    LIBSSH2_AGENT *agent;
    struct libssh2_agent_publickey *identity; // being tried, or the one before
    bool trying;                              // with `identity` or `key`, an answer is awaited
    bool agent_over;
    size_t file; // index of the file being tried
    struct ssh_key key;
    char path[4096];
    int tries;
    struct text refused;   // "the agent's key …, ~/.ssh/id_ed25519": what the server did not take
    struct error unusable; // the first key that could not even be tried
};

static const char *const usual_files[] = {"id_ed25519", "id_ecdsa", "id_rsa"};

struct ssh_login *ssh_login_open(struct ssh_connection *connection)
{
    struct ssh_login *login = memory_alloc(sizeof *login);
    *login = (struct ssh_login){.connection = connection, .refused = text_of(300)};
    login->agent_over = true;
    if (!connection->key_file && getenv("SSH_AUTH_SOCK")) {
        login->agent = libssh2_agent_init(connection->session);
        login->agent_over = !login->agent || libssh2_agent_connect(login->agent) != 0 ||
                            libssh2_agent_list_identities(login->agent) != 0;
    }
    return login;
}

void ssh_login_close(struct ssh_login *login)
{
    if (!login)
        return;
    if (login->agent) {
        (void)libssh2_agent_disconnect(login->agent);
        libssh2_agent_free(login->agent);
    }
    ssh_key_done(&login->key);
    text_done(&login->refused);
    free(login);
}

static enum progress denied(struct ssh_login *login, struct error *err)
{
    const struct ssh_connection *c = login->connection;
    if (login->refused.len)
        (void)error_set(err, ERROR_DENIED,
                        "%s does not let %s in with %s: add the public half of the key to "
                        "~/.ssh/authorized_keys of %s there",
                        c->host, c->user, text_c(&login->refused), c->user);
    else if (login->unusable.kind)
        *err = login->unusable;
    else
        (void)error_set(err, ERROR_DENIED,
                        "there is no key to log in to %s with: no agent with an ed25519 or ECDSA "
                        "key, and no ~/.ssh/id_ed25519 or ~/.ssh/id_ecdsa; name one in `key_file`",
                        c->host);
    return PROGRESS_FAILED;
}

// The agent's next key that can be used.
static bool next_identity(struct ssh_login *login)
{
    struct libssh2_agent_publickey *next;
    while (!login->agent_over) {
        if (libssh2_agent_get_identity(login->agent, &next, login->identity) != 0) {
            login->agent_over = true;
            break;
        }
        login->identity = next;
        str kind = ssh_key_kind(str_make((const char *)next->blob, next->blob_len));
        if (ssh_key_kind_ok(kind))
            return true;
        if (!login->unusable.kind)
            (void)error_set(&login->unusable, ERROR_DENIED,
                            "the agent has only keys of kind " STR_FMT
                            ": ed25519 and ECDSA keys can be used (`ssh-keygen -t ed25519`)",
                            STR_ARG(str_first(kind, 60)));
    }
    return false;
}

static bool next_file(struct ssh_login *login)
{
    const char *given = login->connection->key_file, *home = getenv("HOME");
    size_t count = given ? 1 : home ? sizeof usual_files / sizeof *usual_files : 0;
    for (; login->file < count; login->file++) {
        struct error why;
        if (given)
            (void)snprintf(login->path, sizeof login->path, "%s", given);
        else
            (void)snprintf(login->path, sizeof login->path, "%s/.ssh/%s", home,
                           usual_files[login->file]);
        ssh_key_done(&login->key);
        if (ssh_key_read(login->path, &login->key, &why)) {
            login->file++;
            return true;
        }
        if ((given || why.kind != ERROR_ABSENT) && !login->unusable.kind)
            login->unusable = why;
    }
    return false;
}

static int try_key(struct ssh_login *login)
{
    const struct ssh_connection *c = login->connection;
    void *key = &login->key;
    if (!login->agent_over)
        return libssh2_agent_userauth(login->agent, c->user, login->identity);
    return libssh2_userauth_publickey(c->session, c->user, login->key.blob, login->key.blob_size,
                                      ssh_key_sign, &key);
}

static void note_failure(struct ssh_login *login)
{
    char about[FINGERPRINT_TEXT];
    bool agent = !login->agent_over;
    const unsigned char *blob = agent ? login->identity->blob : login->key.blob;
    size_t size = agent ? login->identity->blob_len : login->key.blob_size;
    fingerprint_of(str_make((const char *)blob, size), about);
    text_addf(&login->refused, "%s%s (%s)", login->refused.len ? ", " : "",
              agent ? "the agent's key" : login->path, about);
}

enum progress ssh_login_step(struct ssh_login *login, struct error *err)
{
    for (;;) {
        if (!login->trying) {
            if (login->tries == TRIES || (!next_identity(login) && !next_file(login)))
                return denied(login, err);
            login->trying = true;
            login->tries++;
        }
        int code = try_key(login);
        if (code == 0)
            return PROGRESS_DONE;
        if (code == LIBSSH2_ERROR_EAGAIN)
            return PROGRESS_PENDING;
        if (code == LIBSSH2_ERROR_SOCKET_DISCONNECT || code == LIBSSH2_ERROR_SOCKET_SEND ||
            code == LIBSSH2_ERROR_SOCKET_RECV) {
            if (login->refused.len)
                return denied(login, err);
            ssh_error(login->connection, "logging in", err);
            return PROGRESS_FAILED;
        }
        note_failure(login);
        login->trying = false;
    }
}
