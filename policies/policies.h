// The data files of policies/, embedded into the binary at build time.
//
//     const struct policy_file *file = policy_files;
//     while (file->name && !str_is(file->content, ...)) file++;
#ifndef POLICIES_POLICIES_H
#define POLICIES_POLICIES_H

#include "gate/base/str.h"

struct policy_file {
    const char *name; // without ".yml": "default", "legacy-django"
    str content;
};

extern const struct policy_file policy_files[];    // ends with a null name
extern const struct policy_file lifecycle_files[]; // of policies/lifecycle/; likewise
extern const struct policy_file matrix_files[];    // of policies/matrices/; likewise

#endif
