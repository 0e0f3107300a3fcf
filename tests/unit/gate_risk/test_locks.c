#include "../expect.h"
#include "gate/risk/locks.h"

static struct arena arena;
static void done(void)
{
    arena_done(&arena);
}

TestSuite(locks, .fini = done);

struct sample {
    const char *path, *text;
    // "ecosystem name version pin line", one a line; '*' before the name: nested
    const char *want;
};

static const char *shown(const struct locks *locks)
{
    static const char *const pins[] = {"exact", "from", "none"};
    str text = {0};
    for (size_t i = 0; i < locks->count; i++) {
        const struct locked *one = &locks->items[i];
        text = arena_format(&arena, STR_FMT STR_FMT " %s" STR_FMT " " STR_FMT " %s %u\n",
                            STR_ARG(text), STR_ARG(one->ecosystem), one->nested ? "*" : "",
                            STR_ARG(one->name), STR_ARG(one->version), pins[one->pin], one->line);
    }
    return text.len ? text.data : "";
}

static const struct sample samples[] = {
    {"requirements.txt",
     "# packages\n-i https://index.example/simple\nDjango==4.2.1  # web\n"
     "psycopg[binary,pool] == 3.1.18 ; python_version >= \"3.8\"\n"
     "celery>=5.2,<6\nredis\nattrs==23.2.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n"
     "zope.interface===6.0\n./vendored/thing\ngit+https://example.org/a.git#egg=a\n"
     "wheel @ https://example.org/wheel.whl\r\npinned==1.2.*\n",
     "pypi django 4.2.1 exact 3\npypi psycopg 3.1.18 exact 4\npypi celery 5.2 from 5\n"
     "pypi redis  none 6\npypi attrs 23.2.0 exact 7\npypi zope-interface 6.0 exact 10\n"
     "pypi wheel  none 13\npypi pinned 1.2.* exact 14\n"},
    {"poetry.lock",
     "# made by poetry\n\n[[package]]\nname = \"Django\"\nversion = \"5.0.3\"\nfiles = [\n"
     "    {file = \"x[\", hash = \"y\"},\n]\n\n[package.dependencies]\nname = \"not me\"\n"
     "version = \"9\"\n\n[[package]]\nname = \"celery\"\nversion = \"5.3.6\"\n\n[metadata]\n"
     "python-versions = \"^3.11\"\n",
     "pypi django 5.0.3 exact 5\npypi celery 5.3.6 exact 16\n"},
    {"uv.lock",
     "version = 1\nrequires-python = \">=3.12\"\n\n[[package]]\nname = \"shop\"\n"
     "version = \"0.1.0\"\nsource = { virtual = \".\" }\ndependencies = [\n"
     "    { name = \"django\" },\n]\n\n[[package]]\nname = \"django\"\nversion = \"5.2.1\"\n"
     "source = { registry = \"https://index.example/simple\" }\n",
     "pypi django 5.2.1 exact 14\n"},
    {"backend/pyproject.toml", "[project]\nname = \"shop\"\nrequires-python = \">=3.10,<3.13\"\n",
     "runtime python 3.10 from 3\n"},
    {"pyproject.toml", "[tool.poetry.dependencies]\npython = \"^3.11\"\n",
     "runtime python 3.11 from 2\n"},
    {".python-version", "3.11.9\n", "runtime python 3.11.9 exact 1\n"},
    {"runtime.txt", "python-3.9.18\n", "runtime python 3.9.18 exact 1\n"},
    {".nvmrc", "v20.11.0\n", "runtime node v20.11.0 exact 1\n"},
    {".nvmrc", "lts/iron\n", "runtime node  none 1\n"},
    {"Dockerfile",
     "# syntax=docker/dockerfile:1\nARG PY=3.11\nFROM --platform=linux/amd64 "
     "python:${PY}-slim AS build\nRUN pip install .\nFROM build AS test\nFROM scratch\n"
     "FROM docker.io/library/node:20@sha256:aa\nFROM ${BASE:-postgres:15.4}\nFROM redis\n"
     "from registry.example:5000/own/app:latest\n",
     "image python 3.11-slim exact 3\nimage node 20 exact 7\nimage postgres 15.4 exact 8\n"
     "image redis  none 9\nimage registry.example:5000/own/app  none 10\n"},
    {"docker-compose.yml",
     "x-common: &common\n  restart: always\nservices:\n  db:\n    <<: *common\n"
     "    image: \"postgres:15\" # the database\n  cache:\n    image: redis:${REDIS:-7.2}-alpine\n",
     "image postgres 15 exact 6\nimage redis 7.2-alpine exact 8\n"},
    {"frontend/package-lock.json",
     "{\"name\": \"f\", \"lockfileVersion\": 3, \"packages\": {\n"
     "\"\": {\"version\": \"1.0.0\", \"engines\": {\"node\": \">=18 <21\"}},\n"
     "\"node_modules/@babel/core\": {\"version\": \"7.24.0\"},\n"
     "\"node_modules/a/node_modules/@x/b\": {\"version\": \"1.2.3\"},\n"
     "\"packages/own\": {\"version\": \"9.9.9\"},\n"
     "\"node_modules/own\": {\"resolved\": \"packages/own\", \"link\": true}}}",
     "runtime node 18 from 2\nnpm @babel/core 7.24.0 exact 3\nnpm *@x/b 1.2.3 exact 4\n"},
    {"package-lock.json",
     "{\"lockfileVersion\": 1, \"dependencies\": {\n\"a\": {\"version\": \"1.0.0\",\n"
     "\"dependencies\": {\"b\": {\"version\": \"2.0.0\"}}}}}",
     "npm a 1.0.0 exact 2\nnpm *b 2.0.0 exact 3\n"},
    {"Pipfile.lock",
     "{\"_meta\": {\"requires\": {\"python_version\": \"3.10\"}},\n\"default\": {\"Django\": "
     "{\"version\": \"==4.2.11\"}},\n\"develop\": {}}",
     "runtime python 3.10 exact 1\npypi django 4.2.11 exact 2\n"},
    {"yarn.lock",
     "# yarn lockfile v1\n\n\n\"@babel/core@^7.0.0\", \"@babel/core@^7.1.0\":\n  version "
     "\"7.24.0\"\n  dependencies:\n    version \"1\"\nleft-pad@^1.0:\n  version \"1.3.0\"\n",
     "npm @babel/core 7.24.0 exact 5\nnpm left-pad 1.3.0 exact 9\n"},
    {"yarn.lock",
     "__metadata:\n  version: 8\n\n\"react@npm:^18.2.0\":\n  version: 18.2.0\n\"f@workspace:.\":\n"
     "  version: 0.0.0-use.local\n",
     "npm react 18.2.0 exact 5\n"},
    {"pnpm-lock.yaml",
     "lockfileVersion: '9.0'\n\nimporters:\n  .:\n    x: 1\n\npackages:\n\n  "
     "'@babel/core@7.24.0':\n"
     "    resolution: {}\n  /left-pad@1.3.0(peer@2.0.0):\n  /old/1.0.0:\n\nsnapshots:\n  "
     "a@1.0.0:\n",
     "npm @babel/core 7.24.0 exact 9\nnpm left-pad 1.3.0 exact 11\nnpm old 1.0.0 exact 12\n"},
    {".tool-versions", "python 3.11.4 3.10.1\nnodejs 20.1.0 # lts\n\nruby system\n",
     "runtime python 3.11.4 exact 1\nruntime node 20.1.0 exact 2\nruntime ruby  none 4\n"},
    {"deps/prod.in", "django==4.2\n", "pypi django 4.2 exact 1\n"},
    {"go.mod",
     "module example.org/x\n\ngo 1.22.1\n\nrequire (\n\tgolang.org/x/net v0.20.0 // indirect\n)\n"
     "require example.org/y v1.0.0\nreplace (\n\ta => b v1\n)\n",
     "runtime go 1.22.1 exact 3\ngo golang.org/x/net v0.20.0 exact 6\ngo example.org/y v1.0.0 "
     "exact 8\n"},
};

