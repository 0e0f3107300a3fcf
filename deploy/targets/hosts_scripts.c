#include "deploy/targets/hosts.h"

#include "gate/base/template.h"
#include "gate/base/text.h"

// Unpacks beside, checks the digest before anything is looked at, renames when whole.
static const char stage_script[] =
    "set -eu\n"
    "mkdir -p \"$SLUICE_PATH/releases\" \"$SLUICE_PATH/shared\"\n"
    "cd \"$SLUICE_PATH/releases\"\n"
    "if [ -d \"$SLUICE_REVISION\" ] && [ ! -e \"$SLUICE_REVISION/.incomplete\" ]; then\n"
    "    cat >/dev/null; exit 0\n"
    "fi\n"
    "new=\".incoming-$SLUICE_REVISION\"\n"
    "rm -rf \"$new\" \"$new.bundle\"\n"
    "mkdir \"$new\"\n"
    "cat >\"$new.bundle\"\n"
    "have=$(sha256sum <\"$new.bundle\" | cut -c1-64)\n"
    "if [ \"sha256:$have\" != \"$SLUICE_DIGEST\" ]; then\n"
    "    rm -rf \"$new\" \"$new.bundle\"\n"
    "    echo \"the bundle arrived as sha256:$have, not as $SLUICE_DIGEST\" >&2; exit 65\n"
    "fi\n"
    "case $(od -An -tx1 -N4 \"$new.bundle\" | tr -d ' ') in\n"
    "28b52ffd) command -v zstd >/dev/null || {\n"
    "    echo 'zstd is not installed here: install it, or set `artifact: {compression: gzip}`' >&2\n"
    "    exit 66; }\n"
    "    zstd -qdc \"$new.bundle\" | tar -xf - -C \"$new\" ;;\n"
    "1f8b*) gzip -dc \"$new.bundle\" | tar -xf - -C \"$new\" ;;\n"
    "*) tar -xf \"$new.bundle\" -C \"$new\" ;;\n"
    "esac\n"
    "rm -f \"$new.bundle\"\n"
    "printf '%s\\n' \"$SLUICE_REVISION\" >\"$new/RELEASE\"\n"
    ": >\"$new/.incomplete\"\n"
    "rm -rf \"$SLUICE_REVISION\"\n"
    "mv \"$new\" \"$SLUICE_REVISION\"\n"
    "cd \"$SLUICE_REVISION\"\n";

static const char stage_end[] = "rm -f \"$SLUICE_PATH/releases/$SLUICE_REVISION/.incomplete\"\n";

// Exit 0 without a word when it already serves. `.serving` is emptied before the flip, so that a
// change that was cut off is seen as such.
static const char activate_script[] =
    "set -eu\n"
    "cd \"$SLUICE_PATH\"\n"
    "if [ ! -d \"releases/$SLUICE_REVISION\" ] || [ -e \"releases/$SLUICE_REVISION/.incomplete\" ]\n"
    "then\n"
    "    echo \"release $SLUICE_REVISION is not complete on this host\" >&2; exit 67\n"
    "fi\n"
    "live=$(readlink current 2>/dev/null || true)\n"
    "if [ \"${live##*/}\" = \"$SLUICE_REVISION\" ] && [ -e .serving ] &&\n"
    "    [ \"$(cat .serving)\" = \"$SLUICE_REVISION\" ]; then\n"
    "    exit 0\n"
    "fi\n"
    ": >.serving\n";

static const char flip_script[] = "cd \"$SLUICE_PATH\"\n"
                                  "ln -sfn \"releases/$SLUICE_REVISION\" .current.new\n"
                                  "mv -T .current.new current\n";

static const char serving_script[] = "cd \"$SLUICE_PATH\"\n"
                                     "printf '%s\\n' \"$SLUICE_REVISION\" >.serving.new\n"
                                     "mv .serving.new .serving\n";

