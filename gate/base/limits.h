// Every limit of the program in one place. Meeting one is an error that names it; nothing is cut
// silently. Sizes are bytes.
#ifndef GATE_BASE_LIMITS_H
#define GATE_BASE_LIMITS_H

#define LIMIT_CONFIG_BYTES (1u << 20)     // one YAML file: configuration, policy, register
#define LIMIT_REGISTER_BYTES (64u << 20)  // a risk register
#define LIMIT_REGISTER_NODES (4u << 20)   // nodes of its tree
#define LIMIT_DOC_DEPTH 64u               // nesting of YAML, JSON and XML
#define LIMIT_DOC_NODES (1u << 18)        // nodes of one YAML or JSON tree
#define LIMIT_EXTENDS 8u                  // policies that extend policies
#define LIMIT_PROBLEMS 200u               // errors said about one configuration
#define LIMIT_JSON_TREE_BYTES (16u << 20) // a JSON document that is kept as a tree
#define LIMIT_REPORT_BYTES (4ull << 30)   // one report file, after decompression
#define LIMIT_REPORT_FILES 4096u          // report files of one run
#define LIMIT_SOURCE_FILES (1u << 20)     // source files named by reports
#define LIMIT_SOURCE_LINE (1u << 24)      // the highest line number of a source file
#define LIMIT_FILE_PLACES (1u << 22)      // statements, or branches, that a report has of one file
#define LIMIT_TESTS (4u << 20)            // test cases of one run
#define LIMIT_VULNERABILITIES (1u << 20)  // scanner findings of one run
#define LIMIT_SARIF_RULES (1u << 16)      // rules of one run of a SARIF report
#define LIMIT_STATEMENTS (1u << 20)       // VEX statements and catalogue entries of one run
#define LIMIT_TIMINGS (1u << 18)          // rows and checks of load tests of one run
#define LIMIT_TIMING_VALUES (1u << 22)    // different times in one report of single requests
#define LIMIT_EVIDENCE_BYTES (1u << 30)   // memory for what the reports of one run hold
#define LIMIT_TOKEN_BYTES (1u << 20)      // one attribute, string or line of a report
#define LIMIT_ARCHIVE_ENTRIES 65536u      // entries of one archive
#define LIMIT_ARCHIVE_BYTES (4ull << 30)  // what one archive may expand to
#define LIMIT_RISKS (1u << 18)            // entries of a risk register
#define LIMIT_MATRIX_AXES 6u              // axes of a risk matrix
#define LIMIT_MATRIX_CELLS 4096u          // cases that its table decides
#define LIMIT_FINDINGS 65536u             // findings of one decision
#define LIMIT_DECISION_BYTES (64u << 20)  // a decision as JSON
#define LIMIT_SUMMARY_BYTES (1u << 20)    // a step summary: the runner's own limit
#define LIMIT_TARGETS 1024u               // targets of a configuration
#define LIMIT_HOSTS 4096u                 // hosts of one inventory
#define LIMIT_STAGES 16u                  // stages of a rollout
#define LIMIT_STEPS 32u                   // steps of a stage
#define LIMIT_METRICS 64u                 // metrics of a configuration
#define LIMIT_COMMAND_OUTPUT (256u << 10) // what is kept of one command's output
#define LIMIT_HTTP_BODY (16u << 20)       // one HTTP answer
#define LIMIT_EVENT_BYTES (4u << 20)      // one event of the ledger
#define LIMIT_LEDGER_EVENTS (1u << 22)    // events of a ledger
#define LIMIT_PATH 4096u

#endif
