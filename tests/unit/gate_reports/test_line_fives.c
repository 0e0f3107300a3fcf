#include "../expect.h"
#include "gate/reports/line_fives.h"

Test(line_fives, every_five_lines_come_back)
{
    bool seen[256] = {false};
    for (unsigned known = 0; known < 32; known++) {
        for (unsigned hit = 0; hit < 32; hit++) {
            unsigned back_known, back_hit;
            if (hit & ~known)
                continue;
            uint8_t byte = line_fives_pack(known, hit);
            line_fives_unpack(byte, &back_known, &back_hit);
            cr_expect_eq(back_known, known, "%u", byte);
            cr_expect_eq(back_hit, hit, "%u", byte);
            cr_expect_not(seen[byte], "%u", byte);
            seen[byte] = true;
        }
    }
}
