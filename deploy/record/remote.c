#include "deploy/record/remote.h"

#include "deploy/record/known_hosts.h"
#include "deploy/record/store_parts.h"
#include "gate/base/limits.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    LOGINS_MAX = 3,   // libgit2 asks for ever as long as it is given something
    LOOSE_MAX = 2000, // objects that are copied one by one; more become a pack
};

static void failed(struct remote_job *job, int code, const char *doing)
{
    job->outcome = REMOTE_FAILED;
    if (job->words[0]) { // what a callback had to say is more to the point
        error_set(&job->why, ERROR_DENIED, "%s: %s", doing, job->words);
        return;
    }
    (void)store_failed(&job->why, code, doing);
    if (job->why.kind == ERROR_ABSENT)
        job->why.kind = ERROR_REMOTE;
}

// ---- a repository beside ours -------------------------------------------------------------------

const char *remote_local_path(const char *url)
{
    if (strncmp(url, "file://", 7) == 0)
        return url + 7;
    return url[0] == '/' || url[0] == '.' ? url : NULL;
}

static int copy_object(git_odb *from, git_odb *to, const git_oid *oid)
{
    git_odb_object *object = NULL;
    git_oid written;
    if (git_odb_exists_ext(to, oid, GIT_ODB_LOOKUP_NO_REFRESH))
        return 0;
    int code = git_odb_read(&object, from, oid);
    if (code == 0)
        code = git_odb_write(&written, to, git_odb_object_data(object), git_odb_object_size(object),
                             git_odb_object_type(object));
    git_odb_object_free(object);
    return code;
}

static int copy_loose(git_repository *from, git_repository *to, const git_oid *ids, size_t count)
{
    git_odb *source = NULL, *sink = NULL;
    int code = git_repository_odb(&source, from);
    if (code == 0)
        code = git_repository_odb(&sink, to);
    for (size_t i = count; code == 0 && i-- > 0;) // oldest first: nothing points into the void
        code = copy_object(source, sink, &ids[i]);
    git_odb_free(source);
    git_odb_free(sink);
    return code;
}

static int copy_pack(git_repository *from, git_repository *to, const git_oid *ids, size_t count)
{
    git_packbuilder *pack = NULL;
    struct text folder = text_of(LIMIT_PATH);
    text_addf(&folder, "%sobjects/pack", git_repository_commondir(to));
    int code = text_full(&folder) ? GIT_EINVALID : git_packbuilder_new(&pack, from);
    for (size_t i = 0; code == 0 && i < count; i++)
        code = git_packbuilder_insert(pack, &ids[i], NULL);
    if (code == 0)
        code = git_packbuilder_write(pack, text_c(&folder), 0, NULL, NULL);
    git_packbuilder_free(pack);
    text_done(&folder);
    return code;
}

// Everything that `tip` reaches and `known` does not.
static bool transfer(struct remote_job *job, git_repository *from, git_repository *to,
                     const git_oid *tip, const git_oid *known)
{
    git_oid *ids = NULL;
    size_t count;
    if (!store_missing(from, tip, known, &ids, &count, &job->why)) {
        job->outcome = REMOTE_FAILED;
        return false;
    }
    int code =
        count > LOOSE_MAX ? copy_pack(from, to, ids, count) : copy_loose(from, to, ids, count);
    free(ids);
    if (code != 0)
        failed(job, code, "copying the ledger");
    return code == 0;
}

static bool open_both(struct remote_job *job, git_repository **ours, git_repository **theirs)
{
    int code = git_repository_open(ours, job->path);
    if (code != 0) {
        failed(job, code, "opening the ledger's repository");
        return false;
    }
    code = git_repository_open_ext(theirs, remote_local_path(job->url),
                                   GIT_REPOSITORY_OPEN_NO_SEARCH, NULL);
    if (code != 0)
        failed(job, code, "opening the ledger's remote");
    else if ((code = store_read_loose_safely(*ours)) != 0 ||
             (code = store_read_loose_safely(*theirs)) != 0)
        failed(job, code, "opening the ledger's objects");
    return code == 0;
}

static bool local_tip(struct remote_job *job, git_repository *theirs, git_oid *ret)
{
    memset(ret, 0, sizeof *ret);
    int code = git_reference_name_to_id(ret, theirs, job->branch);
    if (code != 0 && code != GIT_ENOTFOUND)
        failed(job, code, "reading the ledger's remote");
    if (code == GIT_ENOTFOUND)
        memset(ret, 0, sizeof *ret);
    return code == 0 || code == GIT_ENOTFOUND;
}

