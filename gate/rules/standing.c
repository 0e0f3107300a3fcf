#include "gate/rules/standing.h"

#include "gate/base/number.h"

__extension__ typedef unsigned __int128 wide;

struct ratio {
    uint64_t num, den;
};

// "312.4 ms" in millionths, so that all times have one denominator.
static bool time_of(str text, struct ratio *ret)
{
    double ms;
    if (!str_ends(text, STR(" ms")) || !number_double(str_first(text, text.len - 3), &ms) ||
        ms < 0 || ms > 1e12)
        return false;
    *ret = (struct ratio){(uint64_t)(ms * 1e6 + 0.5), 1000000};
    return true;
}

// "31582/71846", "96", "3/3748", "312.4 ms".
static bool ratio_of(const char *text, struct ratio *ret)
{
    str rest = str_of(text);
    if (time_of(rest, ret))
        return true;
    str num = str_cut(&rest, '/');
    struct ratio ratio = {0, 1};
    if (!number_u64(num, &ratio.num) || (rest.len && !number_u64(rest, &ratio.den)))
        return false;
    *ret = ratio;
    return ratio.den > 0;
}

// Counts are compared as counts: three failures of fewer tests are still three.
static bool no_worse(enum figure_sense sense, const char *now, const char *before)
{
    struct ratio a, b;
    if (!ratio_of(now, &a) || !ratio_of(before, &b))
        return false;
    if (sense == FIGURE_LESS_IS_BETTER)
        return a.num <= b.num;
    if (sense == FIGURE_SMALLER_SHARE_IS_BETTER)
        return (wide)a.num * b.den <= (wide)b.num * a.den;
    return (wide)a.num * b.den >= (wide)b.num * a.den;
}

static void inherit(const struct history *history, struct finding *finding)
{
    if (finding->scope != SCOPE_YOURS || finding->sense == FIGURE_NONE)
        return;
    const struct history_finding *before = history_before(history, finding->id);
    if (before && no_worse(finding->sense, finding->have, before->have))
        finding->scope = SCOPE_INHERITED;
}

// A family that is off, or that only releases are judged by, still says what it sees.
static void enforce(const struct rule_input *input, struct findings *findings,
                    struct finding *finding)
{
    enum rule_family family = rule_family_of(finding->rule);
    if (family == FAMILIES)
        return;
    enum enforcement mode = (enum enforcement)input->demands->enforcement.of[family];
    bool spared = input->change && input->demands->scope.of[family] == JUDGED_ON_RELEASE;
    enum verdict capped = enforcement_cap(mode, finding->verdict);
    if (spared && capped > VERDICT_WARN) {
        capped = VERDICT_WARN;
        finding->message = finding_text(findings, "%s `scope` has %s judged on releases only.",
                                        finding->message, rule_family_name(family));
    } else if (capped < finding->verdict) {
        finding->message = finding_text(findings, "%s `enforcement` has %s at %s; it would %s.",
                                        finding->message, rule_family_name(family),
                                        mode == ENFORCE_OFF ? "off" : verdict_name(capped),
                                        verdict_name(finding->judged));
    }
    finding->verdict = capped;
}

static void spare_others(const struct rule_input *input, struct findings *findings,
                         struct finding *finding)
{
    if (!input->change || finding->scope == SCOPE_YOURS || finding->verdict <= VERDICT_WARN)
        return;
    finding->message = finding_text(
        findings, "%s %s, so it does not stop this one; a release it would %s.", finding->message,
        finding->scope == SCOPE_INHERITED ? "This was there before the change"
                                          : "This does not come from the change",
        verdict_name(finding->verdict));
    finding->verdict = VERDICT_WARN;
}

void findings_stand(const struct rule_input *input, struct findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        struct finding *finding = &findings->items[i];
        finding->judged = finding->verdict;
        if (finding->verdict == VERDICT_PASS)
            continue;
        inherit(input->history, finding);
        enforce(input, findings, finding);
        spare_others(input, findings, finding);
    }
}
