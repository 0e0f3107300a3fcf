// One line for each report format; registry.c lists them.
#ifndef GATE_REPORTS_REGISTRY_H
#define GATE_REPORTS_REGISTRY_H

#include "gate/reports/reader.h"

extern const struct report_reader clover_reader;
extern const struct report_reader cobertura_reader;
extern const struct report_reader coveragepy_reader;
extern const struct report_reader gcovr_json_reader;
extern const struct report_reader go_cover_reader;
extern const struct report_reader istanbul_json_reader;
extern const struct report_reader jacoco_reader;
extern const struct report_reader lcov_reader;
extern const struct report_reader llvm_cov_json_reader;
extern const struct report_reader opencover_reader;
extern const struct report_reader simplecov_reader;
extern const struct report_reader ctrf_reader;
extern const struct report_reader cucumber_json_reader;
extern const struct report_reader go_test_json_reader;
extern const struct report_reader jest_json_reader;
extern const struct report_reader junit_reader;
extern const struct report_reader mocha_json_reader;
extern const struct report_reader nunit_reader;
extern const struct report_reader playwright_json_reader;
extern const struct report_reader tap_reader;
extern const struct report_reader testng_reader;
extern const struct report_reader trx_reader;
extern const struct report_reader xunit_reader;
extern const struct report_reader dependabot_reader;
extern const struct report_reader grype_reader;
extern const struct report_reader sarif_reader;
extern const struct report_reader snyk_reader;
extern const struct report_reader trivy_reader;
extern const struct report_reader cyclonedx_reader;
extern const struct report_reader npm_audit_reader;
extern const struct report_reader osv_reader;
extern const struct report_reader pip_audit_reader;
extern const struct report_reader csaf_vex_reader;
extern const struct report_reader epss_reader;
extern const struct report_reader kev_reader;
extern const struct report_reader openvex_reader;
extern const struct report_reader gatling_log_reader;
extern const struct report_reader gatling_reader;
extern const struct report_reader jmeter_csv_reader;
extern const struct report_reader jmeter_xml_reader;
extern const struct report_reader k6_reader;
extern const struct report_reader lighthouse_reader;
extern const struct report_reader locust_reader;
extern const struct report_reader wrk_reader;

#endif
