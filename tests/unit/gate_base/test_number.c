#include "gate/base/number.h"

#include <criterion/criterion.h>

Test(number, percent_is_exact)
{
    struct fraction f;
    cr_assert(number_percent(STR("43.95%"), &f));
    cr_expect(fraction_at_least(31582, 71846, f));
    cr_assert(number_percent(STR("43.96%"), &f));
    cr_expect_not(fraction_at_least(31582, 71846, f));
}
