// Release bundles: the same bytes from the same commit, the same files as `git archive`, and
// nothing that is not what its digest says.
#include "../expect.h"
#include "deploy/artifact/bundle.h"
#include "deploy/world/files.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct place {
    struct arena arena;
    char folder[64];
    const char *repository, *cache;
};

static void sh(struct place *place, const char *command)
{
    str line = arena_format(&place->arena, "cd '%s' && { %s\n}", place->folder, command);
    cr_assert_eq(system(line.data), 0, "%s", command);
}

static const char *slurp(struct place *place, const char *name)
{
    str bytes;
    struct error err;
    str path = arena_format(&place->arena, "%s/%s", place->folder, name);
    if (!file_read(&place->arena, path.data, 1 << 22, &bytes, &err))
        return "(absent)";
    return arena_copy(&place->arena, str_trim(bytes));
}

static void open_place(struct place *place)
{
    *place = (struct place){0};
    (void)snprintf(place->folder, sizeof place->folder, "/tmp/sluice bundle-XXXXXX");
    cr_assert_not_null(mkdtemp(place->folder));
    place->repository = arena_format(&place->arena, "%s/repo", place->folder).data;
    place->cache = arena_format(&place->arena, "%s/cache", place->folder).data;
    sh(place, "git init -q repo && cd repo && git config user.email a@example.org && "
              "git config user.name a");
}

static void close_place(struct place *place)
{
    struct error err;
    cr_expect(folder_remove(place->folder, &err), "%s", err.message);
    arena_done(&place->arena);
}

// Runs in the repository, commits all of it, and gives the commit.
static str commit(struct place *place, const char *command)
{
    sh(place, arena_format(&place->arena,
                           "cd repo && { %s\n} && git add -A && git commit -qm change && "
                           "git rev-parse HEAD >../commit",
                           command)
                  .data);
    return str_of(slurp(place, "commit"));
}

static bool make(struct place *place, const struct bundle_request *given, struct bundle *ret,
                 struct error *err)
{
    struct bundle_request request = *given;
    request.repository = request.repository ? request.repository : place->repository;
    request.cache_folder = request.cache_folder ? request.cache_folder : place->cache;
    return bundle_make(&place->arena, &request, ret, err);
}

static struct bundle must(struct place *place, struct bundle_request request)
{
    struct bundle bundle = {0};
    struct error err = {0};
    cr_assert(make(place, &request, &bundle, &err), "%s", err.message);
    return bundle;
}

static void refused(struct place *place, struct bundle_request request, enum error_kind kind,
                    const char *words)
{
    struct bundle bundle;
    struct error err = {0};
    cr_assert_not(make(place, &request, &bundle, &err), "it is taken: %s", words);
    expect_contains(str_of(err.message), words);
    cr_expect_eq(err.kind, kind, "%s: %s", error_kind_name(err.kind), err.message);
    sh(place, "test -z \"$(ls cache 2>/dev/null | grep new-)\"");
}

// Every kind of file that a tree can hold.
#define ALL_KINDS                                                                                  \
    "mkdir -p deep/er tests 'a b' && echo plain >plain && : >empty && echo '#!/bin/sh' >run &&"    \
    "chmod 755 run && ln -s plain link && ln -s ../plain deep/up && ln -s nowhere dangling &&"     \
    "echo ä >'größe ÿ 日本語.txt' && mkdir 'ordner ß' && echo x >'ordner ß/é' &&"        \
    "ln -s 'größe ÿ 日本語.txt' 'verweis ö' && echo q >'a b/c\"d\\e' &&"                    \
    "head -c 3000000 /dev/urandom >big && n=$(printf '%0120d' 7) &&"                               \
    "mkdir -p $n/$n && echo long >$n/$n/$n && ln -s $n/$n/$n far &&"                               \
    "echo s >tests/secret && echo t >deep/er/test.log && echo keep >deep/er/kept.log &&"           \
    "printf 'tests export-ignore\\n*.log export-ignore\\n' >.gitattributes &&"                     \
    "printf 'kept.log -export-ignore\\n' >deep/er/.gitattributes"

// git archive lets the group write (tar.umask); we do not.
#define LIST                                                                                       \
    "find . -mindepth 1 -not -type d -printf '%M %l|%P|%s|%T@\\n' | LC_ALL=C sort |"               \
    "sed 's/^\\(-....\\)w/\\1-/'"

