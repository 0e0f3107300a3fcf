// line_scan FORMAT FILE: a report made of lines, as simply as it can be read by hand: where lines
// and fields end (memchr), the numbers in them, and of names only what a verdict cannot do without.
// Nothing is checked, no digest is made.
//
//     gocover  five numbers behind the last colon
//     tap      the result, its number; the name is kept, and looked up: whether it came before
//     jmeter   all fields; moment, elapsed and success, summed up by label, elapsed times counted
//     gatling  the same of REQUEST lines
//     epss     both numbers; they are kept with the name
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIELDS = 32, LABELS = 4096, TIMES = 4096 };

struct field {
    const char *at;
    size_t len;
};

struct label {
    struct field name;
    unsigned long requests, failures, sum;
    unsigned long times[TIMES]; // of up to so many milliseconds
};

struct name { // of a hash table
    uint64_t hash;
    size_t from, len; // in scan.names; len 0 = free
};

struct row { // of EPSS
    size_t from;
    double epss, percentile;
};

struct scan {
    struct row *rows;
    size_t row_count, row_room;
    struct name *table;
    size_t count, table_room, first_room; // the first: a guess by the size of the file
    unsigned long lines, sum;
    char *names; // one behind the other
    size_t size, room;
    struct label *labels;
};

static const char *number(const char *at, const char *end, unsigned long *ret)
{
    unsigned long value = 0;
    for (; at < end && *at >= '0' && *at <= '9'; at++)
        value = value * 10 + (unsigned long)(*at - '0');
    *ret = value;
    return at < end ? at + 1 : at;
}

static void keep(struct scan *scan, const char *name, size_t len)
{
    if (scan->room - scan->size < len + 1) {
        scan->room = scan->room * 2 + len + 4096;
        scan->names = realloc(scan->names, scan->room);
        if (!scan->names)
            exit(2);
    }
    memcpy(scan->names + scan->size, name, len);
    scan->size += len;
    scan->names[scan->size++] = '\0';
}

static uint64_t hash_of(const char *at, size_t len) // eight bytes at once
{
    uint64_t hash = UINT64_C(14695981039346656037), word;
    for (; len >= sizeof word; at += sizeof word, len -= sizeof word) {
        memcpy(&word, at, sizeof word);
        hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 32;
    }
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)at[i]) * UINT64_C(1099511628211);
    return hash ^ hash >> 29;
}

static struct name *place_of(struct scan *scan, uint64_t hash, const char *at, size_t len)
{
    size_t place = hash & (scan->table_room - 1);
    for (; scan->table[place].len; place = (place + 1) & (scan->table_room - 1))
        if (scan->table[place].hash == hash && scan->table[place].len == len &&
            memcmp(scan->names + scan->table[place].from, at, len) == 0)
            break;
    return &scan->table[place];
}

// Whether the name came before; if not, it is kept.
static bool known(struct scan *scan, const char *at, size_t len)
{
    if (scan->count * 2 >= scan->table_room) {
        struct name *before = scan->table;
        size_t room = scan->table_room;
        scan->table_room = room ? room * 2 : scan->first_room;
        scan->table = calloc(scan->table_room, sizeof *scan->table);
        if (!scan->table)
            exit(2);
        for (size_t i = 0; i < room; i++)
            if (before[i].len)
                *place_of(scan, before[i].hash, scan->names + before[i].from, before[i].len) =
                    before[i];
        free(before);
    }
    uint64_t hash = hash_of(at, len);
    struct name *place = place_of(scan, hash, at, len);
    if (place->len)
        return true;
    *place = (struct name){hash, scan->size, len};
    scan->count++;
    keep(scan, at, len);
    return false;
}

static size_t split(const char *at, const char *end, char separator, struct field *fields)
{
    size_t count = 0;
    while (count < FIELDS) {
        const char *stop = at < end ? memchr(at, separator, (size_t)(end - at)) : NULL;
        stop = stop ? stop : end;
        fields[count++] = (struct field){at, (size_t)(stop - at)};
        if (stop == end)
            break;
        at = stop + 1;
    }
    return count;
}

static unsigned long value_of(struct field field)
{
    unsigned long value;
    (void)number(field.at, field.at + field.len, &value);
    return value;
}

