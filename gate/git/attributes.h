// Which files a commit's .gitattributes call generated (linguist-generated). Read from a commit,
// not from the working tree: what a change says about itself does not count for it.
//
//     struct attributes attributes;
//     if (!attributes_read(&arena, repository, base, &attributes, err)) ...
//     if (attributes_generated(&attributes, STR("api/client_pb2.py"))) ...
#ifndef GATE_GIT_ATTRIBUTES_H
#define GATE_GIT_ATTRIBUTES_H

#include "gate/base/arena.h"
#include "gate/base/error.h"

struct repository;

struct attribute_line {
    str folder; // of its .gitattributes, with a '/' at the end; empty for the root
    str pattern;
    bool anchored; // has a '/', so it is matched from the folder on; else against the last name
    bool generated;
};

struct attributes { // later lines and deeper folders win
    struct attribute_line *lines;
    size_t count, room;
};

// Adds the lines of one .gitattributes that speak of linguist-generated. Macros are passed over.
void attributes_add(struct arena *arena, struct attributes *attributes, str folder, str content);

bool attributes_read(struct arena *arena, struct repository *repository, const char *commit,
                     struct attributes *ret, struct error *err);

bool attributes_generated(const struct attributes *attributes, str path);

#endif
