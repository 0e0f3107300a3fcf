// A world that wishes no good: its servers are silent, hang up, refuse, or say what nobody can
// read. The clock is the test's, so that an hour of trying takes no time.
//
//     struct hostile world;
//     hostile_open(&world, lines);             // what a world in order would answer
//     world.always = &hostile_answers[i];      // or world.good_percent = 60, world.random = seed
//     …                                        // hostile_turn(&world) wherever one would wait
//     cr_expect_eq(world.open, 0);
//     hostile_close(&world);
#ifndef TESTS_CONFORMANCE_HOSTILE_H
#define TESTS_CONFORMANCE_HOSTILE_H

#include "deploy/cloud/cloud.h"
#include "gate/base/arena.h"
#include "gate/base/text.h"

// Stands in every secret of this world: nothing that people read may hold it.
#define HOSTILE_SECRET "S3CR3T"

enum hostile_manner {
    HOSTILE_SAYS,   // `status` and `body`
    HOSTILE_SILENT, // no answer comes, ever
    HOSTILE_LOST,   // sent, and then the connection is cut
    HOSTILE_UNSENT, // no connection at all
    HOSTILE_ECHO,   // refuses with the request's own headers in its message
    HOSTILE_CUT,    // the beginning of what would be right
    HOSTILE_CHANGE, // what would be right, but for a few bytes
};

struct hostile_answer {
    const char *name;
    enum hostile_manner manner;
    long status;
    const char *body;
    size_t times; // the body so often; 0 = once
    int64_t retry_after_ms;
};

extern const struct hostile_answer hostile_answers[];
extern const size_t hostile_answer_count;

struct hostile_line {   // of a world in order, which never changes
    const char *holds;  // the method, a blank, the URL, a line feed and the body, or a part of them
    const char *answer; // body; of a command: what it says
    long status;        // 0 = 200; of a command: 0
};

enum hostile_identity { IDENTITY_KEYS, IDENTITY_RUNNER }; // lies there, or is exchanged

struct hostile {
    struct arena arena;
    struct http_port http;
    struct exec_port exec;
    struct clock_port clock;
    struct cloud *cloud;
    int64_t now_ms;
    const struct hostile_line *lines; // ends with a null `holds`
    const struct hostile_answer *always;
    unsigned good_percent;    // where `always` is null
    bool suspects_identity;   // who asks for credentials is treated alike
    enum hostile_identity as; // before the first call
    uint64_t random;
    size_t open, asked;
    bool told_secret;    // a URL, or a sentence of the cloud, had one in it
    bool changed;        // an answer was made of HOSTILE_CHANGE
    struct text log;     // of all requests but those for credentials
    const char *unknown; // the first one that no line is for
};

void hostile_open(struct hostile *world, const struct hostile_line *lines);
void hostile_close(struct hostile *world);
void hostile_turn(struct hostile *world); // a second goes by
unsigned hostile_chance(struct hostile *world, unsigned most);

// One line for people, without secrets. Null when it is; else what is wrong with it.
const char *hostile_blemish(const char *sentence);

#endif
