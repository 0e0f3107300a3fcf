#include "deploy/cloud/github_headers.h"

#include "deploy/cloud/cloud.h"
#include "gate/base/moment.h"
#include "gate/base/number.h"
#include "gate/base/text.h"

size_t github_headers(struct http_header ret[GITHUB_HEADERS])
{
    static const struct http_header all[GITHUB_HEADERS] = {
        {"Accept", "application/vnd.github+json", NULL},
        {"X-GitHub-Api-Version", "2022-11-28", NULL},
        {"User-Agent", "sluice", NULL},
        {"Content-Type", "application/json", NULL},
    };
    for (size_t i = 0; i < GITHUB_HEADERS; i++)
        ret[i] = all[i];
    return GITHUB_HEADERS;
}

// `<https://…?page=2>; rel="next", <…>; rel="last"`
bool github_next_page(const char *api_url, str headers, struct arena *arena, str *ret,
                      struct error *err)
{
    str links = cloud_header(headers, "Link");
    *ret = (str){NULL, 0};
    while (links.len) {
        str link = str_trim(str_cut(&links, ','));
        str url = str_trim(str_cut(&link, ';'));
        if (str_search(link, STR("rel=\"next\"")) == STR_NONE || url.len < 2)
            continue;
        url = (str){url.data + 1, url.len - 2}; // without < and >
        if (!str_starts(url, str_of(api_url)) || url.len == strlen(api_url) ||
            url.data[strlen(api_url)] != '/')
            return error_set(err, ERROR_REMOTE,
                             "the next page is said to be at another place than %s, which gets no "
                             "token",
                             api_url);
        *ret = arena_str(arena, str_from(url, strlen(api_url)));
        return true;
    }
    return true;
}

static bool speaks_of_a_rate(str message)
{
    static const char *const words[] = {"secondary rate limit", "rate limit exceeded",
                                        "abuse detection", "temporarily blocked"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_search(message, str_of(words[i])) != STR_NONE)
            return true;
    return false;
}

bool github_limited(long status, str headers, str message, int64_t server_date_ms, int64_t now_ms,
                    int64_t retry_after_ms, int64_t *ret_wait_ms)
{
    int64_t reset_s = 0;
    if (status != 403 && status != 429)
        return false;
    bool spent = str_is(cloud_header(headers, "x-ratelimit-remaining"), "0");
    *ret_wait_ms = 0;
    if (retry_after_ms >= 0)
        *ret_wait_ms = retry_after_ms + MS_SECOND / 10;
    else if (spent && number_i64(cloud_header(headers, "x-ratelimit-reset"), &reset_s) &&
             reset_s > 0 && reset_s < INT64_C(1000000000000))
        // By its own clock; the second that it names must be over.
        *ret_wait_ms = (reset_s + 1) * MS_SECOND - (server_date_ms >= 0 ? server_date_ms : now_ms);
    if (*ret_wait_ms < 0)
        *ret_wait_ms = 0;
    return status == 429 || spent || retry_after_ms >= 0 || speaks_of_a_rate(message);
}

// "issues=write; pull_requests=write": the alternatives are separated by semicolons, what is needed
// together by commas.
str github_needs(str headers, struct arena *arena)
{
    str all = cloud_header(headers, "X-Accepted-GitHub-Permissions");
    str first = str_trim(str_cut(&all, ';'));
    struct text out = text_of(512);
    while (first.len) {
        str level = str_trim(str_cut(&first, ','));
        str name = str_cut(&level, '=');
        if (!name.len || !level.len)
            continue;
        text_adds(&out, out.len ? ", " : "");
        for (size_t i = 0; i < name.len && i < 64; i++)
            text_adds(&out, name.data[i] == '_' ? "-" : (char[]){name.data[i], '\0'});
        text_addf(&out, ": " STR_FMT, STR_ARG(str_first(level, 16)));
    }
    str made = cloud_line(arena, text_str(&out));
    text_done(&out);
    return made;
}
