// The list of report formats, and which one a file is.
#include "gate/reports/registry.h"

#include "gate/base/text.h"
#include "gate/doc/archive.h"
#include "gate/reports/xml_root.h"

const struct report_reader *const report_readers[] = {
    &cobertura_reader,
    &lcov_reader,
    &junit_reader,
    NULL,
};

#define LOOK_ALIKES_MAX 240

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

static bool unknown(str first_bytes, struct error *err)
{
    char looks[LOOK_ALIKES_MAX] = "";
    char known[LOOK_ALIKES_MAX] = "";
    struct text titles = text_of(LOOK_ALIKES_MAX - 1);
    describe(first_bytes, looks);
    for (size_t i = 0; report_readers[i]; i++)
        text_addf(&titles, "%s%s", i ? ", " : "", report_readers[i]->title);
    memcpy(known, text_c(&titles), titles.len + 1);
    text_done(&titles);
    return error_set(err, ERROR_INPUT, "this is no report that is known here: it is %s (known: %s)",
                     looks, known);
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
