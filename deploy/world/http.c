#include "deploy/world/loop.h"
#include "gate/base/arena.h"
#include "gate/base/limits.h"
#include "gate/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#define RECEIVE_BYTES 4096L
enum { HEADERS_MAX = 64, CONNECT_MAX_MS = 15000, ANSWER_HEADERS_MOST = 256 * 1024 };

struct http_job {
    struct world *world;
    CURL *easy;
    struct curl_slist *headers; // made and wiped here: one of them may hold a secret
    char curl_words[CURL_ERROR_SIZE];
    char about[256]; // "GET http://app1:8000/health", without a query: that may hold a secret
    bool safe;       // the method changes nothing: sending it again is harmless
    struct text body, answer_headers;
    struct text sent_body; // both bodies are wiped: tokens come and go in them
    char *content_type;
    enum progress state;
    struct http_answer answer;
    struct error error;
};

// ---- headers ----------------------------------------------------------------------------------

static bool fits_in_header(str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] == '\r' || s.data[i] == '\n' || s.data[i] == '\0')
            return false;
    return true;
}

static void add_header(struct http_job *job, const char *name, const char *separator, str value,
                       str secret)
{
    struct curl_slist *node = memory_alloc(sizeof *node);
    size_t room = strlen(name) + strlen(separator) + value.len + secret.len + 1;
    node->data = memory_alloc(room);
    char *at = stpcpy(stpcpy(node->data, name), separator);
    if (value.len)
        at = mempcpy(at, value.data, value.len);
    if (secret.len)
        at = mempcpy(at, secret.data, secret.len);
    *at = '\0';
    node->next = job->headers;
    job->headers = node;
}

static void drop_headers(struct http_job *job)
{
    while (job->headers) {
        struct curl_slist *node = job->headers;
        job->headers = node->next;
        secret_wipe(node->data, strlen(node->data));
        free(node->data);
        free(node);
    }
}

static bool add_headers(struct http_job *job, const struct http_request *request, struct error *err)
{
    bool typed = false;
    size_t count = 0;
    for (const struct http_header *h = request->headers; h && h->name; h++) {
        str value = str_of(h->value);
        str secret = h->secret ? secret_reveal(h->secret) : (str){NULL, 0};
        if (!fits_in_header(value) || !fits_in_header(secret) || strpbrk(h->name, ":\r\n "))
            return error_set(err, ERROR_INPUT, "the header %.60s cannot be sent: it has a line end",
                             h->name);
        if (++count > HEADERS_MAX)
            return error_set(err, ERROR_LIMIT, "more than %d headers in one request", HEADERS_MAX);
        typed = typed || strcasecmp(h->name, "Content-Type") == 0;
        bool empty = value.len + secret.len == 0; // curl's writing of "send it, empty"
        add_header(job, h->name, empty ? ";" : ": ", value, secret);
    }
    add_header(job, "Expect", ":", (str){0}, (str){0}); // a body is sent without asking first
    if (!typed)
        add_header(job, "Content-Type", ":", (str){0}, (str){0}); // nor is a type made up for it
    return true;
}

// ---- the request ------------------------------------------------------------------------------

// This machine, or what answers on the link for it alone: the metadata services of clouds.
static bool is_near(const char *host)
{
    return strcasecmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 ||
           strcmp(host, "[::1]") == 0 || strncmp(host, "169.254.", 8) == 0 ||
           strncasecmp(host, "[fd00:ec2::", 11) == 0 ||
           strcasecmp(host, "metadata.google.internal") == 0;
}

