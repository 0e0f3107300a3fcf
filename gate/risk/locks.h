// Lock files: which package, image and runtime a repository has in which version.
//
//     struct locks locks = {.arena = &arena};
//     if (!locks_read(&locks, "requirements.txt", bytes, err)) ...   // err has file and line
//     for (size_t i = 0; i < locks.count; i++) use(&locks.items[i]);
//
// What a file includes is not opened here: it is listed, for the caller to read next.
#ifndef GATE_RISK_LOCKS_H
#define GATE_RISK_LOCKS_H

#include "gate/base/arena.h"
#include "gate/base/error.h"

#define LOCKS_MOST (1u << 18) // packages of one run

enum lock_pin {
    PIN_EXACT, // this version and no other
    PIN_FROM,  // at least this version: ">=4.2"
    PIN_NONE,  // any version, or one that cannot be told: "django", "python:latest", a URL
};

struct locked {
    str ecosystem; // "pypi", "npm", "go", "image", "runtime"
    str name;      // "django", "@babel/core", "python", "postgis/postgis"
    str version;   // as written, without operators; empty for PIN_NONE
    str written;   // what the file says: ">=4.2,<5"
    enum lock_pin pin;
    bool nested; // npm: below another package, beside the one that the project sees
    const char *path;
    uint32_t line;
};

struct lock_include { // "-r base.txt"
    const char *path; // in the repository
    const char *from; // the file that says so
    uint32_t line;
};

struct locks {
    struct arena *arena;
    struct locked *items;
    size_t count, room;
    struct lock_include *includes;
    size_t include_count, include_room;
};

// What kind of file a path is by its name, in words ("poetry.lock"), or null.
const char *lock_kind(const char *path);
extern const char *const lock_usual_names[]; // ends with null

// Is this a file in which dependencies are named, one that can be read here or not? Wherever it
// changes, what a scanner finds in a package may be the change's doing.
bool names_dependencies(str path);

// Adds what the file has. ERROR_INPUT, with file and line, for what is no such file.
bool locks_read(struct locks *locks, const char *path, str bytes, struct error *err);

// The entry of that name with the highest version in the file `path` (null = in any), or null.
const struct locked *locks_find(const struct locks *locks, str ecosystem, str name,
                                const char *path);

#endif
