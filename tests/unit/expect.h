// Assertions on slices, positions and error values, with the values in the message.
#ifndef TESTS_UNIT_EXPECT_H
#define TESTS_UNIT_EXPECT_H

#include "gate/base/error.h"

#include <criterion/criterion.h>

#define expect_str(have, want)                                                                     \
    do {                                                                                           \
        str have_ = (have), want_ = str_of(want);                                                  \
        cr_expect(str_eq(have_, want_), "have \"" STR_FMT "\", want \"" STR_FMT "\"",              \
                  STR_ARG(have_), STR_ARG(want_));                                                 \
    } while (0)

// `err` holds this kind and exactly this "file:line:column: message".
#define expect_error(err, want_kind, want)                                                         \
    do {                                                                                           \
        char text_[1024];                                                                          \
        cr_expect_str_eq(error_text((err), text_, sizeof text_), (want));                          \
        cr_expect((err)->kind == (want_kind), "kind %s, want %s for: %s",                          \
                  error_kind_name((err)->kind), error_kind_name(want_kind), (want));               \
    } while (0)

#define expect_contains(have, want)                                                                \
    cr_expect(str_search((have), str_of(want)) != STR_NONE, "\"%s\" is not in:\n" STR_FMT, (want), \
              STR_ARG(have))

#endif