static void count_request(struct scan *scan, struct field name, unsigned long elapsed, bool failed)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < name.len; i++)
        hash = (hash ^ (unsigned char)name.at[i]) * UINT64_C(0x100000001b3);
    struct label *label = &scan->labels[hash % LABELS];
    while (label->name.len &&
           (label->name.len != name.len || memcmp(label->name.at, name.at, name.len) != 0))
        label = label == scan->labels + LABELS - 1 ? scan->labels : label + 1;
    label->name = name;
    label->requests++;
    label->failures += failed;
    label->sum += elapsed;
    label->times[elapsed < TIMES ? elapsed : TIMES - 1]++;
}

static void gocover(struct scan *scan, const char *at, const char *end)
{
    unsigned long value;
    const char *colon = memrchr(at, ':', (size_t)(end - at));
    if (!colon)
        return;
    for (at = colon + 1; at < end; scan->sum += value)
        at = number(at, end, &value);
}

static void tap(struct scan *scan, const char *at, const char *end)
{
    unsigned long value;
    bool failed = end - at > 7 && memcmp(at, "not ok ", 7) == 0;
    if (!failed && (end - at < 3 || memcmp(at, "ok ", 3) != 0))
        return;
    at = number(at + (failed ? 7 : 3), end, &value);
    scan->sum += value + failed;
    if (at < end)
        scan->sum += known(scan, at, (size_t)(end - at));
}

static void jmeter(struct scan *scan, const char *at, const char *end)
{
    struct field fields[FIELDS];
    if (split(at, end, ',', fields) < 8)
        return;
    scan->sum += value_of(fields[0]);
    count_request(scan, fields[2], value_of(fields[1]), fields[7].len == 5);
}

static void gatling(struct scan *scan, const char *at, const char *end)
{
    struct field fields[FIELDS];
    if (split(at, end, '\t', fields) < 6)
        return;
    unsigned long from = value_of(fields[3]);
    scan->sum += from;
    count_request(scan, fields[2], value_of(fields[4]) - from, fields[5].at[0] == 'K');
}

// "0.00043"; whatever else it may be is left to strtod.
static double share_of(struct field field)
{
    static const double powers[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
    unsigned long value;
    if (field.len < 3 || field.len > 11 || field.at[1] != '.')
        return strtod(field.at, NULL);
    (void)number(field.at + 2, field.at + field.len, &value);
    return (double)(field.at[0] - '0') + (double)value / powers[field.len - 2];
}

static void keep_row(struct scan *scan, size_t from, double epss, double percentile)
{
    if (scan->row_count == scan->row_room) {
        scan->row_room = scan->row_room ? scan->row_room * 2 : 1024;
        scan->rows = realloc(scan->rows, scan->row_room * sizeof *scan->rows);
        if (!scan->rows)
            exit(2);
    }
    scan->rows[scan->row_count++] = (struct row){from, epss, percentile};
}

static void epss(struct scan *scan, const char *at, const char *end)
{
    struct field fields[FIELDS];
    if (split(at, end, ',', fields) < 3)
        return;
    keep_row(scan, scan->size, share_of(fields[1]), share_of(fields[2]));
    keep(scan, fields[0].at, fields[0].len);
}

static void (*line_reader(const char *name))(struct scan *, const char *, const char *)
{
    static const struct {
        const char *name;
        void (*read)(struct scan *, const char *, const char *);
    } formats[] = {{"gocover", gocover},
                   {"tap", tap},
                   {"jmeter", jmeter},
                   {"gatling", gatling},
                   {"epss", epss}};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strcmp(formats[i].name, name) == 0)
            return formats[i].read;
    return NULL;
}

int main(int argc, char **argv)
{
    struct stat info;
    struct scan scan = {.labels = calloc(LABELS, sizeof *scan.labels)};
    void (*read_line)(struct scan *, const char *, const char *) =
        argc == 3 ? line_reader(argv[1]) : NULL;
    int fd = read_line ? open(argv[2], O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0 || fstat(fd, &info) != 0 || !scan.labels)
        return 2;
    size_t size = (size_t)info.st_size;
    const char *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED)
        return 2;
    for (scan.first_room = 1024; scan.first_room < size / 20;)
        scan.first_room *= 2;
    for (const char *at = bytes, *end = bytes + size; at < end; scan.lines++) {
        const char *next = memchr(at, '\n', (size_t)(end - at));
        next = next ? next : end;
        read_line(&scan, at, next);
        at = next + 1;
    }
    printf("%lu lines, sum %lu, %zu bytes of names\n", scan.lines, scan.sum, scan.size);
    free(scan.names);
    free(scan.table);
    free(scan.rows);
    free(scan.labels);
    (void)close(fd);
    return 0;
}
