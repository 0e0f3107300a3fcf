#include "actions/cli/preflight_calendar.h"

#include "actions/cli/calendar_desk.h"
#include "gate/base/moment.h"

enum { INCIDENT_BYTES = 64, REASON_BYTES = 500 };

bool calendar_now(struct deployment *d, struct calendar_settings *ret)
{
    struct problems problems = {.arena = d->arena};
    struct calendar_settings settings;
    if (!calendar_settings_bind(d->arena, d->config, &d->settings, &settings, &problems))
        return problems_none(&problems, &d->call->error);
    struct calendar_desk *desk = calendar_desk_open(d, &settings.calendar, 0);
    const struct calendar *newest = calendar_desk_newest(desk);
    uint32_t count = newest->freeze_count;
    struct calendar_freeze *freezes = ARENA_ARRAY(d->arena, struct calendar_freeze, count);
    for (uint32_t i = 0; i < count; i++) { // the desk's end with it
        freezes[i] = newest->freezes[i];
        freezes[i].name = arena_str(d->arena, freezes[i].name);
        freezes[i].timezone = arena_str(d->arena, freezes[i].timezone);
    }
    settings.calendar.freezes = freezes;
    settings.calendar.freeze_count = count;
    calendar_desk_close(desk);
    calendar_zones(d->arena, &settings.calendar);
    *ret = settings;
    return true;
}

// ---- an emergency -------------------------------------------------------------------------------

// It names a file in the folder of reviews.
static bool is_incident(str id)
{
    bool ok = id.len > 0 && id.len <= INCIDENT_BYTES && id.data[0] != '.' && id.data[0] != '-';
    for (size_t i = 0; i < id.len; i++) {
        char c = char_lower(id.data[i]);
        ok &= (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    }
    return ok;
}

bool emergency_of_options(struct invocation *call, struct plan_emergency *ret)
{
    struct error *err = &call->error;
    const char *severity = option_text(&call->options, "emergency");
    str incident = str_of(option_text(&call->options, "incident"));
    str reason = str_trim(str_of(option_text(&call->options, "reason")));
    *ret = (struct plan_emergency){0};
    if (!severity && (incident.len || reason.len))
        return error_set(err, ERROR_INPUT,
                         "--incident and --reason belong to --emergency: say how severe it is, "
                         "`--emergency P1`");
    if (!severity)
        return true;
    if (incident.len == 0 || reason.len == 0)
        return error_set(err, ERROR_INPUT,
                         "an emergency needs the incident that it mends and a reason: `--emergency "
                         "%s --incident ID --reason TEXT`",
                         severity);
    if (!is_incident(incident))
        return error_set(err, ERROR_INPUT,
                         "`" STR_FMT "` cannot name an incident: use letters, digits and . _ -, at "
                         "most %d, and begin with a letter or digit",
                         STR_ARG(str_first(incident, 80)), INCIDENT_BYTES);
    if (reason.len > REASON_BYTES)
        return error_set(err, ERROR_INPUT, "--reason is longer than %d bytes", REASON_BYTES);
    *ret = (struct plan_emergency){
        .severity = str_of(severity), .incident = incident, .reason = reason};
    return true;
}

// ---- may it begin -------------------------------------------------------------------------------

// "P1 and P2"
static void add_allowed(const struct calendar_freeze *freeze, struct text *out)
{
    const char *comma = "";
    for (unsigned i = 0; i < SEVERITY_COUNT; i++)
        if (freeze->allow >> i & 1) {
            text_addf(out, "%sP%u", comma, i + 1);
            comma = ", ";
        }
}

static void add_remedy(const struct calendar_answer *answer, const struct plan_emergency *emergency,
                       struct text *out)
{
    struct text allowed = text_of(64);
    if (answer->freeze)
        add_allowed(answer->freeze, &allowed);
    text_adds(out, ". Wait until then");
    if (answer->freeze && allowed.len == 0)
        text_adds(out, ": this freeze lets nothing pass");
    else if (emergency->severity.len)
        text_addf(out, ": this freeze lets only the fixes of %s pass, not of " STR_FMT,
                  text_c(&allowed), STR_ARG(emergency->severity));
    else
        text_addf(out,
                  "; the fix of an incident%s%s may go with `--emergency P1 --incident ID --reason "
                  "TEXT`",
                  allowed.len ? " of severity " : "", text_c(&allowed));
    text_done(&allowed);
}

bool preflight_calendar(struct deployment *d, struct plan_emergency *emergency,
                        struct calendar_settings *ret)
{
    struct calendar_answer answer;
    struct calendar_settings settings;
    unsigned severity = calendar_severity(emergency->severity);
    int64_t now_ms = deployment_now(d);
    if (!calendar_now(d, &settings))
        return false;
    calendar_look(&settings.calendar, severity, now_ms, &answer);
    struct text words = text_of(sizeof d->call->error.message);
    if (!answer.allowed) {
        calendar_words(&settings.calendar, &answer, &words);
        add_remedy(&answer, emergency, &words);
        (void)error_set(&d->call->error, ERROR_DENIED, "nothing was touched: %s", text_c(&words));
        text_done(&words);
        return false;
    }
    calendar_look(&settings.calendar, 0, now_ms, &answer);
    if (!answer.allowed) { // the emergency lets it
        calendar_words(&settings.calendar, &answer, &words);
        emergency->overrides = arena_str(d->arena, text_str(&words));
    }
    text_done(&words);
    *ret = settings;
    return true;
}
