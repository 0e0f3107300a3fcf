#include "gate/rules/figure.h"

__extension__ typedef unsigned __int128 wide;

bool share_meets(struct share share, struct fraction limit)
{
    return fraction_at_least(share.covered, share.total, limit);
}

uint64_t share_needed(uint64_t total, struct fraction limit)
{
    wide product = (wide)total * (uint64_t)limit.num;
    return (uint64_t)((product + (uint64_t)limit.den - 1) / (uint64_t)limit.den);
}

// 1/1000 percent needs three decimals to be written down; two are shown at least.
static unsigned decimals_of(struct fraction limit)
{
    unsigned decimals = 0;
    for (int64_t den = limit.den; den > 100; den /= 10)
        decimals++;
    return decimals < 2 ? 2 : decimals;
}

const char *figure_percent(struct findings *out, struct share share, struct fraction limit)
{
    if (share.total == 0)
        return "0 of 0";
    struct text text = text_of(64);
    text_add_percent(&text, share.covered, share.total, decimals_of(limit));
    text_adds(&text, "%");
    const char *copy = arena_copy(out->arena, text_str(&text));
    text_done(&text);
    return copy;
}

void figure_judge(struct findings *out, struct finding *finding, struct share share,
                  struct fraction limit, const char *of_what)
{
    struct text want = text_of(64);
    text_add_fraction_percent(&want, limit);
    finding->want = arena_copy(out->arena, text_str(&want));
    text_done(&want);
    finding->have = finding_text(out, "%llu/%llu", (unsigned long long)share.covered,
                                 (unsigned long long)share.total);
    finding->sense = FIGURE_MORE_IS_BETTER;
    const char *percent = figure_percent(out, share, limit);
    if (share_meets(share, limit)) {
        finding->message =
            finding_text(out, "%s of %s covered; %s asked for.", percent, of_what, finding->want);
        return;
    }
    uint64_t missing = share_needed(share.total, limit) - share.covered;
    finding->message = finding_text(
        out, "%s of %s covered, %s asked for: %llu more of %llu needed.", percent, of_what,
        finding->want, (unsigned long long)missing, (unsigned long long)share.total);
}
