#include "actions/cli/project.h"

#include "gate/base/limits.h"
#include "gate/intake/find.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

// The first kind that fits a folder wins, so the more telling ones come first.
static const char *const python_files[] = {
    "pyproject.toml", "requirements*.txt", "setup.cfg",          "tox.ini",
    "pytest.ini",     "conftest.py",       "requirements/*.txt", NULL};
static const char *const pytest_files[] = {"tests/test_*.py", "test/test_*.py", NULL};
static const char *const django_files[] = {"manage.py", NULL};
static const char *const plain_python_files[] = {"pyproject.toml", "setup.py", "requirements.txt",
                                                 NULL};
static const char *const go_files[] = {"go.mod", NULL};
static const char *const node_files[] = {"package.json", NULL};
static const char *const maven_files[] = {"pom.xml", NULL};
static const char *const gradle_files[] = {"build.gradle", "build.gradle.kts", NULL};
static const char *const rust_files[] = {"Cargo.toml", NULL};
static const char *const ruby_files[] = {"Gemfile", NULL};
static const char *const dotnet_files[] = {"*.sln", "*.slnx", "*.csproj", NULL};

#define PYTHON_SETUP                                                                               \
    "      - uses: actions/setup-python@v5\n"                                                      \
    "        with: {python-version: \"3.x\"}\n"

#define PYTEST                                                                                     \
    .name = "Python with pytest", .family = "python",                                              \
    .setup = PYTHON_SETUP                                                                          \
        "      - run: if [ -f requirements.txt ]; then pip install -r requirements.txt; else pip " \
        "install .; fi\n"                                                                          \
        "      - run: pip install pytest pytest-cov\n",                                            \
    .prepare = "pip install pytest pytest-cov",                                                    \
    .tests = "pytest --junitxml=junit.xml --cov --cov-branch --cov-report=xml",                    \
    .coverage = "coverage.xml", .results = "junit.xml", .whole = true

#define NODE_SETUP                                                                                 \
    "      - uses: actions/setup-node@v4\n"                                                        \
    "        with: {node-version: lts/*}\n"                                                        \
    "      - run: npm ci\n"

