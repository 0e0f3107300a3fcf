#include "gate/reports/source_record.h"

#include "gate/base/limits.h"

struct source_record source_record_of(struct evidence *evidence, uint32_t report)
{
    return (struct source_record){
        .evidence = evidence, .report = report, .name = text_of(LIMIT_PATH)};
}

void source_record_done(struct source_record *record)
{
    text_done(&record->name);
    arena_done(&record->arena);
}

void source_record_open(struct source_record *record, uint64_t offset)
{
    covered_clear(&record->stage);
    record->arm_count = 0;
    text_clear(&record->name);
    record->from = offset;
}

bool source_record_name(struct source_record *record, str name, struct error *err)
{
    if (name.len == 0)
        return error_set(err, ERROR_INPUT, "a source file has no name");
    if (name.len >= LIMIT_PATH)
        return error_set(err, ERROR_LIMIT, "the name of a source file is longer than %u bytes",
                         LIMIT_PATH - 1);
    text_clear(&record->name);
    text_add(&record->name, name);
    return true;
}

static bool in_range(uint64_t line, struct error *err)
{
    if (line >= 1 && line <= LIMIT_SOURCE_LINE)
        return true;
    return error_set(err, ERROR_INPUT, "line number %llu is out of range (1 to %u)",
                     (unsigned long long)line, LIMIT_SOURCE_LINE);
}

bool source_record_line(struct source_record *record, uint64_t line, uint64_t hits,
                        struct error *err)
{
    return in_range(line, err) &&
           covered_line(&record->arena, &record->stage, (uint32_t)line, hits, err);
}

bool source_record_arm(struct source_record *record, uint64_t line, str name, bool taken,
                       struct error *err)
{
    if (line && !in_range(line, err))
        return false;
    if (record->arm_count == LIMIT_FILE_PLACES)
        return error_set(err, ERROR_LIMIT, "a source file has more than %u branches",
                         LIMIT_FILE_PLACES);
    record->arms = arena_grow(&record->arena, record->arms, record->arm_count, &record->arm_room,
                              sizeof *record->arms);
    record->arms[record->arm_count++] =
        (struct branch_arm){(uint32_t)line, branch_arm_of(name, taken)};
    return true;
}

bool source_record_arms_at(struct source_record *record, size_t first_arm, uint64_t line,
                           struct error *err)
{
    if (first_arm < record->arm_count && !in_range(line, err))
        return false;
    for (size_t i = first_arm; i < record->arm_count; i++)
        record->arms[i].line = (uint32_t)line;
    return true;
}

bool source_record_close(struct source_record *record, uint64_t to, struct coverage_totals *ret,
                         struct error *err)
{
    if (record->name.len == 0)
        return error_set(err, ERROR_INPUT, "a source file has no name");
    struct coverage_totals totals = {0};
    covered_arms(&record->arena, &record->stage, record->arms, record->arm_count);
    covered_file_totals(&record->stage, &totals);
    struct covered_file *file = coverage_file(record->evidence, text_str(&record->name));
    if (!coverage_unite(record->evidence, file, &record->stage, err))
        return false;
    coverage_range(record->evidence, file, record->report, record->from, to);
    record->any_line |= totals.lines_total > 0;
    *ret = totals;
    return true;
}

void source_record_finish(struct source_record *record)
{
    struct report *report = &record->evidence->reports[record->report];
    report->empty = !record->any_line;
    if (report->empty)
        report_suspect(record->evidence, report, "the report holds no line");
}
