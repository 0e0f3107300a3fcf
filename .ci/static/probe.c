/*
 * Uses every library of the static binary once, the way the binary does, so that `check` can show
 * that it works where nothing is installed: no locale, no name service, no /dev, no shared library.
 *
 *     static_probe versions
 *     static_probe https URL CA_BUNDLE
 *     static_probe ssh HOST PORT FINGERPRINT USER KEY COMMAND
 *     static_probe tar FILE.tar | FILE.tar.zst
 *     static_probe list ARCHIVE
 *     static_probe git-init FOLDER
 *     static_probe git-https URL CA_BUNDLE
 *     static_probe git-ssh URL FINGERPRINT KEY
 *
 * FINGERPRINT is the base64 of the host key's SHA-256, as ssh-keygen prints it. KEY has its public
 * half beside it, as KEY.pub.
 */
#include "deploy/world/git_stream.h"

#include <archive.h>
#include <archive_entry.h>
#include <ares.h>
#include <curl/curl.h>
#include <expat.h>
#include <git2.h>
#include <jansson.h>
#include <libssh2.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yaml.h>

static const struct stream_limits limits = {5000, 5000, 20000};
static const char accented[] = "gr\xc3\xbc\xc3\x9f-\xe6\xb0\xb4.txt";

static void die(const char *doing, const char *why)
{
    fprintf(stderr, "static_probe: %s: %s\n", doing, why ? why : "no reason given");
    exit(1);
}

static bool same_fingerprint(const unsigned char *digest, const char *wanted)
{
    char text[64];
    int length = EVP_EncodeBlock((unsigned char *)text, digest, 32);
    while (length > 0 && text[length - 1] == '=')
        text[--length] = '\0';
    return strcmp(text, wanted) == 0;
}

static void versions(char **arguments)
{
    int major, minor, patch, yaml_major, yaml_minor, yaml_patch;
    (void)arguments;
    git_libgit2_version(&major, &minor, &patch);
    yaml_get_version(&yaml_major, &yaml_minor, &yaml_patch);
    int features = git_libgit2_features();
    printf("%s\n", curl_version());
    printf("libgit2/%d.%d.%d%s%s%s\n", major, minor, patch,
           features & GIT_FEATURE_THREADS ? " threads" : "",
           features & GIT_FEATURE_HTTPS ? " https" : "", features & GIT_FEATURE_SSH ? " ssh" : "");
    printf("libssh2/%s c-ares/%s jansson/%s yaml/%d.%d.%d %s\n", libssh2_version(0),
           ares_version(NULL), jansson_version_str(), yaml_major, yaml_minor, yaml_patch,
           XML_ExpatVersion());
    printf("%s\n%s\n", OpenSSL_version(OPENSSL_VERSION), archive_version_details());
}

static size_t discard(char *data, size_t size, size_t count, void *total)
{
    (void)data;
    *(size_t *)total += size * count;
    return size * count;
}

static void https(char **arguments)
{
    char why[CURL_ERROR_SIZE] = "", *address = NULL;
    size_t total = 0;
    long status = 0;
    CURL *curl = curl_easy_init();
    curl_easy_setopt(curl, CURLOPT_URL, arguments[0]);
    curl_easy_setopt(curl, CURLOPT_CAINFO, arguments[1]);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 20000L);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, discard);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &total);
    if (curl_easy_perform(curl) != CURLE_OK)
        die(arguments[0], why);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(curl, CURLINFO_PRIMARY_IP, &address);
    printf("%ld, %zu bytes, from %s\n", status, total, address);
    curl_easy_cleanup(curl);
}

static void ssh(char **arguments)
{
    const char *host = arguments[0], *port = arguments[1], *fingerprint = arguments[2];
    const char *user = arguments[3], *key = arguments[4], *command = arguments[5];
    char why[256], public_key[512], output[512], *last = NULL;
    int fd = -1;
    if (stream_dial(host, port, &limits, &fd, why, sizeof why) < 0)
        die("ssh", why);
    LIBSSH2_SESSION *session = libssh2_session_init();
    libssh2_session_set_blocking(session, 1);
    libssh2_session_set_timeout(session, limits.idle_timeout_ms);
    if (libssh2_session_handshake(session, fd)) {
        libssh2_session_last_error(session, &last, NULL, 0);
        die("ssh handshake", last);
    }
    const char *digest = libssh2_hostkey_hash(session, LIBSSH2_HOSTKEY_HASH_SHA256);
    if (!digest || !same_fingerprint((const unsigned char *)digest, fingerprint))
        die("ssh", "the host key is not the one expected");
    snprintf(public_key, sizeof public_key, "%s.pub", key);
    if (libssh2_userauth_publickey_fromfile(session, user, public_key, key, NULL)) {
        libssh2_session_last_error(session, &last, NULL, 0);
        die("ssh authentication", last);
    }
    LIBSSH2_CHANNEL *channel = libssh2_channel_open_session(session);
    if (!channel || libssh2_channel_exec(channel, command))
        die("ssh", "the command cannot be started");
    ssize_t n;
    size_t length = 0;
    while ((n = libssh2_channel_read(channel, output + length, sizeof output - 1 - length)) > 0)
        length += (size_t)n;
    output[length] = '\0';
    /* The exit status comes after the output has ended, and not at all once we have closed. */
    if (n < 0 || libssh2_channel_wait_closed(channel))
        die("ssh", "the command's end is not told");
    printf("exit %d, %s", libssh2_channel_get_exit_status(channel), output);
    libssh2_channel_free(channel);
    libssh2_session_disconnect(session, "done");
    libssh2_session_free(session);
    close(fd);
}

