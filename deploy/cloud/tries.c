// "Full jitter" back-off: a random part of a pause that doubles, so that 200 callers that failed
// together do not come back together.
#include "deploy/cloud/cloud_parts.h"

enum { FIRST_BROKEN_MS = 200, FIRST_THROTTLED_MS = 1000, PAUSE_MOST_MS = 20000 };

bool tries_again(struct tries *tries, struct cloud *cloud, enum again why, int64_t retry_after_ms)
{
    int64_t now = cloud_now(cloud);
    int64_t most_ms = why == AGAIN_THROTTLED ? FIRST_THROTTLED_MS : FIRST_BROKEN_MS;
    if (tries->made >= tries->most)
        return false;
    for (unsigned i = 1; i < tries->made && most_ms < PAUSE_MOST_MS; i++)
        most_ms *= 2;
    if (most_ms > PAUSE_MOST_MS)
        most_ms = PAUSE_MOST_MS;
    int64_t pause_ms = (int64_t)(cloud_random(cloud) * (double)most_ms);
    if (retry_after_ms > 0) // not earlier than asked, nor all at that same moment
        pause_ms = retry_after_ms + pause_ms / 4;
    if (now + pause_ms >= tries->deadline_ms)
        return false;
    tries->next_ms = now + pause_ms;
    return true;
}
