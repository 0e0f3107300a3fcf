#include "deploy/record/remote_url.h"

#include "deploy/record/store_parts.h"
#include "gate/base/limits.h"
#include "gate/base/text.h"

#include <stdlib.h>

struct rewriting {
    str url;
    size_t longest; // of the prefixes that fit: the longest wins, as in git
    struct text result;
};

static int on_entry(const git_config_entry *entry, void *context)
{
    struct rewriting *r = context;
    str name = str_of(entry->name), prefix = str_of(entry->value);
    if (!str_starts(name, STR("url.")) || !str_ends(name, STR(".insteadof")) || !prefix.len ||
        prefix.len <= r->longest || !str_starts(r->url, prefix))
        return 0;
    str base = str_from(name, 4);
    base.len -= sizeof ".insteadof" - 1;
    r->longest = prefix.len;
    text_clear(&r->result);
    text_add(&r->result, base);
    text_add(&r->result, str_from(r->url, prefix.len));
    return 0;
}

static char *rewrite(git_config *config, const char *url)
{
    struct rewriting r = {.url = str_of(url), .result = text_of(LIMIT_PATH)};
    (void)git_config_foreach(config, on_entry, &r);
    char *copy = store_copy(r.longest && !text_full(&r.result) ? text_c(&r.result) : url);
    text_done(&r.result);
    return copy;
}

// A relative path is relative to the repository, not to where sluice was started.
static void anchor(git_repository *repo, char **url)
{
    const char *work = git_repository_workdir(repo);
    if (strstr(*url, "://") || (*url)[0] == '/' || !work)
        return;
    const char *colon = strchr(*url, ':'), *slash = strchr(*url, '/');
    if (colon && (!slash || colon < slash)) // host:path of ssh
        return;
    struct text joined = text_of(LIMIT_PATH);
    text_addf(&joined, "%s%s", work, *url);
    if (!text_full(&joined)) {
        free(*url);
        *url = store_copy(text_c(&joined));
    }
    text_done(&joined);
}

bool remote_url(git_repository *repo, const char *remote, char **ret, struct error *err)
{
    git_config *config = NULL;
    git_buf found = {0};
    struct text key = text_of(LIMIT_PATH);
    text_addf(&key, "remote.%s.url", remote);
    int code = git_repository_config_snapshot(&config, repo);
    if (code != 0) {
        text_done(&key);
        return store_failed(err, code, "reading the repository's configuration");
    }
    bool is_name = !text_full(&key) && git_config_get_string_buf(&found, config, text_c(&key)) == 0;
    bool ok = is_name || strchr(remote, '/') || strchr(remote, ':');
    if (ok) {
        *ret = rewrite(config, is_name ? found.ptr : remote);
        anchor(repo, ret);
    } else {
        error_set(err, ERROR_ABSENT,
                  "the repository has no remote `%s`; add it with `git remote add`, or leave "
                  "`ledger.remote` out to keep the ledger in this repository",
                  remote);
    }
    git_buf_dispose(&found);
    git_config_free(config);
    text_done(&key);
    return ok;
}