static const struct project_kind kinds[] = {
    {PYTEST, .manifests = python_files, .word = "pytest"},
    {.name = "Django",
     .family = "python",
     .manifests = django_files,
     .setup = PYTHON_SETUP
     "      - run: if [ -f requirements.txt ]; then pip install -r requirements.txt; fi\n"
     "      - run: pip install coverage unittest-xml-reporting\n",
     .prepare = "pip install coverage unittest-xml-reporting",
     .tests = "coverage run --branch manage.py test --testrunner "
              "xmlrunner.extra.djangotestrunner.XMLTestRunner",
     .after = "coverage xml",
     .coverage = "coverage.xml",
     .results = "TEST-*.xml",
     .whole = true},
    {PYTEST, .manifests = pytest_files, .word = "\ndef test_"}, // no class around: no unittest
    {.name = "Python with unittest",
     .family = "python",
     .manifests = plain_python_files,
     .setup = PYTHON_SETUP "      - run: pip install . coverage unittest-xml-reporting\n",
     .prepare = "pip install coverage unittest-xml-reporting",
     .tests = "coverage run --branch -m xmlrunner discover",
     .after = "coverage xml",
     .coverage = "coverage.xml",
     .results = "TEST-*.xml",
     .whole = true},
    {.name = "Go",
     .family = "go",
     .manifests = go_files,
     .setup = "      - uses: actions/setup-go@v5\n"
              "        with: {go-version: stable}\n",
     .tests = "go test -json -coverprofile=coverage.out ./... > go-test.json",
     .coverage = "coverage.out",
     .results = "go-test.json"},
    {.name = "Vitest",
     .family = "node",
     .manifests = node_files,
     .word = "\"vitest\"",
     .setup = NODE_SETUP,
     .prepare = "npm install --save-dev @vitest/coverage-v8",
     .tests = "npx vitest run --coverage --coverage.reporter=lcov --reporter=junit "
              "--outputFile=junit.xml",
     .coverage = "coverage/lcov.info",
     .results = "junit.xml"},
    {.name = "Jest",
     .family = "node",
     .manifests = node_files,
     .word = "\"jest\"",
     .setup = NODE_SETUP,
     .tests = "npx jest --coverage --coverageReporters=lcov --json --outputFile=jest.json",
     .coverage = "coverage/lcov.info",
     .results = "jest.json"},
    {.name = "Mocha",
     .family = "node",
     .manifests = node_files,
     .word = "\"mocha\"",
     .setup = NODE_SETUP,
     .prepare = "npm install --save-dev c8",
     .tests = "npx c8 --reporter=lcov mocha --reporter json > mocha.json",
     .coverage = "coverage/lcov.info",
     .results = "mocha.json"},
    {.name = "Node's own test runner",
     .family = "node",
     .manifests = node_files,
     .setup = NODE_SETUP,
     .prepare = "npm install --save-dev c8",
     .tests = "npx c8 --reporter=lcov node --test --test-reporter=junit "
              "--test-reporter-destination=junit.xml",
     .coverage = "coverage/lcov.info",
     .results = "junit.xml"},
    {.name = "Maven",
     .family = "java",
     .manifests = maven_files,
     .setup = "      - uses: actions/setup-java@v4\n"
              "        with: {distribution: temurin, java-version: 21}\n",
     .tests = "mvn -B org.jacoco:jacoco-maven-plugin:prepare-agent verify "
              "org.jacoco:jacoco-maven-plugin:report",
     .coverage = "**/target/site/jacoco/jacoco.xml",
     .results = "**/target/surefire-reports/TEST-*.xml",
     .whole = true},
    {.name = "Gradle",
     .family = "java",
     .manifests = gradle_files,
     .setup = "      - uses: actions/setup-java@v4\n"
              "        with: {distribution: temurin, java-version: 21}\n",
     .prepare = "the `jacoco` plugin with `reports { xml.required = true }`",
     .tests = "./gradlew test jacocoTestReport --continue",
     .coverage = "**/build/reports/jacoco/**/*.xml",
     .results = "**/build/test-results/**/TEST-*.xml",
     .whole = true},
    {.name = "Rust",
     .family = "rust",
     .manifests = rust_files,
     .setup = "      - uses: taiki-e/install-action@v2\n"
              "        with: {tool: \"cargo-llvm-cov,cargo-nextest\"}\n",
     .prepare = "cargo install cargo-llvm-cov cargo-nextest, and in .config/nextest.toml: "
                "[profile.default.junit] path = \"junit.xml\"",
     .tests = "cargo llvm-cov nextest --no-fail-fast --lcov --output-path lcov.info",
     .coverage = "lcov.info",
     .results = "target/nextest/default/junit.xml",
     .whole = true},
    {.name = "Ruby with RSpec",
     .family = "ruby",
     .manifests = ruby_files,
     .setup = "      - uses: ruby/setup-ruby@v1\n"
              "        with: {bundler-cache: true}\n",
     .prepare = "the gems simplecov and rspec_junit_formatter",
     .tests = "bundle exec rspec --format RspecJunitFormatter --out junit.xml",
     .coverage = "coverage/.resultset.json",
     .results = "junit.xml"},
    {.name = ".NET",
     .family = "dotnet",
     .manifests = dotnet_files,
     .setup = "      - uses: actions/setup-dotnet@v4\n",
     .tests = "dotnet test --collect \"XPlat Code Coverage\" --logger trx --results-directory "
              "TestResults",
     .coverage = "TestResults/**/coverage.cobertura.xml",
     .results = "TestResults/*.trx",
     .whole = true},
};

enum { KINDS = sizeof kinds / sizeof *kinds, CRITICAL_MAX = 6, MANIFEST_BYTES = 256 * 1024 };

static bool file_holds(int root, const char *path, const char *word)
{
    struct error ignored;
    int file;
    if (!word)
        return true;
    if (!file_open(root, path, &file, &ignored))
        return false;
    char *bytes = memory_alloc(MANIFEST_BYTES);
    ssize_t got = read(file, bytes, MANIFEST_BYTES);
    bool holds = got > 0 && str_search(str_make(bytes, (size_t)got), str_of(word)) != STR_NONE;
    memory_free(bytes);
    (void)close(file);
    return holds;
}

static const char *folder_of(struct arena *arena, const char *path, const char *manifest)
{
    str s = str_of(path);
    size_t names = 1; // of the manifest's pattern
    for (; *manifest; manifest++)
        names += *manifest == '/';
    for (; names; names--) {
        size_t slash = str_find_last(s, '/');
        s = slash == STR_NONE ? (str){"", 0} : str_first(s, slash);
    }
    return s.len ? arena_format(arena, STR_FMT "/", STR_ARG(s)).data : "";
}

