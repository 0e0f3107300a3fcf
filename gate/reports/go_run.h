// The packages and tests of a `go test -json` stream that have begun and not ended. A test belongs
// to its package; memory is that of what is open at one time.
//
//     struct go_open *test = go_open_find(&run, package, test_name, true);
//     go_open_message(test, output);
//     go_open_close(&run, test);
#ifndef GATE_REPORTS_GO_RUN_H
#define GATE_REPORTS_GO_RUN_H

#include "gate/base/arena.h"
#include "gate/base/text.h"

#include <stdint.h>

#define GO_MESSAGE_BYTES 1024u

struct go_open {
    struct text name;              // package, then the test's name; only the first for a package
    size_t package_length;         // of it
    struct text message;           // the first line of output that says something
    struct text last_resort;       // of output that says little: "exit status 2"
    uint64_t offset;               // where it began
    bool failed;                   // a package: one of its tests failed
    bool ended;                    // a package: it has a result
    bool measured;                 // a benchmark: it has figures
    bool build;                    // not a package that is tested, but one that is built
    uint32_t next;                 // in its hash chain, or of the free ones; number + 1
    uint32_t first, before, after; // a package's tests, and a test's neighbours; number + 1
};

struct go_run {
    struct go_open *items;
    size_t count, room;
    uint32_t *chains; // hash table; number + 1
    size_t chain_count;
    uint32_t last[2]; // found: a package (0), a test (1); index + 1, 0 = none
    uint32_t free;
    size_t in_use;
};

// What is open under that name, made when absent and wanted; null otherwise. A pointer is valid
// until the next one is made. The package of a test is made with it.
struct go_open *go_open_find(struct go_run *run, str package, str test, bool make);
struct go_open *go_open_build(struct go_run *run, str package, bool make);
struct go_open *go_open_package(struct go_run *run, const struct go_open *test);
struct go_open *go_open_first(struct go_run *run, const struct go_open *package); // null: no test
void go_open_close(struct go_run *run, struct go_open *open); // a package has no tests then
void go_run_done(struct go_run *run);

str go_open_package_name(const struct go_open *open);
str go_open_test_name(const struct go_open *open); // empty for a package

// A benchmark has figures now, and so have those that it is a part of ("BenchmarkA/of/b").
void go_open_measured(struct go_run *run, str package, str test);

// Output: the first line that says why something failed is kept, and forgotten at `=== RUN`.
void go_open_message(struct go_open *open, str output);
str go_open_reason(const struct go_open *open);

#endif