static void fetch_local(struct remote_job *job)
{
    git_repository *ours = NULL, *theirs = NULL;
    git_oid tip, known = store_oid(&job->known);
    if (open_both(job, &ours, &theirs) && local_tip(job, theirs, &tip)) {
        struct object_id seen = store_id(&tip);
        bool news = !object_is_none(&seen) && !object_eq(&seen, &job->known);
        if (!news ||
            transfer(job, theirs, ours, &tip, object_is_none(&job->known) ? NULL : &known)) {
            job->seen = seen;
            job->outcome = REMOTE_DONE;
        }
    }
    git_repository_free(theirs);
    git_repository_free(ours);
}

static void push_local(struct remote_job *job)
{
    git_repository *ours = NULL, *theirs = NULL;
    git_oid tip = store_oid(&job->tip), known = store_oid(&job->known), now;
    if (open_both(job, &ours, &theirs) && local_tip(job, theirs, &now)) {
        struct object_id seen = store_id(&now);
        bool fresh = object_is_none(&job->known);
        if (!object_eq(&seen, &job->known)) {
            job->outcome = REMOTE_RACED;
        } else if (transfer(job, ours, theirs, &tip, fresh ? NULL : &known)) {
            enum swap swap = store_swap_in(theirs, job->branch, &job->known, &job->tip, &job->why);
            job->outcome = swap == SWAP_DONE   ? REMOTE_DONE
                           : swap == SWAP_LOST ? REMOTE_RACED
                                               : REMOTE_FAILED;
            job->seen = job->tip;
        }
    }
    git_repository_free(theirs);
    git_repository_free(ours);
}

// ---- callbacks ----------------------------------------------------------------------------------

static int say(struct remote_job *job, const char *words)
{
    (void)snprintf(job->words, sizeof job->words, "%s", words);
    git_error_set_str(GIT_ERROR_CALLBACK, words);
    return GIT_EAUTH;
}

static int give_token(struct remote_job *job, git_credential **ret)
{
    if (!job->login.token || !secret_is_set(job->login.token))
        return say(job, "the remote asks for a login, and no token was given");
    str token = secret_reveal(job->login.token);
    char *copy = memory_alloc(token.len + 1);
    memcpy(copy, token.data, token.len);
    copy[token.len] = '\0';
    int code = git_credential_userpass_plaintext_new(
        ret, job->login.user ? job->login.user : "x-access-token", copy);
    secret_wipe(copy, token.len);
    free(copy);
    return code;
}

static int key_from_file(git_credential **ret, const char *user, const char *path)
{
    char public[LIMIT_PATH];
    int len = snprintf(public, sizeof public, "%s.pub", path);
    bool beside = len > 0 && (size_t)len < sizeof public && access(public, R_OK) == 0;
    return git_credential_ssh_key_new(ret, user, beside ? public : NULL, path, "");
}

// The key that was named; else the agent first, then the usual files one after another.
static int give_key(struct remote_job *job, git_credential **ret, const char *user)
{
    static const char *const names[] = {"id_ed25519", "id_ecdsa"};
    const char *home = getenv("HOME");
    if (job->login.key_file)
        return key_from_file(ret, user, job->login.key_file);
    if (job->logins == 1 && getenv("SSH_AUTH_SOCK"))
        return git_credential_ssh_key_from_agent(ret, user);
    for (size_t i = job->logins > 1 ? job->logins - 2 : 0; home && i < 2; i++) {
        char path[LIMIT_PATH];
        (void)snprintf(path, sizeof path, "%s/.ssh/%s", home, names[i]);
        if (access(path, R_OK) == 0)
            return key_from_file(ret, user, path);
    }
    return say(job, "no ssh key: name one, or start an agent");
}

static int on_credentials(git_credential **ret, const char *url, const char *user, unsigned allowed,
                          void *context)
{
    struct remote_job *job = context;
    (void)url;
    if (allowed & GIT_CREDENTIAL_USERNAME)
        return git_credential_username_new(ret, user && *user ? user : "git");
    if (++job->logins > LOGINS_MAX || (job->login.key_file && job->logins > 1) ||
        ((allowed & GIT_CREDENTIAL_USERPASS_PLAINTEXT) && job->logins > 1))
        return say(job, "the remote refuses the login");
    if (allowed & GIT_CREDENTIAL_SSH_KEY)
        return give_key(job, ret, user && *user ? user : "git");
    if (allowed & GIT_CREDENTIAL_USERPASS_PLAINTEXT)
        return give_token(job, ret);
    return say(job, "the remote wants a kind of login that sluice does not have");
}

