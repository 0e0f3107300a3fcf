// A bucket of calls as its "theoretical arrival time" (the generic cell rate algorithm): each call
// moves it on by the time between two calls, and may leave `burst` of these before it. Taking a
// place in the future keeps callers in order, and tells each when to come back.
#include "deploy/cloud/cloud_parts.h"

struct pace {
    struct pace *next;
    struct arena arena;
    const char *bucket, *place;
    double full_rate, rate; // calls a second
    unsigned burst;
    double arrival_ms;
    int64_t slowed_ms;
};

enum { SLOW_AGAIN_AFTER_MS = 500, LEAST_SHARE = 20 };

void pace_close(struct pace *pace)
{
    while (pace) {
        struct pace *next = pace->next;
        arena_done(&pace->arena);
        memory_free(pace);
        pace = next;
    }
}

static struct pace *find(struct cloud *cloud, const char *bucket, const char *place)
{
    for (struct pace *pace = cloud->paces; pace; pace = pace->next)
        if (strcmp(pace->bucket, bucket) == 0 && strcmp(pace->place, place) == 0)
            return pace;
    return NULL;
}

int64_t pace_take(struct cloud *cloud, const char *bucket, const char *place,
                  double calls_per_second, unsigned burst)
{
    double now = (double)cloud_now(cloud);
    struct pace *pace = find(cloud, bucket, place);
    if (!pace) {
        pace = memory_alloc(sizeof *pace);
        *pace = (struct pace){.next = cloud->paces,
                              .full_rate = calls_per_second,
                              .rate = calls_per_second,
                              .burst = burst ? burst : 1};
        pace->bucket = arena_copy(&pace->arena, str_of(bucket));
        pace->place = arena_copy(&pace->arena, str_of(place));
        cloud->paces = pace;
    }
    double each_ms = 1000 / pace->rate, ahead_ms = each_ms * (double)(pace->burst - 1);
    // A clock that was set back must not make everybody wait for the old time to come again.
    if (pace->arrival_ms > now + ahead_ms + 60000 + each_ms * 1000)
        pace->arrival_ms = now;
    double leaves_ms = pace->arrival_ms - ahead_ms;
    if (leaves_ms < now)
        leaves_ms = now;
    pace->arrival_ms = (pace->arrival_ms > now ? pace->arrival_ms : now) + each_ms;
    return (int64_t)leaves_ms;
}

// One throttled answer slows the bucket, its companions of the same moment do not slow it further.
// What the burst still held is gone as well: the service has just said so.
void pace_throttled(struct cloud *cloud, const char *bucket, const char *place)
{
    struct pace *pace = find(cloud, bucket, place);
    int64_t now = cloud_now(cloud);
    if (!pace ||
        (pace->slowed_ms && now < pace->slowed_ms + SLOW_AGAIN_AFTER_MS && now >= pace->slowed_ms))
        return;
    pace->slowed_ms = now;
    pace->rate = pace->rate * 0.6;
    if (pace->rate < pace->full_rate / LEAST_SHARE)
        pace->rate = pace->full_rate / LEAST_SHARE;
    double spent_ms = (double)now + 1000 / pace->rate * (double)pace->burst;
    if (pace->arrival_ms < spent_ms)
        pace->arrival_ms = spent_ms;
}

void pace_went_well(struct cloud *cloud, const char *bucket, const char *place)
{
    struct pace *pace = find(cloud, bucket, place);
    if (!pace || pace->rate >= pace->full_rate)
        return;
    pace->rate += pace->full_rate / 100;
    if (pace->rate > pace->full_rate)
        pace->rate = pace->full_rate;
}
