// sluice risk import FILE: a risk list as CSV into a register as YAML. What comes out is read as a
// register would be, and what is wrong with it is said with the line of the table.
#include "actions/cli/risk_parts.h"
#include "gate/base/limits.h"
#include "gate/doc/yaml.h"
#include "gate/matrices.h"
#include "gate/reports/csv.h"
#include "gate/risk/import.h"

struct importing {
    struct risk_import import;
    const struct csv *csv;
    bool has_header;
};

// Spreadsheets of half of the world write semicolons.
static char choose(str line)
{
    size_t commas = 0, semicolons = 0, tabs = 0;
    for (size_t i = 0; i < line.len; i++) {
        commas += line.data[i] == ',';
        semicolons += line.data[i] == ';';
        tabs += line.data[i] == '\t';
    }
    if (tabs > commas && tabs > semicolons)
        return '\t';
    return semicolons > commas ? ';' : ',';
}

static bool on_record(void *context, const str *fields, size_t count, struct error *err)
{
    struct importing *importing = context;
    if (importing->has_header)
        return import_record(&importing->import, fields, count, importing->csv->number, err);
    importing->has_header = true;
    return import_header(&importing->import, fields, count, err);
}

// Problems stand in the YAML; a person has the table.
static bool check(struct invocation *call, struct risk_import *import, const char *path)
{
    const struct node *root;
    struct risk_register risks;
    struct problems problems = {.arena = call->arena};
    struct error err = {0};
    if (import->row_count == 0)
        return error_set(&call->error, ERROR_INPUT, "%s: there is no risk in this table", path);
    if (!import_end(import, &call->error)) {
        call->error.at.file = path;
        return false;
    }
    bool ok = yaml_parse_large(call->arena, path, text_str(import->out), LIMIT_REGISTER_BYTES,
                               LIMIT_REGISTER_NODES, &root, &err);
    if (ok && !register_bind(call->arena, NULL, root, &risks, &problems)) {
        problems_sort(&problems);
        ok = problems_none(&problems, &err);
    }
    if (ok)
        return true;
    err.at = (struct position){path, import_line(import, err.at.line), 0};
    call->error = err;
    return false;
}

static bool convert(struct invocation *call, const char *path, str bytes, struct text *out)
{
    struct importing importing = {.import = {.arena = call->arena, .out = out}};
    struct csv csv = csv_of(path, 0, on_record, &importing);
    csv.choose = choose;
    importing.csv = &csv;
    bool ok = csv_feed(&csv, bytes, &call->error) && csv_end(&csv, &call->error);
    csv_done(&csv);
    if (ok && text_full(out))
        ok = error_set(&call->error, ERROR_LIMIT, "the register is larger than %u bytes",
                       LIMIT_REGISTER_BYTES);
    return ok && check(call, &importing.import, path);
}

bool risk_import(struct invocation *call)
{
    const char *path = call->options.operands[1];
    str bytes;
    bool found;
    struct text out = text_of(LIMIT_REGISTER_BYTES);
    bool ok =
        source_read_file(call->arena, path, LIMIT_REGISTER_BYTES, &bytes, &found, &call->error);
    if (ok && !found)
        ok = error_set(&call->error, ERROR_ABSENT, "%s is not there", path);
    ok = ok && convert(call, path, bytes, &out) && command_print(call, text_str(&out));
    text_done(&out);
    return ok;
}