static bool is_address(const char *host)
{
    unsigned char bytes[4];
    return strchr(host, ':') || inet_pton(AF_INET, host, bytes) == 1;
}

// libgit2 1.5.1 looks into ~/.ssh/known_hosts by itself and says so in `valid`; it does not say
// what is wrong, and knows neither another file nor patterns. TLS is checked by OpenSSL.
static int on_certificate(git_cert *cert, int valid, const char *host, void *context)
{
    struct remote_job *job = context;
    char usual[LIMIT_PATH];
    const char *home = getenv("HOME");
    // Its comparison of addresses is the wrong way round: any other address would do.
    if (cert->cert_type != GIT_CERT_HOSTKEY_LIBSSH2 && is_address(host))
        return say(job, "a server that is named by its address cannot be checked: use its name");
    if (cert->cert_type != GIT_CERT_HOSTKEY_LIBSSH2)
        return valid ? 0 : say(job, "the server's certificate is not valid");
    if (valid && !job->login.known_hosts)
        return 0;
    union {
        git_cert *any;
        git_cert_hostkey *ssh;
    } key = {cert};
    if (!(key.ssh->type & GIT_CERT_SSH_RAW))
        return say(job, "libgit2 does not show the server's host key");
    (void)snprintf(usual, sizeof usual, "%s/.ssh/known_hosts", home ? home : "");
    struct error why;
    if (!known_hosts_check(job->login.known_hosts ? job->login.known_hosts : usual, host, job->url,
                           str_make(key.ssh->hostkey, key.ssh->hostkey_len), &why))
        return say(job, why.message);
    return 0;
}

static int on_reference(const char *ref, const char *status, void *context)
{
    struct remote_job *job = context;
    (void)ref;
    if (!status)
        return 0;
    job->refused = true;
    (void)snprintf(job->why.message, sizeof job->why.message, "%s", status);
    return 0;
}

// ---- a server -----------------------------------------------------------------------------------

// libgit2 puts the path of an SSH URL between quotes into a command line for the server's shell,
// and does not escape what stands in it.
static bool is_plain(const char *url)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "/.:@_-+~,=[]";
    if (strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0)
        return true;
    for (const char *c = url; *c; c++)
        if ((unsigned char)*c < 0x80 && !strchr(plain, *c))
            return false;
    return true;
}

// Redirects to another server are not followed: libgit2 1.5.1 would show it our login.
static int connect_to(struct remote_job *job, git_direction direction, git_repository **ret_repo,
                      git_remote **ret)
{
    git_remote_connect_options options;
    if (!is_plain(job->url))
        return say(job, "its URL has a character that a shell could take for its own");
    (void)git_remote_connect_options_init(&options, GIT_REMOTE_CONNECT_OPTIONS_VERSION);
    options.callbacks.credentials = on_credentials;
    options.callbacks.certificate_check = on_certificate;
    options.callbacks.payload = job;
    options.proxy_opts.type = GIT_PROXY_AUTO;
    options.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
    job->logins = 0;
    int code = git_repository_open(ret_repo, job->path);
    git_remote_create_options how;
    (void)git_remote_create_options_init(&how, GIT_REMOTE_CREATE_OPTIONS_VERSION);
    how.repository = *ret_repo;
    how.flags = GIT_REMOTE_CREATE_SKIP_INSTEADOF | GIT_REMOTE_CREATE_SKIP_DEFAULT_FETCHSPEC;
    if (code == 0)
        code = git_remote_create_with_opts(ret, job->url, &how);
    if (code == 0)
        code = git_remote_connect_ext(*ret, direction, &options);
    return code;
}

static int find_branch(struct remote_job *job, git_remote *remote, struct object_id *ret)
{
    const git_remote_head **heads;
    size_t count;
    *ret = (struct object_id){0};
    int code = git_remote_ls(&heads, &count, remote);
    for (size_t i = 0; code == 0 && i < count; i++)
        if (strcmp(heads[i]->name, job->branch) == 0)
            *ret = store_id(&heads[i]->oid);
    return code;
}

