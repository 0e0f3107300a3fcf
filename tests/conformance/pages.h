// Pages of the manual, as far as a suite can read them: their words, their tables and examples.
#ifndef TESTS_CONFORMANCE_PAGES_H
#define TESTS_CONFORMANCE_PAGES_H

#include "gate/base/arena.h"
#include "gate/doc/shape.h"

// "deploy/targets/aws-ecs.md" of the repository; the test fails when there is none.
str page_read(struct arena *arena, const char *path);
// From the line of a heading to the next one of its level: page_section(page, "## hosts").
str page_section(str page, const char *heading);

bool page_has_word(str page, str word); // and not only as a part of a longer one
// The next block between ``` and ```, of this language ("" = any); *rest goes behind it.
bool page_block(str *rest, const char *language, str *ret);
// The next text between two ` in prose; *rest goes behind it.
bool page_quoted(str *rest, str *ret);

// Every key of the field table stands on the page, those of structs in it too.
void page_names_fields(str page, const char *name, const struct shape *shape);
// True when some struct of the field table has the key.
bool shape_has_key(const struct shape *shape, str key);
// In the first column of the page's tables that begin with `| key |` stand only keys of the shape.
void page_tables_name_only_fields(str page, const char *name, const struct shape *shape);
// What stands under `group` in the examples as an entry whose `key` is `name` (`kind: hosts`) binds
// without a problem. How many there were is returned.
size_t page_examples_bind(str page, const char *group, const char *key, const char *name,
                          const struct shape *shape);

#endif