// Newest first; what is live, goes out, or is known good stays whatever its age.
static const char clean_script[] =
    "set -eu\n"
    "cd \"$SLUICE_PATH/releases\"\n"
    "live=$(readlink ../current 2>/dev/null || true)\n"
    "kept=0\n"
    "rm -rf .incoming-*\n"
    "for name in $(ls -1t); do\n"
    "    case $name in \"${live##*/}\" | \"$SLUICE_REVISION\" | \"$SLUICE_GOOD\") continue ;; esac\n"
    "    kept=$((kept + 1))\n"
    "    if [ \"$kept\" -ge \"$SLUICE_KEEP\" ]; then rm -rf \"./$name\"; fi\n"
    "done\n";

static const char observe_script[] =
    "cd \"$SLUICE_PATH\" 2>/dev/null || { echo 'current='; echo 'serving='; exit 0; }\n"
    "live=$(readlink current 2>/dev/null || true)\n"
    "live=${live##*/}\n"
    "echo \"current=$live\"\n"
    "if [ -e .serving ]; then echo \"serving=$(cat .serving)\"; else echo \"serving=$live\"; fi\n";

// A command of the configuration, in a subshell of its own so that it cannot change the script.
static void add_command(struct text *out, const char *folder, str command)
{
    if (command.len == 0)
        return;
    text_addf(out,
              "( cd \"%s\"\n"
              "export SLUICE_RELEASE_DIR=\"$SLUICE_PATH/releases/$SLUICE_REVISION\"\n" STR_FMT "\n)\n",
              folder, STR_ARG(command));
}

static void add_services(const struct hosts_config *config, struct text *out)
{
    const str *services = config->services.items;
    for (size_t i = 0; i < config->services.count; i++) {
        struct template_value values[] = {{"s", services[i]}, {NULL, {NULL, 0}}};
        struct error ignored;
        text_adds(out, "if [ \"$(id -u)\" = 0 ]; then as=; else as='sudo -n'; fi\n"
                       "$as systemctl restart ");
        (void)template_expand(STR("${s}"), values, TEMPLATE_SHELL, out, &ignored);
        text_addc(out, '\n');
    }
}

bool hosts_script(const struct hosts_config *config, enum hosts_script which, struct text *out,
                  struct error *err)
{
    switch (which) {
    case SCRIPT_STAGE:
        text_adds(out, stage_script);
        add_command(out, "$SLUICE_PATH/releases/$SLUICE_REVISION", config->prepare);
        text_adds(out, stage_end);
        break;
    case SCRIPT_ACTIVATE:
        text_adds(out, activate_script);
        add_command(out, "$SLUICE_PATH", config->drain);
        text_adds(out, flip_script);
        add_services(config, out);
        add_command(out, "$SLUICE_PATH", config->restart);
        break;
    case SCRIPT_RESTORE:
        text_adds(out, "set -eu\n");
        add_command(out, "$SLUICE_PATH", config->restore);
        text_adds(out, serving_script);
        break;
    case SCRIPT_CLEAN:
        text_adds(out, clean_script);
        break;
    case SCRIPT_OBSERVE:
        text_adds(out, observe_script);
        break;
    }
    if (text_full(out))
        return error_set(err, ERROR_LIMIT, "the commands of this target are too long");
    return true;
}

bool hosts_expand(const struct hosts_config *config, const struct host *host,
                  const struct target_release *release, const struct template_value *more,
                  str source, enum template_language language, struct text *out, struct error *err)
{
    (void)config;
    enum { MOST = 64 };
    struct template_value values[MOST + 8];
    size_t count = 0;
    values[count++] = (struct template_value){"host", host->name};
    if (release) {
        values[count++] = (struct template_value){"release", release->release};
        values[count++] = (struct template_value){"revision", release->revision};
        values[count++] = (struct template_value){"commit", release->commit};
    }
    for (size_t i = 0; i < host->variable_count && count < MOST; i++)
        values[count++] =
            (struct template_value){host->variables[i].name, host->variables[i].value};
    for (; more && more->name && count < MOST; more++)
        values[count++] = *more;
    values[count] = (struct template_value){NULL, {NULL, 0}};
    return template_expand(source, values, language, out, err);
}
