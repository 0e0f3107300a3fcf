#include "gate/git/attributes.h"

#include "gate/base/glob.h"
#include "gate/base/limits.h"
#include "gate/git/handle.h"

#include <git2.h>

// The next word of a line; words are parted by blanks.
static str next_word(str *line)
{
    *line = str_trim(*line);
    size_t n = 0;
    while (n < line->len && line->data[n] != ' ' && line->data[n] != '\t')
        n++;
    str word = str_first(*line, n);
    *line = str_from(*line, n);
    return word;
}

// A pattern in quotes may hold blanks; escapes inside are kept as they are.
static str next_pattern(str *line)
{
    if (!str_starts(*line, STR("\"")))
        return next_word(line);
    str rest = str_from(*line, 1);
    str pattern = str_cut(&rest, '"');
    *line = rest;
    return pattern;
}

// 1 = generated, 0 = expressly not, -1 = the word is about something else.
static int meaning(str word)
{
    if (str_is(word, "linguist-generated") || str_is(word, "linguist-generated=true"))
        return 1;
    if (str_is(word, "-linguist-generated") || str_is(word, "!linguist-generated") ||
        str_is(word, "linguist-generated=false"))
        return 0;
    return -1;
}

static void add_line(struct arena *arena, struct attributes *attributes, str folder, str line)
{
    line = str_trim(line);
    if (line.len == 0 || line.data[0] == '#' || str_starts(line, STR("[attr]")))
        return;
    str pattern = next_pattern(&line);
    int said = -1;
    for (str word = next_word(&line); word.len; word = next_word(&line))
        said = meaning(word) >= 0 ? meaning(word) : said;
    if (said < 0 || pattern.len == 0)
        return;
    bool anchored = str_find(pattern, '/') != STR_NONE;
    if (pattern.data[0] == '/')
        pattern = str_from(pattern, 1);
    attributes->lines = arena_grow(arena, attributes->lines, attributes->count, &attributes->room,
                                   sizeof *attributes->lines);
    attributes->lines[attributes->count++] = (struct attribute_line){
        arena_str(arena, folder), arena_str(arena, pattern), anchored, said == 1};
}

void attributes_add(struct arena *arena, struct attributes *attributes, str folder, str content)
{
    while (content.len)
        add_line(arena, attributes, folder, str_cut(&content, '\n'));
}

struct walk {
    struct arena *arena;
    struct attributes attributes;
    git_repository *repository;
};

static int on_entry(const char *root, const git_tree_entry *entry, void *payload)
{
    struct walk *walk = payload;
    git_blob *blob = NULL;
    if (git_tree_entry_type(entry) != GIT_OBJECT_BLOB ||
        strcmp(git_tree_entry_name(entry), ".gitattributes") != 0)
        return 0;
    if (git_blob_lookup(&blob, walk->repository, git_tree_entry_id(entry)) != 0)
        return -1;
    if (git_blob_rawsize(blob) <= LIMIT_CONFIG_BYTES)
        attributes_add(walk->arena, &walk->attributes, str_of(root),
                       str_make(git_blob_rawcontent(blob), (size_t)git_blob_rawsize(blob)));
    git_blob_free(blob);
    return 0;
}

bool attributes_read(struct arena *arena, struct repository *repository, const char *commit,
                     struct attributes *ret, struct error *err)
{
    git_tree *tree = NULL;
    struct walk walk = {.arena = arena, .repository = repository_handle(repository)};
    if (!repository_tree(repository, commit, &tree, err))
        return false;
    bool ok = git_tree_walk(tree, GIT_TREEWALK_PRE, on_entry, &walk) == 0;
    git_tree_free(tree);
    if (!ok)
        return repository_failed(err, "reading .gitattributes");
    *ret = walk.attributes;
    return true;
}

static bool line_matches(const struct attribute_line *line, str path)
{
    if (!str_starts(path, line->folder))
        return false;
    str below = str_from(path, line->folder.len);
    if (line->anchored)
        return glob_match(line->pattern, below);
    size_t slash = str_find_last(below, '/');
    return glob_match(line->pattern, slash == STR_NONE ? below : str_from(below, slash + 1));
}

bool attributes_generated(const struct attributes *attributes, str path)
{
    bool generated = false;
    size_t depth = 0;
    for (size_t i = 0; i < attributes->count; i++) {
        const struct attribute_line *line = &attributes->lines[i];
        if (line->folder.len >= depth && line_matches(line, path)) {
            generated = line->generated;
            depth = line->folder.len;
        }
    }
    return generated;
}
