#include "gate/reports/timing_samples.h"

#include "gate/base/limits.h"
#include "gate/reports/text_hash.h"

#include <math.h>
#include <stdlib.h>

struct tally {            // of one elapsed time
    uint64_t key;         // milliseconds + 1; 0 = free
    uint32_t count;       // a report is too small to have more
    uint32_t part_of_run; // so many of them
};

struct times { // hash table; room is a power of two
    struct tally *items;
    size_t count, room;
};

struct label {
    str name;
    uint64_t hash, requests, failures, sum_ms, offset;
    int64_t first_ms, last_ms; // 0 = not said
    struct times times;
};

struct timing_samples {
    struct evidence *evidence;
    uint32_t report;
    struct arena arena; // of the names
    struct label run, *labels;
    size_t count, room;
    uint32_t *index; // hash table: number of the label + 1
    size_t index_room;
    size_t values; // of all tables
};

struct timing_samples *timing_samples_open(struct evidence *evidence, uint32_t report)
{
    struct timing_samples *samples = memory_alloc(sizeof *samples);
    samples->evidence = evidence;
    samples->report = report;
    return samples;
}

void timing_samples_close(struct timing_samples *samples)
{
    for (size_t i = 0; i < samples->count; i++)
        memory_free(samples->labels[i].times.items);
    memory_free(samples->run.times.items);
    memory_free(samples->labels);
    memory_free(samples->index);
    arena_done(&samples->arena);
    memory_free(samples);
}