static void tar(char **arguments)
{
    struct archive *out = archive_write_new();
    struct archive_entry *entry = archive_entry_new();
    size_t length = strlen(arguments[0]);
    if (length > 4 && strcmp(arguments[0] + length - 4, ".zst") == 0)
        archive_write_add_filter_zstd(out);
    archive_write_set_format_pax(out);
    if (archive_write_open_filename(out, arguments[0]) != ARCHIVE_OK)
        die("tar", archive_error_string(out));
    archive_entry_copy_pathname(entry, accented);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, 5);
    if (archive_write_header(out, entry) != ARCHIVE_OK ||
        archive_write_data(out, "water", 5) != 5 || archive_write_close(out) != ARCHIVE_OK)
        die("tar", archive_error_string(out));
    archive_entry_free(entry);
    archive_write_free(out);
    printf("%s\n", arguments[0]);
}

static void list(char **arguments)
{
    struct archive *in = archive_read_new();
    struct archive_entry *entry;
    int code;
    archive_read_support_filter_zstd(in);
    archive_read_support_filter_gzip(in);
    archive_read_support_filter_xz(in);
    archive_read_support_format_tar(in);
    archive_read_support_format_zip(in);
    if (archive_read_open_filename(in, arguments[0], 65536) != ARCHIVE_OK)
        die("list", archive_error_string(in));
    while ((code = archive_read_next_header(in, &entry)) == ARCHIVE_OK)
        printf("%s\n", archive_entry_pathname_utf8(entry));
    if (code != ARCHIVE_EOF)
        die("list", archive_error_string(in));
    archive_read_free(in);
}

struct login {
    const char *fingerprint; /* NULL where the transport checks the certificate itself */
    const char *key;
};

static int on_certificate(git_cert *certificate, int valid, const char *host, void *payload)
{
    const struct login *login = payload;
    (void)host;
    if (certificate->cert_type != GIT_CERT_HOSTKEY_LIBSSH2)
        return valid ? 0 : GIT_ECERTIFICATE;
    const git_cert_hostkey *found = (git_cert_hostkey *)certificate;
    bool known = found->type & GIT_CERT_SSH_SHA256 && login->fingerprint &&
                 same_fingerprint(found->hash_sha256, login->fingerprint);
    return known ? 0 : GIT_ECERTIFICATE;
}

static int on_credential(git_credential **ret, const char *url, const char *user, unsigned allowed,
                         void *payload)
{
    const struct login *login = payload;
    char public_key[512];
    (void)url;
    if (!(allowed & GIT_CREDENTIAL_SSH_KEY) || !login->key)
        return GIT_PASSTHROUGH;
    snprintf(public_key, sizeof public_key, "%s.pub", login->key);
    return git_credential_ssh_key_new(ret, user, public_key, login->key, NULL);
}

static void git_check(int code, const char *doing)
{
    if (code < 0)
        die(doing, git_error_last() ? git_error_last()->message : NULL);
}

static void git_list(const char *url, struct login *login)
{
    git_remote_callbacks callbacks;
    const git_remote_head **heads;
    git_remote *remote;
    size_t count;
    git_check(git_remote_init_callbacks(&callbacks, GIT_REMOTE_CALLBACKS_VERSION), url);
    callbacks.certificate_check = on_certificate;
    callbacks.credentials = on_credential;
    callbacks.payload = login;
    git_check(git_remote_create_detached(&remote, url), url);
    git_check(git_remote_connect(remote, GIT_DIRECTION_FETCH, &callbacks, NULL, NULL), url);
    git_check(git_remote_ls(&heads, &count, remote), url);
    for (size_t i = 0; i < count; i++)
        printf("%.8s %s\n", git_oid_tostr_s(&heads[i]->oid), heads[i]->name);
    git_remote_disconnect(remote);
    git_remote_free(remote);
}

static void git_https(char **arguments)
{
    struct login login = {0};
    git_check(git_libgit2_opts(GIT_OPT_SET_SSL_CERT_LOCATIONS, arguments[1], NULL), arguments[1]);
    git_list(arguments[0], &login);
}

static void git_ssh(char **arguments)
{
    struct login login = {arguments[1], arguments[2]};
    git_list(arguments[0], &login);
}

static void git_init(char **arguments)
{
    git_repository *repository;
    git_check(git_repository_init(&repository, arguments[0], 1), arguments[0]);
    printf("%s\n", git_repository_path(repository));
    git_repository_free(repository);
}

static const struct {
    const char *name;
    int arguments;
    void (*run)(char **arguments);
} commands[] = {
    {"versions", 0, versions},
    {"https", 2, https},
    {"ssh", 6, ssh},
    {"tar", 1, tar},
    {"list", 1, list},
    {"git-init", 1, git_init},
    {"git-https", 2, git_https},
    {"git-ssh", 3, git_ssh},
};

int main(int count, char **arguments)
{
    arguments++, count--;
    /* libgit2's ssh transport fails without it: it wants to look for known_hosts there. */
    setenv("HOME", "/", 0);
    /* Before any library: the machine's configuration may name another libcrypto's modules. */
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    if (ares_library_init(ARES_LIB_INIT_ALL) || curl_global_init(CURL_GLOBAL_DEFAULT) ||
        libssh2_init(0))
        die("starting", "a library does not start");
    git_check(git_libgit2_init(), "starting libgit2");
    git_check(streams_register(&limits), "registering streams");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (count == commands[i].arguments + 1 && strcmp(arguments[0], commands[i].name) == 0) {
            commands[i].run(arguments + 1);
            return 0;
        }
    fprintf(stderr, "usage: static_probe COMMAND ARGUMENT...; see probe.c\n");
    return 2;
}
