#include "gate/reports/sarif_places.h"

const struct json_step sarif_steps[] = {
    {SARIF_ROOT, "version", SARIF_VERSION | JSON_IS_TEXT},
    {SARIF_ROOT, "runs", SARIF_RUNS | JSON_IS_LIST},
    {SARIF_ROOT, "inlineExternalProperties", SARIF_INLINE | JSON_IS_LIST},
    {SARIF_INLINE, NULL, SARIF_INLINE_ITEM},
    {SARIF_INLINE_ITEM, "results", SARIF_INLINE_RESULTS},
    {SARIF_INLINE_RESULTS, NULL, SARIF_INLINE_RESULT},
    {SARIF_RUNS, NULL, SARIF_RUN | JSON_IS_MAP},
    {SARIF_RUN, "externalPropertyFileReferences", SARIF_EXTERNAL | JSON_IS_MAP},
    {SARIF_EXTERNAL, "results", SARIF_EXTERNAL_RESULTS},
    {SARIF_RUN, "tool", SARIF_TOOL | JSON_IS_MAP},
    {SARIF_TOOL, "driver", SARIF_DRIVER | JSON_IS_MAP},
    {SARIF_DRIVER, "name", SARIF_TOOL_NAME | JSON_IS_TEXT},
    {SARIF_DRIVER, "version", SARIF_TOOL_VERSION | JSON_IS_TEXT},
    {SARIF_DRIVER, "semanticVersion", SARIF_TOOL_SEMANTIC | JSON_IS_TEXT},
    {SARIF_DRIVER, "rules", SARIF_RULES | JSON_IS_LIST},
    {SARIF_TOOL, "extensions", SARIF_EXTENSIONS | JSON_IS_LIST},
    {SARIF_EXTENSIONS, NULL, SARIF_EXTENSION | JSON_IS_MAP},
    {SARIF_EXTENSION, "rules", SARIF_RULES | JSON_IS_LIST},
    {SARIF_RULES, NULL, SARIF_RULE | JSON_IS_MAP},
    {SARIF_RULE, "id", SARIF_RULE_ID | JSON_IS_TEXT},
    {SARIF_RULE, "name", SARIF_RULE_NAME | JSON_IS_TEXT},
    {SARIF_RULE, "shortDescription", SARIF_RULE_SHORT | JSON_IS_MAP},
    {SARIF_RULE_SHORT, "text", SARIF_RULE_TEXT | JSON_IS_TEXT},
    {SARIF_RULE, "defaultConfiguration", SARIF_RULE_DEFAULT | JSON_IS_MAP},
    {SARIF_RULE_DEFAULT, "level", SARIF_RULE_LEVEL | JSON_IS_TEXT},
    {SARIF_RULE, "properties", SARIF_RULE_PROPERTIES | JSON_IS_MAP},
    {SARIF_RULE_PROPERTIES, "security-severity", SARIF_RULE_SCORE},
    {SARIF_RULE_PROPERTIES, "*", SARIF_RULE_TAGS},
    {SARIF_RULE_TAGS, NULL, SARIF_RULE_TAG},
    {SARIF_RUN, "results", SARIF_RESULTS | JSON_IS_LIST},
    {SARIF_RESULTS, NULL, SARIF_RESULT | JSON_IS_MAP},
    {SARIF_RESULT, "ruleId", SARIF_REFERENCE_ID | JSON_IS_TEXT},
    {SARIF_RESULT, "ruleIndex", SARIF_REFERENCE_INDEX | JSON_IS_NUMBER},
    {SARIF_RESULT, "rule", SARIF_RULE_REFERENCE | JSON_IS_MAP},
    {SARIF_RULE_REFERENCE, "id", SARIF_REFERENCE_ID | JSON_IS_TEXT},
    {SARIF_RULE_REFERENCE, "index", SARIF_REFERENCE_INDEX | JSON_IS_NUMBER},
    {SARIF_RULE_REFERENCE, "toolComponent", SARIF_COMPONENT | JSON_IS_MAP},
    {SARIF_COMPONENT, "index", SARIF_COMPONENT_INDEX | JSON_IS_NUMBER},
    {SARIF_RESULT, "level", SARIF_LEVEL | JSON_IS_TEXT},
    {SARIF_RESULT, "kind", SARIF_KIND | JSON_IS_TEXT},
    {SARIF_RESULT, "baselineState", SARIF_BASELINE | JSON_IS_TEXT},
    {SARIF_RESULT, "message", SARIF_MESSAGE | JSON_IS_MAP},
    {SARIF_MESSAGE, "text", SARIF_MESSAGE_TEXT | JSON_IS_TEXT},
    {SARIF_RESULT, "locations", SARIF_LOCATIONS | JSON_IS_LIST},
    {SARIF_LOCATIONS, NULL, SARIF_LOCATION | JSON_IS_MAP},
    {SARIF_LOCATION, "physicalLocation", SARIF_PHYSICAL | JSON_IS_MAP},
    {SARIF_PHYSICAL, "artifactLocation", SARIF_ARTIFACT_AT | JSON_IS_MAP},
    {SARIF_ARTIFACT_AT, "uri", SARIF_AT_URI | JSON_IS_TEXT},
    {SARIF_ARTIFACT_AT, "uriBaseId", SARIF_AT_BASE | JSON_IS_TEXT},
    {SARIF_ARTIFACT_AT, "index", SARIF_AT_INDEX | JSON_IS_NUMBER},
    {SARIF_PHYSICAL, "region", SARIF_REGION | JSON_IS_MAP},
    {SARIF_REGION, "startLine", SARIF_START_LINE | JSON_IS_NUMBER},
    {SARIF_RESULT, "suppressions", SARIF_SUPPRESSIONS | JSON_IS_LIST},
    {SARIF_SUPPRESSIONS, NULL, SARIF_SUPPRESSION | JSON_IS_MAP},
    {SARIF_SUPPRESSION, "status", SARIF_SUPPRESSION_STATUS | JSON_IS_TEXT},
    {SARIF_SUPPRESSION, "state",
     SARIF_SUPPRESSION_STATUS | JSON_IS_TEXT}, // as drafts of 2.1 had it
    {SARIF_SUPPRESSION, "justification", SARIF_SUPPRESSION_WHY | JSON_IS_TEXT},
    {SARIF_RESULT, "properties", SARIF_PROPERTIES | JSON_IS_MAP},
    {SARIF_PROPERTIES, "security-severity", SARIF_SCORE},
    {SARIF_PROPERTIES, "*", SARIF_TAGS},
    {SARIF_TAGS, NULL, SARIF_TAG},
    {SARIF_RUN, "invocations", SARIF_INVOCATIONS | JSON_IS_LIST},
    {SARIF_INVOCATIONS, NULL, SARIF_INVOCATION | JSON_IS_MAP},
    {SARIF_INVOCATION, "executionSuccessful", SARIF_SUCCESS | JSON_IS_BOOL},
    {SARIF_INVOCATION, "processStartFailureMessage", SARIF_START_FAILURE | JSON_IS_TEXT},
    {SARIF_INVOCATION, "endTimeUtc", SARIF_END_TIME | JSON_IS_TEXT},
    {SARIF_INVOCATION, "toolExecutionNotifications", SARIF_NOTES | JSON_IS_LIST},
    {SARIF_INVOCATION, "toolConfigurationNotifications", SARIF_NOTES | JSON_IS_LIST},
    {SARIF_NOTES, NULL, SARIF_NOTE | JSON_IS_MAP},
    {SARIF_NOTE, "level", SARIF_NOTE_LEVEL | JSON_IS_TEXT},
    {SARIF_NOTE, "message", SARIF_NOTE_MESSAGE | JSON_IS_MAP},
    {SARIF_NOTE_MESSAGE, "text", SARIF_NOTE_TEXT | JSON_IS_TEXT},
    {SARIF_RUN, "originalUriBaseIds", SARIF_BASES | JSON_IS_MAP},
    {SARIF_BASES, "*", SARIF_BASE | JSON_IS_MAP},
    {SARIF_BASE, "uri", SARIF_BASE_URI | JSON_IS_TEXT},
    {SARIF_BASE, "uriBaseId", SARIF_BASE_BASE | JSON_IS_TEXT},
    {SARIF_RUN, "artifacts", SARIF_ARTIFACTS | JSON_IS_LIST},
    {SARIF_ARTIFACTS, NULL, SARIF_ARTIFACT | JSON_IS_MAP},
    {SARIF_ARTIFACT, "location", SARIF_ARTIFACT_LOCATION | JSON_IS_MAP},
    {SARIF_ARTIFACT_LOCATION, "uri", SARIF_BASE_URI | JSON_IS_TEXT},
    {SARIF_ARTIFACT_LOCATION, "uriBaseId", SARIF_BASE_BASE | JSON_IS_TEXT},
    {0}};

int sarif_recognise(const struct report_head *head)
{
    enum json_event_type runs = report_head_type(head, "runs", NULL);
    str version = report_head_text(head, "version", NULL);
    str schema = report_head_text(head, "$schema", NULL);
    bool named = str_search(schema, STR("sarif")) != STR_NONE;
    if (runs != JSON_LIST_OPEN && !(runs == JSON_NULL && named))
        return named && str_starts(version, STR("2.1")) ? 80 : 0;
    if (named || str_starts(version, STR("2.")) || str_starts(version, STR("1.0.0")))
        return 90;
    return report_head_has(head, "runs", "#", "tool", "driver", NULL) ||
                   report_head_has(head, "runs", "#", "results", "#", "ruleId", NULL) ||
                   report_head_has(head, "runs", "#", "results", "#", "message", NULL) ||
                   report_head_has(head, "runs", "#", "artifacts", "#", "location", NULL) ||
                   report_head_has(head, "runs", "#", "invocations", "#", "executionSuccessful",
                                   NULL) ||
                   report_head_has(head, "runs", "#", "originalUriBaseIds", NULL)
               ? 80
               : 0;
}
