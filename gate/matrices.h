// Finds the matrix that a risk register names, and binds the register with it. Matrices are built
// into the program (policies/matrices/) or files of the repository; those are read from where the
// register was read, so that a change cannot rate by a matrix of its own.
//
//     struct risk_register risks;
//     struct problems problems = {.arena = &arena};
//     if (!register_bind(&arena, &source, root, &risks, &problems)) ...
#ifndef GATE_MATRICES_H
#define GATE_MATRICES_H

#include "gate/risk/register.h"
#include "gate/source.h"

// The matrix of a register's document: that under `matrix`, else 5x5. `source` may be null: then
// only those built in are known. What is wrong is added to `problems`, in the register or in the
// matrix' own file.
bool matrix_of(struct arena *arena, const struct source *source, const struct node *root,
               struct risk_matrix *ret, struct problems *problems);

// A register's document with its matrix, in the arena.
bool register_bind(struct arena *arena, const struct source *source, const struct node *root,
                   struct risk_register *ret, struct problems *problems);

#endif
