// git_diff_pass REPOSITORY BASE HEAD: libgit2 compares two commits, with renames and without
// context, and counts the added lines: all files, nothing decided about any of them.
#include <git2.h>
#include <stdio.h>

static int on_line(const git_diff_delta *delta, const git_diff_hunk *hunk,
                   const git_diff_line *line, void *context)
{
    (void)delta;
    (void)hunk;
    *(unsigned long *)context += line->origin == GIT_DIFF_LINE_ADDITION;
    return 0;
}

static git_tree *tree_of(git_repository *repository, const char *revision)
{
    git_object *object = NULL, *tree = NULL;
    if (git_revparse_single(&object, repository, revision) == 0)
        (void)git_object_peel(&tree, object, GIT_OBJECT_TREE);
    git_object_free(object);
    return (git_tree *)tree;
}

int main(int argc, char **argv)
{
    git_repository *repository = NULL;
    git_diff_options options;
    git_diff_find_options find;
    git_diff *diff = NULL;
    unsigned long added = 0;
    if (argc != 4 || git_libgit2_init() < 0 || git_repository_open(&repository, argv[1]) != 0 ||
        git_diff_options_init(&options, GIT_DIFF_OPTIONS_VERSION) != 0 ||
        git_diff_find_options_init(&find, GIT_DIFF_FIND_OPTIONS_VERSION) != 0)
        return 2;
    git_tree *base = tree_of(repository, argv[2]), *head = tree_of(repository, argv[3]);
    options.context_lines = 0;
    find.flags = GIT_DIFF_FIND_RENAMES;
    if (git_diff_tree_to_tree(&diff, repository, base, head, &options) != 0 ||
        git_diff_find_similar(diff, &find) != 0 ||
        git_diff_foreach(diff, NULL, NULL, NULL, on_line, &added) != 0)
        return 1;
    printf("%zu files, %lu lines added\n", git_diff_num_deltas(diff), added);
    git_diff_free(diff);
    git_tree_free(base);
    git_tree_free(head);
    git_repository_free(repository);
    return 0;
}