Test(bundle, holds_what_git_archive_holds)
{
    struct place place;
    open_place(&place);
    str id = commit(&place, ALL_KINDS);
    for (int gzip = 0; gzip < 2; gzip++) {
        struct bundle bundle = must(&place, (struct bundle_request){.commit = id, .gzip = gzip});
        sh(&place, "rm -rf ours theirs && mkdir ours theirs");
        sh(&place, arena_format(&place.arena, "%s <'%s' | tar -xf - -C ours",
                                gzip ? "gzip -dc" : "zstd -qdc", bundle.path.data)
                       .data);
        sh(&place, "git -C repo archive HEAD | tar -xf - -C theirs");
        sh(&place, "diff -r --no-dereference ours theirs");
        sh(&place, "(cd ours && " LIST ") >ours.list; (cd theirs && " LIST ") >theirs.list; "
                   "cmp ours.list theirs.list && test $(wc -l <ours.list) -ge 16");
        sh(&place, "test -x ours/run && test ! -e ours/tests && test -e ours/deep/er/kept.log && "
                   "test ! -e ours/deep/er/test.log && test -e 'ours/größe ÿ 日本語.txt'");
    }
    close_place(&place);
}

Test(bundle, the_digest_is_of_the_bytes_and_names_the_file)
{
    struct place place;
    open_place(&place);
    struct bundle bundle =
        must(&place, (struct bundle_request){.commit = commit(&place, ALL_KINDS)});
    sh(&place,
       arena_format(&place.arena, "sha256sum <'%s' | cut -c1-64 >digest; stat -c %%s '%s' >size",
                    bundle.path.data, bundle.path.data)
           .data);
    expect_str(str_from(bundle.digest, 7), slurp(&place, "digest"));
    cr_expect_eq(bundle.size_bytes, strtoull(slurp(&place, "size"), NULL, 10));
    cr_expect(str_search(bundle.path, str_from(bundle.digest, 7)) != STR_NONE);
    close_place(&place);
}

// Neither time, place, umask nor what lies about in the working tree or in a user's settings.
Test(bundle, the_same_commit_gives_the_same_bytes_everywhere)
{
    struct place place;
    open_place(&place);
    str id = commit(&place, ALL_KINDS);
    struct bundle first = must(&place, (struct bundle_request){.commit = id});
    sh(&place, "git clone -q repo clone && git clone -q --bare repo bare && mkdir clone/sub");
    sh(&place, "cd repo && echo 'plain export-ignore' >>.gitattributes && git add -A && "
               "echo 'big export-ignore' >.git/info/attributes && echo dirty >plain && "
               "mkdir -p ../home && echo 'run export-ignore' >../home/attributes && "
               "git config core.attributesFile \"$PWD/../home/attributes\"");
    const char *const places[] = {"repo", "clone", "clone/sub", "bare"};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        const char *repository = arena_format(&place.arena, "%s/%s", place.folder, places[i]).data;
        mode_t before = umask(i % 2 ? 077 : 0);
        struct bundle again =
            must(&place, (struct bundle_request){.commit = id, .repository = repository});
        (void)umask(before);
        cr_expect(str_eq(again.digest, first.digest), "%s", places[i]);
    }
    close_place(&place);
}

Test(bundle, another_commit_is_another_bundle)
{
    struct place place;
    open_place(&place);
    str one = commit(&place, "echo one >app"), two = commit(&place, "echo two >app");
    struct bundle a = must(&place, (struct bundle_request){.commit = one});
    struct bundle b = must(&place, (struct bundle_request){.commit = two});
    struct bundle c = must(&place, (struct bundle_request){.commit = two, .gzip = true});
    cr_expect_not(str_eq(a.digest, b.digest));
    cr_expect_not(str_eq(b.digest, c.digest));
    close_place(&place);
}

// A name that is not UTF-8 goes out as it is, or is refused by name: never changed.
Test(bundle, a_name_in_another_character_set_is_not_changed)
{
    struct place place;
    open_place(&place);
    str id = commit(&place, "echo x >\"$(printf 'gr\\366\\337e')\" && echo y >plain");
    struct bundle bundle;
    struct error err = {0};
    if (make(&place, &(struct bundle_request){.commit = id}, &bundle, &err)) {
        sh(&place, arena_format(&place.arena, "mkdir ours && zstd -qdc '%s' | tar -xf - -C ours",
                                bundle.path.data)
                       .data);
        sh(&place, "test -e \"ours/$(printf 'gr\\366\\337e')\"");
    } else {
        cr_expect_eq(err.kind, ERROR_INPUT, "%s", err.message);
        expect_contains(str_of(err.message), "UTF-8");
    }
    close_place(&place);
}

// ---- what no bundle can be made of -------------------------------------------------------------