// A folder is one part of a project: the first kind that fits it, and nothing inside a part whose
// one run covers what is nested.
static bool is_taken(const struct project *project, const struct project_kind *kind,
                     const char *folder)
{
    for (size_t i = 0; i < project->part_count; i++) {
        const struct project_part *part = &project->parts[i];
        bool same = strcmp(part->folder, folder) == 0;
        bool inside = str_starts(str_of(folder), str_of(part->folder));
        bool family = strcmp(part->kind->family, kind->family) == 0;
        if (family && (same || (inside && part->kind->whole)))
            return true;
    }
    return false;
}

static bool add_kind(struct arena *arena, int root, const struct project_kind *kind,
                     struct project *project, struct error *err)
{
    for (size_t m = 0; kind->manifests[m]; m++) {
        str pattern = arena_format(arena, "**/%s", kind->manifests[m]);
        struct found found = {0};
        if (!files_find(arena, root, &pattern, 1, FIND_USUAL, &found, err))
            return false;
        for (size_t i = 0; i < found.count; i++) {
            const char *folder = folder_of(arena, found.items[i], kind->manifests[m]);
            if (is_taken(project, kind, folder) || !file_holds(root, found.items[i], kind->word))
                continue;
            project->parts = arena_grow(arena, project->parts, project->part_count,
                                        &project->part_room, sizeof *project->parts);
            project->parts[project->part_count++] = (struct project_part){kind, folder};
        }
    }
    return true;
}

// ---- folders that a business would call critical ------------------------------------------------
static bool is_critical(str name)
{
    static const str words[] = {STR_INIT("payment"), STR_INIT("billing"),  STR_INIT("checkout"),
                                STR_INIT("invoice"), STR_INIT("auth"),     STR_INIT("login"),
                                STR_INIT("account"), STR_INIT("enrol"),    STR_INIT("order"),
                                STR_INIT("wallet"),  STR_INIT("security"), STR_INIT("permission"),
                                STR_INIT("grading"), STR_INIT("exam")};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_starts(name, words[i]))
            return true;
    return false;
}

static void add_critical(struct arena *arena, struct project *project, str path)
{
    size_t from = 0;
    for (size_t i = 0; i < path.len && project->critical_count < CRITICAL_MAX; i++) {
        if (path.data[i] != '/')
            continue;
        str name = str_make(path.data + from, i - from);
        from = i + 1;
        if (!is_critical(name))
            continue;
        const char *folder = arena_copy(arena, str_first(path, i));
        bool known = false;
        for (size_t k = 0; k < project->critical_count; k++)
            known |= str_starts(str_of(folder), str_of(project->critical[k]));
        if (!known) {
            project->critical =
                arena_grow(arena, (void *)project->critical, project->critical_count,
                           &project->critical_room, sizeof *project->critical);
            project->critical[project->critical_count++] = folder;
        }
        return;
    }
}

static bool find_critical(struct arena *arena, int root, struct project *project, struct error *err)
{
    static const str sources[] = {STR_INIT("**/*.py"), STR_INIT("**/*.go"),   STR_INIT("**/*.ts"),
                                  STR_INIT("**/*.js"), STR_INIT("**/*.java"), STR_INIT("**/*.rb"),
                                  STR_INIT("**/*.kt"), STR_INIT("**/*.rs"),   STR_INIT("**/*.cs")};
    struct found found = {0};
    if (!files_find(arena, root, sources, sizeof sources / sizeof *sources, FIND_USUAL, &found,
                    err))
        return false;
    for (size_t i = 0; i < found.count; i++)
        if (str_search(str_of(found.items[i]), STR("test")) == STR_NONE)
            add_critical(arena, project, str_of(found.items[i]));
    return true;
}

bool project_look(struct arena *arena, const char *root, struct project *ret, struct error *err)
{
    struct project project = {0};
    int folder = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return error_errno(err, "opening", root);
    bool ok = true;
    for (size_t i = 0; ok && i < KINDS; i++)
        ok = add_kind(arena, folder, &kinds[i], &project, err);
    ok = ok && find_critical(arena, folder, &project, err);
    (void)close(folder);
    if (ok)
        *ret = project;
    return ok;
}
