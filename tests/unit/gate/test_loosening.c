#include "gate/doc/yaml.h"
#include "gate/loosening.h"

#include <criterion/criterion.h>

static struct arena arena;

static void done(void)
{
    arena_done(&arena);
}

TestSuite(loosening, .fini = done);

static const struct node *tree(const char *yaml)
{
    const struct node *root;
    struct error err = {0};
    if (!yaml)
        return NULL;
    cr_assert(yaml_parse(&arena, "a.yml", str_of(yaml), &root, &err), "%s: %s", yaml, err.message);
    return root;
}

struct row {
    const char *base, *head;
    const char *path; // of the only loosening; null = none
};

static void check(enum loosening_document document, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct loosenings list = {0};
        loosening_list(&arena, document, tree(rows[i].base), tree(rows[i].head), &list);
        cr_expect_eq(list.count, rows[i].path ? 1 : 0, "%s -> %s gives %zu (%s)", rows[i].base,
                     rows[i].head, list.count, list.count ? list.items[0].path : "");
        if (rows[i].path && list.count)
            cr_expect_str_eq(list.items[0].path, rows[i].path);
    }
}

#define CHECK(document, rows) check(document, rows, sizeof rows / sizeof *(rows))

Test(loosening, of_a_policy)
{
    static const struct row rows[] = {
        {"gate: {coverage: {total: 55%}}", "gate: {coverage: {total: 55.0%}}", NULL},
        {"gate: {coverage: {total: 55%}}", "gate: {coverage: {total: 56%}}", NULL},
        {"gate: {coverage: {total: 55%}}", "gate: {coverage: {total: 54.99%}}",
         "gate.coverage.total"},
        {"gate: {coverage: {total: 55%}}", "gate: {coverage: {}}", "gate.coverage.total"},
        {"gate: {coverage: {total: 55%}}", "gate: {}", "gate.coverage"},
        {"gate: {coverage: {total: 55%}}", "version: 1", "gate"},
        {"gate: {coverage: {max_drop: 0.2pp}}", "gate: {coverage: {max_drop: 0.3pp}}",
         "gate.coverage.max_drop"},
        {"gate: {coverage: {max_drop: 0.2pp}}", "gate: {coverage: {max_drop: 0.1pp}}", NULL},
        {"gate: {coverage: {critical: {'pay/**': {lines: 90%}}}}",
         "gate: {coverage: {critical: {'pay/**': {lines: 80%}}}}",
         "gate.coverage.critical.pay/**.lines"},
        {"gate: {coverage: {critical: {'pay/**': 90%, 'b/**': 1%}}}",
         "gate: {coverage: {critical: {'b/**': 1%}}}", "gate.coverage.critical.pay/**"},
        {"gate: {coverage: {critical: {'pay/**': 90%}}}",
         "gate: {coverage: {critical: {'pay/**': 90%, 'b/**': 1%}}}", NULL},
        {"gate: {coverage: {ignore: [a]}}", "gate: {coverage: {ignore: [a, b]}}",
         "gate.coverage.ignore[b]"},
        {"gate: {coverage: {ignore: [a, b]}}", "gate: {coverage: {ignore: [b]}}", NULL},
        {"gate: {tests: {failures: 0}}", "gate: {tests: {failures: 1}}", "gate.tests.failures"},
        {"gate: {tests: {failures: 1}}", "gate: {tests: {failures: 0}}", NULL},
        {"gate: {risk: {overdue: block}}", "gate: {risk: {overdue: warn}}", "gate.risk.overdue"},
        {"gate: {risk: {overdue: warn}}", "gate: {risk: {overdue: hold}}", NULL},
        {"gate: {vulnerabilities: {sla: {high: 30d}}}",
         "gate: {vulnerabilities: {sla: {high: 31d}}}", "gate.vulnerabilities.sla.high"},
        {"gate: {vulnerabilities: {sla: {high: 30d}}}",
         "gate: {vulnerabilities: {sla: {high: 28d}}}", NULL},
        {"gate: {vulnerabilities: {block: [known_exploited, {cvss: '>= 9'}]}}",
         "gate: {vulnerabilities: {block: [{cvss: '>= 9'}]}}",
         "gate.vulnerabilities.block[known_exploited]"},
        {"gate: {vulnerabilities: {block: [{cvss: '>= 9'}]}}",
         "gate: {vulnerabilities: {block: [known_exploited, {cvss: '>= 9'}]}}", NULL},
        {"gate: {tests: {}}", "gate: {tests: {}, enforcement: {tests: warn}}",
         "gate.enforcement.tests"},
        {"gate: {enforcement: {tests: warn}}", "gate: {enforcement: {tests: block}}", NULL},
        {"gate: {enforcement: {tests: warn}}", "gate: {enforcement: {tests: warn, risk: block}}",
         NULL},
        {"gate: {enforcement: {tests: warn}}", "gate: {enforcement: {tests: off}}",
         "gate.enforcement.tests"},
        {"enforce: true", "enforce: false", "enforce"},
        {"enforce: false", "enforce: true", NULL},
        {"extends: [strict, soc2]", "extends: [soc2]", "extends[strict]"},
        {"version: 1", "version: 1\nenv: [HOME]", "env[HOME]"},
        {"evidence: {coverage: {reports: [a, b]}}", "evidence: {coverage: {reports: [a]}}",
         "evidence.coverage.reports[b]"},
        {"evidence: {coverage: {shards: 4}}", "evidence: {coverage: {shards: 3}}",
         "evidence.coverage.shards"},
        {"rollout: [{stage: p, approval: {count: 2}}]",
         "rollout: [{stage: p, approval: {count: 1}}]", "rollout[p].approval.count"},
        {"rollout: [{stage: p, bake: 1h}]", "rollout: [{stage: p}]", "rollout[p].bake"},
        {"gate: {upgrades: {django: {max_step: 1 lts}}}",
         "gate: {upgrades: {django: {max_step: 2 lts}}}", "gate.upgrades.django.max_step"},
        {"targets: {web: {kind: hosts}}", "targets: {web: {kind: other}}", NULL},
    };
    CHECK(LOOSENING_POLICY, rows);
}