Test(bundle, content_that_is_not_in_the_commit_is_refused)
{
    struct place place;
    open_place(&place);
    str lfs = commit(&place, "echo '*.bin filter=lfs diff=lfs merge=lfs -text' >.gitattributes && "
                             "git config filter.lfs.clean cat && echo pointer >model.bin");
    refused(&place, (struct bundle_request){.commit = lfs}, ERROR_INPUT,
            "model.bin is kept by Git LFS: its content is not in the commit; build a bundle "
            "yourself and give it with --artifact");
    sh(&place, "git init -q other && cd other && git config user.email a@example.org && "
               "git config user.name a && echo x >x && git add -A && git commit -qm x");
    str module = commit(&place, "rm .gitattributes model.bin && git -c protocol.file.allow=always "
                                "submodule --quiet add ../other vendor/other");
    refused(&place, (struct bundle_request){.commit = module}, ERROR_INPUT,
            "vendor/other is a submodule");
    str left_out = commit(&place, "echo 'vendor export-ignore' >.gitattributes && echo x >app");
    (void)must(&place, (struct bundle_request){.commit = left_out});
    close_place(&place);
}

Test(bundle, what_is_not_there_is_said)
{
    struct place place;
    open_place(&place);
    str id = commit(&place, "echo x >x");
    refused(
        &place, (struct bundle_request){.commit = STR("0123456789012345678901234567890123456789")},
        ERROR_ABSENT, "commit 0123456789012345678901234567890123456789 is not in this repository");
    refused(&place, (struct bundle_request){.commit = str_first(id, 12)}, ERROR_ABSENT,
            "is not in this repository");
    refused(&place, (struct bundle_request){.commit = STR("HEAD")}, ERROR_ABSENT,
            "is not in this repository");
    refused(&place, (struct bundle_request){.commit = id, .repository = "/"}, ERROR_SYSTEM,
            "opening the repository");
    sh(&place, "echo >file");
    const char *file = arena_format(&place.arena, "%s/file", place.folder).data;
    refused(&place, (struct bundle_request){.commit = id, .cache_folder = file}, ERROR_SYSTEM,
            file);
    close_place(&place);
}

// ---- given ones --------------------------------------------------------------------------------

Test(bundle, one_that_is_given_by_path_is_kept)
{
    struct place place;
    open_place(&place);
    sh(&place, "echo 'my own' >mine.tar.gz");
    str path = arena_format(&place.arena, "%s/mine.tar.gz", place.folder);
    struct bundle bundle = must(&place, (struct bundle_request){.given = path});
    expect_str(bundle.digest,
               "sha256:1a5719c485923e03b86f4183505761834892ed52dedc491ecfbdee3778019a70");
    cr_expect_eq(bundle.size_bytes, 7);
    sh(&place, "rm mine.tar.gz");
    struct bundle again = must(&place, (struct bundle_request){.given = bundle.digest});
    cr_expect(str_eq(again.path, bundle.path));
    sh(&place, arena_format(&place.arena, "grep -qx 'my own' '%s'", again.path.data).data);
    close_place(&place);
}

Test(bundle, one_of_the_cache_is_found_by_its_digest)
{
    struct place place;
    open_place(&place);
    struct bundle made = must(&place, (struct bundle_request){.commit = commit(&place, "echo >x")});
    struct bundle found = must(&place, (struct bundle_request){.given = made.digest});
    cr_expect(str_eq(found.path, made.path));
    cr_expect_eq(found.size_bytes, made.size_bytes);
    sh(&place, arena_format(&place.arena, "echo more >>'%s'", made.path.data).data);
    refused(&place, (struct bundle_request){.given = made.digest}, ERROR_SYSTEM,
            "does not have its digest any more: remove it");
    close_place(&place);
}

Test(bundle, what_is_given_wrongly_is_refused)
{
    struct place place;
    open_place(&place);
    sh(&place, "mkdir cache somewhere && echo secret >secret.tar");
    static const char *const digests[] = {
        "sha256:", "sha256:abc", "sha256:../secret",
        "sha256:0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF",
        "sha256:00000000000000000000000000000000000000000000000000000000000000000"};
    for (size_t i = 0; i < sizeof digests / sizeof digests[0]; i++)
        refused(&place, (struct bundle_request){.given = str_of(digests[i])}, ERROR_INPUT,
                "is not a digest");
    refused(&place,
            (struct bundle_request){
                .given =
                    STR("sha256:0000000000000000000000000000000000000000000000000000000000000000")},
            ERROR_ABSENT, "is kept here: give its path with --artifact");
    str absent = arena_format(&place.arena, "%s/absent.tar", place.folder);
    refused(&place, (struct bundle_request){.given = absent}, ERROR_ABSENT, "opening");
    str folder = arena_format(&place.arena, "%s/somewhere", place.folder);
    refused(&place, (struct bundle_request){.given = folder}, ERROR_SYSTEM, "reading");
    close_place(&place);
}
