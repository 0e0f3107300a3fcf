// Inside deploy/cloud: what stands in the head of every request to GitHub, and in that of its
// answers.
#ifndef DEPLOY_CLOUD_GITHUB_HEADERS_H
#define DEPLOY_CLOUD_GITHUB_HEADERS_H

#include "gate/base/arena.h"
#include "gate/base/ports.h"

enum { GITHUB_HEADERS = 4 };

// Writes these, and returns how many they are.
size_t github_headers(struct http_header ret[GITHUB_HEADERS]);

// Path of the page that an answer's Link names as the next, when it lies behind the same API; empty
// when there is none. A page elsewhere would be sent the token. ERROR_REMOTE: it is elsewhere.
bool github_next_page(const char *api_url, str headers, struct arena *arena, str *ret,
                      struct error *err);

// How long GitHub asks not to be asked, of an answer with 403 or 429. True: it was limited. 0 of a
// secondary limit that names no time.
bool github_limited(long status, str headers, str message, int64_t server_date_ms, int64_t now_ms,
                    int64_t retry_after_ms, int64_t *ret_wait_ms);

// "issues: write" of `X-Accepted-GitHub-Permissions: issues=write`; empty when it is not told.
str github_needs(str headers, struct arena *arena);

#endif