static int download(struct remote_job *job, git_remote *remote)
{
    git_fetch_options options;
    char spec[1200];
    char *specs[] = {spec};
    git_strarray list = {specs, 1};
    (void)git_fetch_options_init(&options, GIT_FETCH_OPTIONS_VERSION);
    options.callbacks.credentials = on_credentials;
    options.callbacks.certificate_check = on_certificate;
    options.callbacks.payload = job;
    options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
    options.proxy_opts.type = GIT_PROXY_AUTO;
    options.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
    (void)snprintf(spec, sizeof spec, "+%s:%s", job->branch, job->remote_ref);
    return git_remote_download(remote, &list, &options);
}

void remote_fetch(struct remote_job *job)
{
    git_repository *repo = NULL;
    git_remote *remote = NULL;
    struct object_id seen;
    if (remote_local_path(job->url)) {
        fetch_local(job);
        return;
    }
    int code = connect_to(job, GIT_DIRECTION_FETCH, &repo, &remote);
    if (code == 0)
        code = find_branch(job, remote, &seen);
    if (code == 0 && !object_is_none(&seen) && !object_eq(&seen, &job->known))
        code = download(job, remote);
    if (code == 0) {
        job->seen = seen;
        job->outcome = REMOTE_DONE;
    } else {
        failed(job, code, "fetching the ledger");
    }
    git_remote_free(remote);
    git_repository_free(repo);
}

// libgit2 pushes references only, and our branch may have moved on: so the tip gets a name for as
// long as it travels. It is this process's own, because several may push at the same time.
static int upload(struct remote_job *job, git_repository *repo, git_remote *remote)
{
    git_push_options options;
    char spec[1200], name[64];
    char *specs[] = {spec};
    git_strarray list = {specs, 1};
    git_reference *tip = NULL;
    git_oid oid = store_oid(&job->tip);
    (void)git_push_options_init(&options, GIT_PUSH_OPTIONS_VERSION);
    options.callbacks.credentials = on_credentials;
    options.callbacks.certificate_check = on_certificate;
    options.callbacks.push_update_reference = on_reference;
    options.callbacks.payload = job;
    options.proxy_opts.type = GIT_PROXY_AUTO;
    options.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
    (void)snprintf(name, sizeof name, "refs/sluice/pushing-%ld", (long)getpid());
    (void)snprintf(spec, sizeof spec, "%s:%s", name, job->branch);
    int code = git_reference_create(&tip, repo, name, &oid, 1, NULL);
    if (code == 0)
        code = git_remote_upload(remote, &list, &options);
    if (tip)
        (void)git_reference_delete(tip);
    git_reference_free(tip);
    return code;
}

// A refusal for another reason than a race (a protected branch, a hook) does not go away.
static bool is_race(const char *status)
{
    static const char *const words[] = {"fetch first",
                                        "non-fast-forward",
                                        "stale info",
                                        "failed to update ref",
                                        "failed to lock",
                                        "cannot lock",
                                        "incorrect old value",
                                        "reference already exists",
                                        "transaction",
                                        "is at",
                                        "expected"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strstr(status, words[i]))
            return true;
    return false;
}

void remote_push(struct remote_job *job)
{
    git_repository *repo = NULL;
    git_remote *remote = NULL;
    struct object_id seen;
    if (remote_local_path(job->url)) {
        push_local(job);
        return;
    }
    int code = connect_to(job, GIT_DIRECTION_PUSH, &repo, &remote);
    if (code == 0)
        code = find_branch(job, remote, &seen);
    if (code == 0 && !object_eq(&seen, &job->known)) {
        job->outcome = REMOTE_RACED;
    } else {
        if (code == 0)
            code = upload(job, repo, remote);
        if (code == GIT_ENONFASTFORWARD ||
            (code == 0 && job->refused && is_race(job->why.message))) {
            job->outcome = REMOTE_RACED;
        } else if (code == 0 && job->refused) {
            char status[200];
            (void)snprintf(status, sizeof status, "%.199s", job->why.message);
            job->outcome = REMOTE_FAILED;
            error_set(&job->why, ERROR_REMOTE, "the remote refuses the ledger: %s", status);
        } else if (code == 0) {
            job->seen = job->tip;
            job->outcome = REMOTE_DONE;
        } else {
            failed(job, code, "pushing the ledger");
        }
    }
    git_remote_free(remote);
    git_repository_free(repo);
}