static struct tally *tally_of(const struct times *times, uint64_t key)
{
    size_t at = (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (times->room - 1);
    while (times->items[at].key && times->items[at].key != key)
        at = (at + 1) & (times->room - 1);
    return &times->items[at];
}

static void times_grow(struct times *times)
{
    struct times grown = {.room = times->room ? times->room * 2 : 16};
    grown.items = memory_alloc(grown.room * sizeof *grown.items);
    for (size_t i = 0; i < times->room; i++)
        if (times->items[i].key)
            *tally_of(&grown, times->items[i].key) = times->items[i];
    memory_free(times->items);
    times->items = grown.items;
    times->room = grown.room;
}

// True when the value is a new one.
static bool times_add(struct times *times, uint64_t key, uint32_t count, uint32_t part_of_run)
{
    if (times->count * 3 >= times->room * 2)
        times_grow(times);
    struct tally *tally = tally_of(times, key);
    bool fresh = tally->key == 0;
    tally->key = key;
    tally->count += count;
    tally->part_of_run += part_of_run;
    times->count += fresh;
    return fresh;
}

static uint32_t *index_of(const struct timing_samples *samples, str name, uint64_t hash)
{
    size_t at = (size_t)hash & (samples->index_room - 1);
    for (;; at = (at + 1) & (samples->index_room - 1)) {
        uint32_t number = samples->index[at];
        if (number == 0)
            return &samples->index[at];
        const struct label *label = &samples->labels[number - 1];
        if (label->hash == hash && str_eq(label->name, name))
            return &samples->index[at];
    }
}

static void index_grow(struct timing_samples *samples)
{
    memory_free(samples->index);
    samples->index_room = samples->index_room ? samples->index_room * 2 : 64;
    samples->index = memory_alloc(samples->index_room * sizeof *samples->index);
    for (size_t i = 0; i < samples->count; i++) {
        const struct label *label = &samples->labels[i];
        *index_of(samples, label->name, label->hash) = (uint32_t)i + 1;
    }
}

static struct label *label_of(struct timing_samples *samples, const struct timing_sample *one,
                              struct error *err)
{
    uint64_t hash = text_hash_add(TEXT_HASH, one->name);
    if (samples->count * 3 >= samples->index_room * 2)
        index_grow(samples);
    uint32_t *at = index_of(samples, one->name, hash);
    if (*at)
        return &samples->labels[*at - 1];
    if (!str_is_utf8(one->name)) {
        (void)error_set(err, ERROR_INPUT, "the name of a request is no UTF-8");
        return NULL;
    }
    if (samples->count + 1 >= LIMIT_TIMINGS) {
        (void)error_set(err, ERROR_LIMIT, "the report has more than %u names of requests",
                        LIMIT_TIMINGS);
        return NULL;
    }
    if (samples->count == samples->room) {
        samples->room = samples->room ? samples->room * 2 : 64;
        samples->labels = memory_grow(samples->labels, samples->room * sizeof *samples->labels);
    }
    struct label *label = &samples->labels[samples->count++];
    *at = (uint32_t)samples->count;
    *label = (struct label){
        .name = arena_str(&samples->arena, one->name), .hash = hash, .offset = one->offset};
    return label;
}

static void count_sample(struct label *label, const struct timing_sample *one)
{
    label->requests++;
    label->failures += one->failed;
    label->sum_ms += one->elapsed_ms; // 2^64 ms are not reached: LIMIT_REPORT_BYTES is before
    if (one->at_ms <= 0)
        return;
    int64_t last_ms = one->at_ms + (int64_t)one->elapsed_ms;
    if (label->first_ms == 0 || one->at_ms < label->first_ms)
        label->first_ms = one->at_ms;
    if (last_ms > label->last_ms)
        label->last_ms = last_ms;
}

bool timing_samples_add(struct timing_samples *samples, const struct timing_sample *one,
                        struct error *err)
{
    if (one->elapsed_ms > TIMING_SAMPLE_MAX_MS || one->at_ms > INT64_MAX / 2)
        return error_set(err, ERROR_INPUT, "a time of `" STR_FMT "` is out of range",
                         STR_ARG(str_shorten(one->name, 80)));
    struct label *label = label_of(samples, one, err);
    if (!label)
        return false;
    samples->values += times_add(&label->times, one->elapsed_ms + 1, 1, one->part_of_run);
    count_sample(label, one);
    if (one->part_of_run)
        count_sample(&samples->run, one);
    if (samples->values > LIMIT_TIMING_VALUES)
        return error_set(err, ERROR_LIMIT, "the report has more than %u different times",
                         LIMIT_TIMING_VALUES);
    return true;
}

static int by_time(const void *a, const void *b)
{
    const struct tally *x = a, *y = b;
    return (x->key > y->key) - (x->key < y->key);
}

// Of `count` tallies by rising time, that of the request at rank ceil(percent/100 * requests).
static double at_percent(const struct tally *tallies, uint64_t requests, unsigned percent)
{
    uint64_t rank = requests / 100 * percent + (requests % 100 * percent + 99) / 100, seen = 0;
    size_t i = 0;
    while ((seen += tallies[i].count) < rank)
        i++;
    return (double)(tallies[i].key - 1);
}

static bool add_row(struct timing_samples *samples, struct label *label, struct error *err)
{
    struct times *times = &label->times;
    struct timing row = timing_unknown(label->name);
    size_t used = 0;
    if (label->requests == 0)
        return true;
    for (size_t i = 0; i < times->room; i++)
        if (times->items[i].key)
            times->items[used++] = times->items[i];
    qsort(times->items, used, sizeof *times->items, by_time);
    row.requests = label->requests;
    row.failures = label->failures;
    row.counted = true;
    row.min_ms = (double)(times->items[0].key - 1);
    row.max_ms = (double)(times->items[used - 1].key - 1);
    row.mean_ms = (double)label->sum_ms / (double)label->requests;
    row.p50_ms = at_percent(times->items, label->requests, 50);
    row.p75_ms = at_percent(times->items, label->requests, 75);
    row.p90_ms = at_percent(times->items, label->requests, 90);
    row.p95_ms = at_percent(times->items, label->requests, 95);
    row.p99_ms = at_percent(times->items, label->requests, 99);
    row.from_ms = label->first_ms;
    if (label->first_ms) {
        row.duration_s = (double)(label->last_ms - label->first_ms) / 1e3;
        if (row.duration_s > 0)
            row.per_second = (double)label->requests / row.duration_s;
    }
    row.report = samples->report;
    row.offset = label->offset;
    return timing_add(samples->evidence, &row, err);
}

// The times of the whole run are those of all its labels.
static void unite_times(struct timing_samples *samples)
{
    for (size_t i = 0; i < samples->count; i++) {
        const struct times *times = &samples->labels[i].times;
        for (size_t k = 0; k < times->room; k++)
            if (times->items[k].part_of_run)
                (void)times_add(&samples->run.times, times->items[k].key,
                                times->items[k].part_of_run, 0);
    }
}

bool timing_samples_end(struct timing_samples *samples, struct error *err)
{
    unite_times(samples);
    if (samples->count)
        samples->run.offset = samples->labels[0].offset;
    if (!add_row(samples, &samples->run, err))
        return false;
    for (size_t i = 0; i < samples->count; i++)
        if (!add_row(samples, &samples->labels[i], err))
            return false;
    return true;
}
