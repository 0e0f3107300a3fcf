#include "actions/cli/commands.h"
#include "actions/cli/doctor.h"
#include "gate/base/limits.h"
#include "gate/doc/json.h"

static const char *const words_of[] = {
    [FINDING_GOOD] = "ok",
    [FINDING_WEAK] = "weak",
    [FINDING_UNKNOWN] = "unknown",
    [FINDING_BAD] = "bad",
};

static void add_text(const struct doctor *doctor, size_t bad, struct text *out)
{
    for (size_t i = 0; i < doctor->count; i++) {
        const struct finding *one = &doctor->findings[i];
        text_addf(out, "%-8s " STR_FMT ": " STR_FMT "\n", words_of[one->state], STR_ARG(one->about),
                  STR_ARG(one->words));
    }
    if (bad)
        text_addf(out, "%zu of %zu findings would keep a release from going out\n", bad,
                  doctor->count);
    else
        text_adds(out, "Nothing that was found keeps a release from going out\n");
}

static void add_json(const struct doctor *doctor, struct text *out)
{
    struct json_out json = json_out_of(out, JSON_PRETTY);
    json_open_map(&json, NULL);
    json_add_str(&json, "schema", STR("sluice.doctor/1"));
    json_open_list(&json, "findings");
    for (size_t i = 0; i < doctor->count; i++) {
        const struct finding *one = &doctor->findings[i];
        json_open_map(&json, NULL);
        json_add_str(&json, "state", str_of(words_of[one->state]));
        json_add_str(&json, "about", one->about);
        json_add_str(&json, "words", one->words);
        json_close(&json);
    }
    json_close(&json);
    json_close(&json);
    text_addc(out, '\n');
}

static int print(const struct doctor *doctor)
{
    struct invocation *call = doctor->d->call;
    size_t bad = 0;
    for (size_t i = 0; i < doctor->count; i++)
        bad += doctor->findings[i].state == FINDING_BAD;
    struct text out = text_of(LIMIT_JSON_TREE_BYTES);
    if (call->format == FORMAT_JSON)
        add_json(doctor, &out);
    else
        add_text(doctor, bad, &out);
    bool ok = command_print(call, text_str(&out));
    text_done(&out);
    if (!ok)
        return command_failed(call);
    return bad ? 1 : 0;
}

static int run(struct invocation *call)
{
    struct deployment d;
    struct doctor doctor = {.d = &d};
    if (!deployment_open(call, true, &d))
        return command_failed(call);
    doctor_look(&doctor);
    if (!doctor.interrupted)
        doctor_look_at_github(&doctor);
    int code;
    if (doctor.interrupted) {
        (void)error_set(&call->error, ERROR_TRANSIENT, "interrupted");
        code = deployment_failed(&d);
    } else {
        code = print(&doctor);
    }
    deployment_close(&d);
    return code;
}

const struct command command_doctor = {
    .name = "doctor",
    .operands = "",
    .summary = "whether everything that the configuration names can be reached and used",
    .description =
        "Changes nothing. Looks at the ledger's remote, at what `env` names, at every target of "
        "every stage as a rollout does\nbefore it begins, and asks each metric one question. Of "
        "targets in a cloud it says which permission is missing, as the\ncloud itself judges: AWS "
        "by iam:SimulatePrincipalPolicy, Google Cloud by testIamPermissions of the project. With "
        "`github` in the configuration, or in a workflow,\nwhat protects the branches, and whether "
        "those who are asked may answer.\n\n"
        "Exit code 1 when something would keep a release from going out.",
    .formats = 1U << FORMAT_TEXT | 1U << FORMAT_JSON,
    .run = run,
};