// Looks at the URL: refuses what is none, fills job->about, and says whether it is near.
static bool read_url(struct http_job *job, const struct http_request *request, bool *ret_near,
                     struct error *err)
{
    CURLU *url = curl_url();
    char *scheme = NULL, *host = NULL, *port = NULL, *path = NULL;
    CURLUcode code = url ? curl_url_set(url, CURLUPART_URL, request->url, 0) : CURLUE_OUT_OF_MEMORY;
    if (!code)
        code = curl_url_get(url, CURLUPART_SCHEME, &scheme, 0);
    if (!code)
        code = curl_url_get(url, CURLUPART_HOST, &host, 0);
    if (!code)
        code = curl_url_get(url, CURLUPART_PATH, &path, 0);
    bool ok = !code && (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);
    if (ok) {
        bool with_port = curl_url_get(url, CURLUPART_PORT, &port, 0) == CURLUE_OK;
        (void)snprintf(job->about, sizeof job->about, "%s %s://%s%s%s%s", request->method, scheme,
                       host, with_port ? ":" : "", with_port ? port : "",
                       request->secret_url ? "/…" : path);
        *ret_near = is_near(host);
    } else {
        (void)error_set(err, ERROR_INPUT, "`%.200s` cannot be asked: %s",
                        request->secret_url ? "…" : request->url,
                        code ? curl_url_strerror(code) : "only http and https are spoken");
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_free(path);
    curl_url_cleanup(url);
    return ok;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *context)
{
    struct http_job *job = context;
    text_add(&job->body, str_make(bytes, size * count));
    return text_full(&job->body) ? 0 : size * count;
}

static void set_method(struct http_job *job, const struct http_request *request)
{
    const char *method = request->method;
    bool get = strcmp(method, "GET") == 0, head = strcmp(method, "HEAD") == 0;
    job->safe = get || head;
    if (head) {
        curl_easy_setopt(job->easy, CURLOPT_NOBODY, 1L);
        return;
    }
    if (get && !request->body.len) {
        curl_easy_setopt(job->easy, CURLOPT_HTTPGET, 1L);
        return;
    }
    curl_easy_setopt(job->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
    curl_easy_setopt(job->easy, CURLOPT_POSTFIELDS, text_c(&job->sent_body));
    if (strcmp(method, "POST") != 0)
        curl_easy_setopt(job->easy, CURLOPT_CUSTOMREQUEST, method);
}

static void set_options(struct http_job *job, const struct http_request *request, bool near)
{
    CURL *easy = job->easy;
    long limit_ms = request->timeout_ms < LONG_MAX ? (long)request->timeout_ms : LONG_MAX;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, job);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, job->curl_words);
    curl_easy_setopt(easy, CURLOPT_URL, request->url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L); // signatures are over the path as written
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    // Thousands of small answers at once: with curl's own 16 kB for each they cost more than all
    // that is kept of them.
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, RECEIVE_BYTES);
    // Where names are resolved in a thread, an exchange that ends must not wait for that thread:
    // a name server that does not answer would hold up the whole loop.
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, limit_ms);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     limit_ms < CONNECT_MAX_MS ? limit_ms : (long)CONNECT_MAX_MS);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (job->world->ca_file)
        curl_easy_setopt(easy, CURLOPT_CAINFO, job->world->ca_file);
    if (job->world->user_agent)
        curl_easy_setopt(easy, CURLOPT_USERAGENT, job->world->user_agent);
    if (near) // a proxy of the environment cannot reach it, or would be somebody else's
        curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    if (request->fresh_connection) {
        curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
        curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    }
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, job->headers);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, job);
    set_method(job, request);
}

static void drop_text(struct text *text)
{
    if (text->data)
        secret_wipe(text->data, text->room);
    text_done(text);
}

static void drop(void *self, void *context)
{
    struct http_job *job = context;
    (void)self;
    if (!job)
        return;
    if (job->easy) {
        (void)curl_multi_remove_handle(job->world->multi, job->easy);
        curl_easy_cleanup(job->easy);
    }
    drop_headers(job);
    drop_text(&job->body);
    drop_text(&job->sent_body);
    text_done(&job->answer_headers);
    free(job->content_type);
    free(job);
}

static bool start(void *self, const struct http_request *request, void **ret_job, struct error *err)
{
    bool near = false;
    struct http_job *job = memory_alloc(sizeof *job);
    *job = (struct http_job){.world = self,
                             .body = text_of(LIMIT_HTTP_BODY),
                             .answer_headers = text_of(ANSWER_HEADERS_MOST),
                             .sent_body = text_of(request->body.len)};
    text_add(&job->sent_body, request->body);
    job->state = PROGRESS_PENDING;
    bool ok = read_url(job, request, &near, err) && add_headers(job, request, err);
    if (ok && !(job->easy = curl_easy_init()))
        ok = error_set(err, ERROR_SYSTEM, "%s: no memory for another exchange", job->about);
    if (ok) {
        set_options(job, request, near);
        CURLMcode code = curl_multi_add_handle(job->world->multi, job->easy);
        if (code)
            ok = error_set(err, ERROR_SYSTEM, "%s: %s", job->about, curl_multi_strerror(code));
    }
    if (!ok) {
        drop(self, job);
        return false;
    }
    *ret_job = job;
    return true;
}

// ---- the answer -------------------------------------------------------------------------------

static const char *header_of(CURL *easy, const char *name)
{
    struct curl_header *header;
    return curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK ? header->value
                                                                                   : NULL;
}

#define RETRY_AFTER_MOST_MS INT64_C(86400000)

// Seconds, or a date that is compared with the server's own clock where it told that.
static int64_t retry_after(const char *value, int64_t server_ms)
{
    char *end;
    if (!value)
        return -1;
    long seconds = strtol(value, &end, 10);
    if (end != value && *end == '\0')
        return seconds < 0                            ? -1
               : seconds < RETRY_AFTER_MOST_MS / 1000 ? (int64_t)seconds * 1000
                                                      : RETRY_AFTER_MOST_MS;
    time_t at = curl_getdate(value, NULL);
    if (at < 0)
        return -1;
    int64_t from_ms = server_ms >= 0 ? server_ms : (int64_t)time(NULL) * 1000;
    int64_t wait_ms = (int64_t)at * 1000 - from_ms;
    if (wait_ms < 0)
        return 0;
    return wait_ms < RETRY_AFTER_MOST_MS ? wait_ms : RETRY_AFTER_MOST_MS;
}