Test(loosening, of_a_register)
{
    static const struct row rows[] = {
        {"risks: [{id: R-1, likelihood: 4}]", "risks: [{id: R-1, likelihood: 3}]",
         "risks[R-1].likelihood"},
        {"risks: [{id: R-1, likelihood: 3}]", "risks: [{id: R-1, likelihood: 4}]", NULL},
        {"risks: [{id: R-1, status: open}]", "risks: [{id: R-1, status: closed}]",
         "risks[R-1].status"},
        {"risks: [{id: R-1, due: 2027-01-10}]", "risks: [{id: R-1, due: 2027-01-11}]",
         "risks[R-1].due"},
        {"risks: [{id: R-1, due: 2027-01-10}]", "risks: [{id: R-1, due: 2027-01-09}]", NULL},
        {"risks: [{id: R-1}, {id: R-2}]", "risks: [{id: R-2}]", "risks[R-1]"},
        {"risks: [{id: R-1}, {id: R-2}]", "risks: [{id: R-2}, {id: R-1}, {id: R-3}]", NULL},
        {"risks: [{id: R-1, title: a}]", "risks: [{id: R-1, title: b}]", NULL},
        {"flows: {pay: 5}", "flows: {pay: 4}", "flows.pay"},
        {"risks: [{id: R-1}]", NULL, "risks"},
        {NULL, "risks: [{id: R-1}]", NULL},
    };
    CHECK(LOOSENING_RISKS, rows);
}

Test(loosening, of_waivers_and_quarantine)
{
    static const struct row waivers[] = {
        {"waivers: []", "waivers: [{finding: a, until: 2027-01-10}]", "waivers[a]"},
        {"waivers: [{finding: a, until: 2027-01-10}]", "waivers: []", NULL},
        {"waivers: [{finding: a, until: 2027-01-10}]", "waivers: [{finding: a, until: 2027-01-11}]",
         "waivers[a].until"},
        {"waivers: [{finding: a, scope: x}]", "waivers: [{finding: a, scope: '**'}]",
         "waivers[a].scope"},
        {NULL, "waivers: [{finding: a}]", "waivers[a]"},
    };
    static const struct row quarantine[] = {
        {"quarantine: []", "quarantine: [{test: t}]", "quarantine[t]"},
        {"quarantine: [{test: t, until: 2027-01-10}]", "quarantine: [{test: t, until: 2027-01-09}]",
         NULL},
    };
    CHECK(LOOSENING_WAIVERS, waivers);
    CHECK(LOOSENING_QUARANTINE, quarantine);
}
