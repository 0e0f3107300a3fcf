// Verifies a ledger and says how fast, for the tests and the benchmark.
//
//     ledger_check FOLDER REMOTE [signers=FILE] [expect=COMMIT]
#include "deploy/record/verify.h"
#include "deploy/world/files.h"

#include <stdio.h>
#include <time.h>

static double seconds(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool check(int argc, char **argv, struct arena *arena, bool *ret_whole, struct error *err)
{
    struct verify_request request = {
        .where = {.folder = argv[1],
                  .branch = "release-ledger",
                  .remote = strcmp(argv[2], "-") == 0 ? NULL : argv[2]}};
    struct verify_result result;
    struct signers signers;
    for (int i = 3; i < argc; i++) {
        str value = str_of(argv[i]), bytes;
        str name = str_cut(&value, '=');
        if (str_is(name, "expect"))
            request.expect = value;
        else if (!file_read(arena, value.data, 1 << 20, &bytes, err) ||
                 !signers_parse(arena, value.data, bytes, &signers, err))
            return false;
        else
            request.signers = &signers;
    }
    double begun = seconds();
    if (!ledger_verify(&request, arena, &result, err))
        return false;
    double took = seconds() - begun;
    *ret_whole = !result.bad;
    (void)printf("{\"entries\": %zu, \"signatures\": %zu, \"ms\": %.0f, \"per_second\": %.0f, "
                 "\"tip\": \"%s\"}\n",
                 result.entries, result.signatures, took * 1000,
                 (double)result.entries / (took > 0 ? took : 1), result.tip);
    if (result.bad)
        (void)fprintf(stderr, "%s: %s\n", result.bad, result.why);
    return true;
}

int main(int argc, char **argv)
{
    struct arena arena = {0};
    struct error err;
    bool whole = false;
    if (argc < 3) {
        (void)fprintf(stderr, "usage: ledger_check FOLDER REMOTE [signers=FILE] [expect=COMMIT]\n");
        return 2;
    }
    bool ok = check(argc, argv, &arena, &whole, &err);
    if (!ok)
        (void)fprintf(stderr, "ledger_check: %s\n", err.message);
    arena_done(&arena);
    return !ok ? 2 : whole ? 0 : 1;
}