static void keep_headers(struct http_job *job)
{
    struct curl_header *header = NULL;
    while ((header = curl_easy_nextheader(job->easy, CURLH_HEADER, -1, header)))
        text_addf(&job->answer_headers, "%s: %s\n", header->name, header->value);
    job->answer.headers = text_str(&job->answer_headers);
}

static void answered(struct http_job *job)
{
    curl_off_t took_us = 0;
    const char *type = NULL, *date = header_of(job->easy, "Date");
    time_t at = date ? curl_getdate(date, NULL) : -1;
    curl_easy_getinfo(job->easy, CURLINFO_RESPONSE_CODE, &job->answer.status);
    curl_easy_getinfo(job->easy, CURLINFO_TOTAL_TIME_T, &took_us);
    curl_easy_getinfo(job->easy, CURLINFO_CONTENT_TYPE, &type);
    job->content_type = type ? strdup(type) : NULL;
    job->answer.body = text_str(&job->body);
    job->answer.content_type = str_of(job->content_type);
    job->answer.server_date_ms = at >= 0 ? (int64_t)at * 1000 : -1;
    job->answer.retry_after_ms =
        retry_after(header_of(job->easy, "Retry-After"), job->answer.server_date_ms);
    job->answer.took_ms = (int64_t)took_us / 1000;
    job->answer.sent = true;
    keep_headers(job);
    job->state = PROGRESS_DONE;
}

static enum error_kind kind_of(CURLcode code)
{
    switch ((int)code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
        return ERROR_DENIED;
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_OUT_OF_MEMORY:
    case CURLE_FAILED_INIT:
        return ERROR_SYSTEM;
    default:
        return ERROR_TRANSIENT;
    }
}

static void failed(struct http_job *job, CURLcode code)
{
    const char *why = job->curl_words[0] ? job->curl_words : curl_easy_strerror(code);
    long sent_bytes = 0;
    job->state = PROGRESS_FAILED;
    if (text_full(&job->body)) {
        (void)error_set(&job->error, ERROR_LIMIT, "%s: the answer is larger than %u bytes",
                        job->about, LIMIT_HTTP_BODY);
        return;
    }
    curl_easy_getinfo(job->easy, CURLINFO_REQUEST_SIZE, &sent_bytes);
    job->answer.sent = sent_bytes > 0;
    const char *also = "";
    if (code == CURLE_PEER_FAILED_VERIFICATION && !job->world->ca_file)
        also = "; no CA bundle was found on this machine: name one in SSL_CERT_FILE";
    else if (sent_bytes > 0 && !job->safe)
        also = "; it had been sent, the outcome is unknown";
    (void)error_set(&job->error, kind_of(code), "%s: %s%s", job->about, why, also);
}

void http_pump(struct world *world)
{
    int running, left;
    CURLMsg *message;
    (void)curl_multi_perform(world->multi, &running);
    while ((message = curl_multi_info_read(world->multi, &left))) {
        struct http_job *job = NULL;
        CURLcode code = message->data.result;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &job);
        if (code == CURLE_OK)
            answered(job);
        else
            failed(job, code);
        (void)curl_multi_remove_handle(world->multi, job->easy);
        curl_easy_cleanup(job->easy);
        job->easy = NULL;
        drop_headers(job);
        loop_moved(world);
    }
}

static enum progress poll_job(void *self, void *context, struct http_answer *ret, struct error *err)
{
    struct http_job *job = context;
    (void)self;
    if (job->state == PROGRESS_DONE)
        *ret = job->answer;
    if (job->state == PROGRESS_FAILED) {
        ret->sent = job->answer.sent;
        *err = job->error;
    }
    return job->state;
}

struct http_port world_http(struct world *world)
{
    return (struct http_port){world, start, poll_job, drop};
}

// ---- the CA bundle ----------------------------------------------------------------------------

char *http_find_ca(const char *wished)
{
    static const char *const places[] = {
        "/etc/ssl/certs/ca-certificates.crt",                // Debian, Ubuntu, Arch, Alpine
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // Fedora, RHEL
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/ca-bundle.pem", // openSUSE
        "/etc/ssl/cert.pem",
    };
    // A file that was asked for by name is used even when it is not there: TLS then fails and says
    // so, instead of trusting something that was not chosen.
    const char *found = wished ? wished : getenv("SSL_CERT_FILE");
    for (size_t i = 0; i < sizeof places / sizeof *places && (!found || !*found); i++)
        if (access(places[i], R_OK) == 0)
            found = places[i];
    if (!found || !*found)
        return NULL;
    size_t size = strlen(found) + 1;
    return memcpy(memory_alloc(size), found, size);
}