Test(locks, every_kind_of_file)
{
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        struct locks locks = {.arena = &arena};
        struct error err = {0};
        char text[1024];
        cr_assert(locks_read(&locks, samples[i].path, str_of(samples[i].text), &err), "%s: %s",
                  samples[i].path, error_text(&err, text, sizeof text));
        cr_expect_str_eq(shown(&locks), samples[i].want, "%s:\n%s", samples[i].path, shown(&locks));
    }
}

Test(locks, what_is_no_such_file_is_refused_with_its_line)
{
    static const struct {
        const char *path, *text, *want;
    } cases[] = {
        {"requirements.txt", "django==4.2\n???\n",
         "requirements.txt:2: `???` is not a requirement"},
        {"requirements.txt", "django 4.2\n",
         "requirements.txt:1: `django 4.2` is not a requirement"},
        {"requirements.txt", "a[b\n", "requirements.txt:1: `a[b` opens `[` and does not close it"},
        {"requirements.txt", "-r ../other.txt\n",
         "requirements.txt:1: `../other.txt` is not a file of the repository"},
        {"requirements.txt", " \n", "requirements.txt: this requirements file is empty"},
        {"requirements.txt", "\xff\n",
         "requirements.txt: this is no requirements file: it is not text"},
        {"poetry.lock", "<html>\n",
         "poetry.lock:1: this is not TOML: a key and a value are wanted"},
        {"poetry.lock", "[[package]]\nname = \"x\nversion = 1\n",
         "poetry.lock:2: this is not TOML: a string or a bracket does not fit"},
        {"poetry.lock", "[[package]]\nfiles = [\n",
         "poetry.lock:2: the file ends inside of a value"},
        {"poetry.lock", "a = 1\n",
         "poetry.lock:1: this is no lock file of poetry or uv: it has no package"},
        {"package-lock.json", "[]", "package-lock.json:1: this is a list, not a map"},
        {"package-lock.json", "{}",
         "package-lock.json:1: this is no package-lock.json: it has neither `packages` nor "
         "`dependencies`"},
        {"Dockerfile", "RUN x\n", "Dockerfile:1: this is no Dockerfile: it has no FROM"},
        {"compose.yaml", "a: 1\n", "compose.yaml:1: this is no compose file: it has no `services`"},
        {".python-version", "# none\n", ".python-version:1: this names no version of python"},
        {".nvmrc", "twenty or so\n", ".nvmrc:1: `twenty or so` is not a version of node"},
        {"go.mod", "module x\nrequire y\n", "go.mod:2: `y` is no module with its version"},
        {"yarn.lock", "a\n", "yarn.lock:1: this is no yarn.lock: its head is not there"},
        {"pnpm-lock.yaml", "a:\n",
         "pnpm-lock.yaml:1: this is no pnpm-lock.yaml: it has no `lockfileVersion`"},
        {".tool-versions", "\npython\n", ".tool-versions:2: `python` is no tool with its version"},
        {"Pipfile.lock", "{}", "Pipfile.lock:1: this is no Pipfile.lock: it has no `_meta`"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct locks locks = {.arena = &arena};
        struct error err = {0};
        cr_expect_not(locks_read(&locks, cases[i].path, str_of(cases[i].text), &err), "%s %s",
                      cases[i].path, cases[i].text);
        expect_error(&err, ERROR_INPUT, cases[i].want);
        cr_expect_eq(locks.count, 0, "%s", cases[i].want);
    }
}

Test(locks, any_name_is_not_a_lock_file)
{
    struct locks locks = {.arena = &arena};
    struct error err = {0};
    cr_expect_null(lock_kind("README.md"));
    cr_expect_not(locks_read(&locks, "README.md", STR("x"), &err));
    expect_contains(str_of(err.message), "none of the lock files that are read");
}

Test(locks, includes_are_paths_of_the_repository)
{
    struct locks locks = {.arena = &arena};
    struct error err = {0};
    cr_assert(locks_read(&locks, "requirements/prod.txt",
                         STR("-r base.txt\n-c ../constraints.txt\n--requirement=x/./y.txt\n"),
                         &err),
              "%s", err.message);
    cr_assert_eq(locks.include_count, 3);
    cr_expect_str_eq(locks.includes[0].path, "requirements/base.txt");
    cr_expect_str_eq(locks.includes[1].path, "constraints.txt");
    cr_expect_eq(locks.includes[1].line, 2);
    cr_expect_str_eq(locks.includes[2].path, "requirements/x/y.txt");
}

Test(locks, of_several_entries_the_highest_is_found)
{
    struct locks locks = {.arena = &arena};
    struct error err = {0};
    cr_assert(locks_read(
        &locks, "requirements.txt",
        STR("a==1.9 ; python_version < '3.9'\na==1.10 ; python_version >= '3.9'\n"), &err));
    expect_str(locks_find(&locks, STR("pypi"), STR("a"), NULL)->version, "1.10");
    cr_expect_null(locks_find(&locks, STR("npm"), STR("a"), NULL));
    cr_expect_null(locks_find(&locks, STR("pypi"), STR("a"), "other.txt"));
}

// Cut off anywhere, or with a byte changed: an answer or a sentence, and nothing else.
Test(locks, damaged_files_are_read_or_refused)
{
    static const char bytes[] = {'\0', '"', '[', '\n', ' ', '@', ':', '\\', '\x80'};
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        size_t len = strlen(samples[i].text);
        for (size_t cut = 0; cut <= len; cut++) {
            struct arena own = {0};
            char *text = memory_alloc(len + 1); // no byte after it: reading past the end is seen
            struct locks locks = {.arena = &own};
            struct error err = {0};
            memcpy(text, samples[i].text, len);
            char *exact = memory_alloc(cut ? cut : 1);
            memcpy(exact, text, cut);
            if (!locks_read(&locks, samples[i].path, str_make(exact, cut), &err))
                cr_expect(err.message[0] && locks.count == 0, "%s", samples[i].path);
            for (size_t k = 0; cut < len && k < sizeof bytes; k++) {
                locks.count = 0;
                text[cut] = bytes[k];
                (void)locks_read(&locks, samples[i].path, str_make(text, len), &err);
            }
            memory_free(exact);
            memory_free(text);
            arena_done(&own);
        }
    }
}

Test(locks, files_that_name_dependencies)
{
    static const struct {
        const char *path;
        bool names;
    } rows[] = {
        {"poetry.lock", true},        {"web/package.json", true}, {"requirements-dev.txt", true},
        {"requirements/x.txt", true}, {"deep/go.sum", true},      {"Cargo.toml", true},
        {"Dockerfile.web", true},     {"app.csproj", true},       {"build.gradle.kts", true},
        {"docker-compose.yml", true}, {".python-version", true},  {"constraints.txt", true},
        {"notes.txt", false},         {"MANIFEST.in", false},     {"app.py", false},
        {"package.json.md", false},   {"go.mod.bak", false},      {"docs/requirements.md", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(names_dependencies(str_of(rows[i].path)), rows[i].names, "%s", rows[i].path);
    cr_expect_null(lock_kind("setup.py"), "known by its name, and not read");
    cr_expect_null(lock_kind("Cargo.lock"));
    cr_expect_str_eq(lock_kind("requirements-dev.txt"), "requirements file");
    cr_expect_str_eq(lock_kind("any.txt"), "requirements file");
}
