// The list of report formats, and which one a file is.
#include "gate/reports/registry.h"

#include "gate/base/text.h"
#include "gate/doc/archive.h"
#include "gate/reports/xml_root.h"

// clang-format off
const struct report_reader *const report_readers[] = {
    &clover_reader,
    &cobertura_reader,
    &coveragepy_reader,
    &gcovr_json_reader,
    &go_cover_reader,
    &istanbul_json_reader,
    &jacoco_reader,
    &lcov_reader,
    &llvm_cov_json_reader,
    &opencover_reader,
    &simplecov_reader,
    &ctrf_reader,
    &cucumber_json_reader,
    &go_test_json_reader,
    &jest_json_reader,
    &junit_reader,
    &mocha_json_reader,
    &nunit_reader,
    &playwright_json_reader,
    &tap_reader,
    &testng_reader,
    &trx_reader,
    &xunit_reader,
    &dependabot_reader,
    &grype_reader,
    &sarif_reader,
    &snyk_reader,
    &trivy_reader,
    &cyclonedx_reader,
    &npm_audit_reader,
    &osv_reader,
    &pip_audit_reader,
    &csaf_vex_reader,
    &epss_reader,
    &kev_reader,
    &openvex_reader,
    &gatling_reader,
    &gatling_log_reader,
    &jmeter_csv_reader,
    &jmeter_xml_reader,
    &k6_reader,
    &lighthouse_reader,
    &locust_reader,
    &wrk_reader,
    NULL,
};
// clang-format on

#define LOOK_ALIKES_MAX 240
#define KNOWN_MAX 440 // with the rest it fits into an error

// What the bytes look like, for the message about a format that is not known.
static void describe(str bytes, char out[LOOK_ALIKES_MAX])
{
    struct xml_root root;
    str start = str_trim(bytes);
    struct text text = text_of(LOOK_ALIKES_MAX - 1);
    if (start.len == 0)
        text_adds(&text, bytes.len ? "white space only" : "an empty file");
    else if (archive_recognise(bytes))
        text_adds(&text, "an archive, whose contents are named as `ARCHIVE!PATTERN`");
    else if (memchr(bytes.data, '\0', bytes.len))
        text_adds(&text, "binary data");
    else if (xml_root(bytes, &root) && str_is_utf8(root.name))
        text_addf(&text, "XML with the root element <" STR_FMT ">",
                  STR_ARG(str_first(root.name, 60)));
    else if (start.data[0] == '<')
        text_adds(&text, "a piece of XML without a root element");
    else if (start.data[0] == '{' || start.data[0] == '[')
        text_adds(&text, "JSON");
    else
        text_adds(&text, "plain text");
    (void)memcpy(out, text_c(&text), text.len + 1);
    text_done(&text);
}

// What is neither XML nor JSON is taken for lines; 0 = it looks like no report at all.
static enum report_form form_of(str bytes)
{
    str start = str_trim(bytes);
    if (start.len == 0 || archive_recognise(bytes) || memchr(bytes.data, '\0', bytes.len))
        return 0;
    if (start.data[0] == '<' || str_starts(start, STR("\xef\xbb\xbf<")))
        return REPORT_XML;
    return start.data[0] == '{' || start.data[0] == '[' ? REPORT_JSON : REPORT_LINES;
}

static bool unknown(str first_bytes, struct error *err)
{
    char looks[LOOK_ALIKES_MAX] = "";
    enum report_form form = form_of(first_bytes);
    struct text titles = text_of(KNOWN_MAX);
    describe(first_bytes, looks);
    for (size_t i = 0; form && report_readers[i]; i++)
        if (report_readers[i]->form == form)
            text_addf(&titles, "%s%s", titles.len ? ", " : "; known are ",
                      report_readers[i]->title);
    (void)error_set(err, ERROR_INPUT, "this is no report that is known here: it is %s%s%s", looks,
                    text_c(&titles), text_full(&titles) ? ", …" : "");
    text_done(&titles);
    return false;
}

bool report_recognise(str first_bytes, bool whole, const struct report_reader **ret,
                      struct error *err)
{
    const struct report_reader *best = NULL, *second = NULL;
    int best_score = 0;
    struct report_head head;
    report_head_look(first_bytes, whole, &head);
    for (size_t i = 0; report_readers[i]; i++) {
        int score = report_readers[i]->recognise(&head);
        if (score > best_score) {
            best = report_readers[i];
            best_score = score;
            second = NULL;
        } else if (score > 0 && score == best_score) {
            second = report_readers[i];
        }
    }
    report_head_done(&head);
    if (!best)
        return unknown(first_bytes, err);
    if (second)
        return error_set(err, ERROR_INPUT, "this could be %s or %s: it fits both", best->title,
                         second->title);
    *ret = best;
    return true;
}
