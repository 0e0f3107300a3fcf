#include "gate/matrices.h"

#include "gate/base/limits.h"
#include "gate/doc/yaml.h"
#include "policies/policies.h"

struct finding_matrix {
    struct arena *arena;
    const struct source *source;
    struct position at; // where the register names it
    struct risk_matrix *matrix;
    struct problems *problems;
};

static bool refuse(const struct finding_matrix *f, const struct error *err)
{
    problem_at(f->problems, err->at.line ? err->at : f->at, "%s", err->message);
    return false;
}

static bool bind(const struct finding_matrix *f, const char *path, str bytes)
{
    const struct node *root;
    struct error err = {0};
    if (!yaml_parse(f->arena, path, bytes, &root, &err))
        return refuse(f, &err);
    return matrix_bind(f->arena, root, f->matrix, f->problems);
}

static bool built_in(const struct finding_matrix *f, str name)
{
    struct text known = text_of(256);
    for (const struct policy_file *file = matrix_files; file->name; file++) {
        text_addf(&known, "%s`%s`", known.len ? ", " : "", file->name);
        if (!str_is(name, file->name))
            continue;
        const char *path = arena_format(f->arena, "policies/matrices/%s.yml", file->name).data;
        text_done(&known);
        if (!bind(f, path, file->content))
            return false;
        f->matrix->name = file->name;
        return true;
    }
    problem_at(f->problems, f->at,
               "there is no matrix `" STR_FMT "`: built in are %s; one of your own is named by its "
               "path, such as ./risk-matrix.yml",
               STR_ARG(str_shorten(name, 100)), text_c(&known));
    text_done(&known);
    return false;
}

static bool of_repository(const struct finding_matrix *f, str name)
{
    struct error err = {0};
    str bytes;
    bool found = false;
    const char *shown = arena_copy(f->arena, name);
    const char *path = str_starts(name, STR("./")) ? shown + 2 : shown;
    if (!f->source) {
        problem_at(f->problems, f->at, "the matrix %s cannot be read here: use one built in",
                   shown);
        return false;
    }
    if (!source_read(f->arena, f->source, path, LIMIT_CONFIG_BYTES, &bytes, &found, &err)) {
        err.at = f->at;
        return refuse(f, &err);
    }
    if (!found) {
        problem_at(f->problems, f->at, "`matrix` names %s, which is not there%s", shown,
                   f->source->commit ? " in the commit that the register is read from" : "");
        return false;
    }
    if (!bind(f, path, bytes))
        return false;
    f->matrix->name = shown;
    f->matrix->path = path;
    f->matrix->size_bytes = bytes.len;
    (void)sha256_of(bytes, f->matrix->sha256);
    return true;
}

bool matrix_of(struct arena *arena, const struct source *source, const struct node *root,
               struct risk_matrix *ret, struct problems *problems)
{
    const struct node *named = node_get(root, "matrix");
    struct risk_matrix matrix;
    struct finding_matrix f = {arena, source, named ? named->at : root->at, &matrix, problems};
    str name = named ? named->text : STR(RISK_MATRIX_DEFAULT);
    bool is_path = str_find(name, '/') != STR_NONE || str_ends(name, STR(".yml")) ||
                   str_ends(name, STR(".yaml"));
    if (!(is_path ? of_repository(&f, name) : built_in(&f, name)))
        return false;
    *ret = matrix;
    return true;
}

bool register_bind(struct arena *arena, const struct source *source, const struct node *root,
                   struct risk_register *ret, struct problems *problems)
{
    struct risk_matrix *matrix = ARENA_NEW(arena, struct risk_matrix);
    return matrix_of(arena, source, root, matrix, problems) &&
           risk_register_bind(arena, root, matrix, ret, problems);
}
