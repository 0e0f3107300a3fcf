// The shell scripts that are run on a host. They are written for any POSIX sh with the usual Linux
// tools, and so that each can be cut off at any point and run again.
//
// A change holds `.lock` of the host (staging and cleaning: `.stage.lock`), because a script may
// outlive the process that sent it: one that still runs when the next comes is waited for, and
// ended when it takes long. The commands of the configuration run with their output in a file and
// without the lock, so that a server that they leave running holds neither a pipe of ours nor the
// lock.
#include "deploy/targets/hosts.h"

#include "gate/base/limits.h"
#include "gate/base/template.h"
#include "gate/base/text.h"

// The file holds the process group of the script that has the lock.
static const char lock_functions[] =
    "sluice_end() {\n"
    "    read -r sluice_old <\"$1\" || :\n"
    "    case ${sluice_old:-} in '' | *[!0-9]* | 0 | 1 | \"$sluice_group\") return 0 ;; esac\n"
    "    kill -s \"$2\" -- \"-$sluice_old\" 2>/dev/null || :\n"
    "}\n"
    "sluice_lock() {\n"
    "    read -r _ _ _ _ sluice_group _ </proc/$$/stat\n"
    "    exec 9<>\"$1\"\n"
    "    sluice_tries=0\n"
    "    until flock -n 9; do\n"
    "        sluice_tries=$((sluice_tries + 1))\n"
    "        case $sluice_tries in\n"
    "        100) sluice_end \"$1\" TERM ;;\n"
    "        130) sluice_end \"$1\" KILL ;;\n"
    "        180) echo 'an earlier change of this host is still under way' >&2; exit 75 ;;\n"
    "        esac\n"
    "        sleep 0.1\n"
    "    done\n"
    "    echo \"$sluice_group\" >\"$1\"\n"
    "}\n";

// name, folder, command
static const char run_function[] =
    "sluice_run() {\n"
    "    sluice_log=\"$SLUICE_PATH/.$1.log\"\n"
    "    rm -f \"$sluice_log\"\n"
    "    sluice_status=0\n"
    "    ( cd \"$2\" && exec sh -ec \"$3\" ) </dev/null >\"$sluice_log\" 2>&1 9>&- ||\n"
    "        sluice_status=$?\n"
    "    if [ \"$sluice_status\" != 0 ]; then\n"
    "        sluice_said=$(tail -n 1 \"$sluice_log\")\n"
    "        echo \"\\`$1\\` says: ${sluice_said:-nothing}\" >&2\n"
    "        exit \"$sluice_status\"\n"
    "    fi\n"
    "}\n";

// What `current` leads to and what serves, into sluice_live and sluice_serving.
static const char live_function[] =
    "sluice_look() {\n"
    "    sluice_link=$(readlink current || :)\n"
    "    sluice_link=${sluice_link%/}\n"
    "    sluice_live=${sluice_link##*/}\n"
    "    if [ -e current ] && [ ! -L current ]; then\n"
    "        echo \"$SLUICE_PATH/current is not a link: move it to releases/, and link to it\" "
    ">&2\n"
    "        exit 68\n"
    "    fi\n"
    "    if [ -n \"$sluice_live\" ] && ! [ current -ef \"releases/$sluice_live\" ]; then\n"
    "        echo \"$SLUICE_PATH/current leads to $sluice_link, which is not a folder in "
    "releases/\" >&2\n"
    "        exit 69\n"
    "    fi\n"
    "    if [ -e .serving ]; then sluice_serving=$(cat .serving); else "
    "sluice_serving=$sluice_live; fi\n"
    "}\n";

// Unpacks beside, checks the digest before anything is looked at, renames when whole.
#define TOOLS "tar sha256sum od tail flock readlink"

static const char stage_script[] =
    "for sluice_tool in " TOOLS "; do\n"
    "    command -v $sluice_tool >/dev/null || {\n"
    "        echo \"$sluice_tool is not installed here\" >&2; exit 66; }\n"
    "done\n"
    "mkdir -p \"$SLUICE_PATH/releases\" \"$SLUICE_PATH/shared\"\n"
    "cd \"$SLUICE_PATH/releases\"\n"
    "sluice_lock ../.stage.lock\n"
    "if [ -d \"$SLUICE_REVISION\" ] && [ ! -e \"$SLUICE_REVISION/.incomplete\" ]; then\n"
    "    cat >/dev/null; exit 0\n"
    "fi\n"
    "sluice_new=\".incoming-$SLUICE_REVISION\"\n"
    "rm -rf \"$sluice_new\" \"$sluice_new.bundle\"\n"
    "mkdir \"$sluice_new\"\n"
    "cat >\"$sluice_new.bundle\"\n"
    "sluice_have=$(sha256sum <\"$sluice_new.bundle\" | cut -c1-64)\n"
    "if [ \"sha256:$sluice_have\" != \"$SLUICE_DIGEST\" ]; then\n"
    "    rm -rf \"$sluice_new\" \"$sluice_new.bundle\"\n"
    "    echo \"the bundle arrived as sha256:$sluice_have, not as $SLUICE_DIGEST\" >&2; exit 65\n"
    "fi\n"
    "case $(od -An -tx1 -N4 \"$sluice_new.bundle\" | tr -d ' ') in\n"
    "28b52ffd) command -v zstd >/dev/null || {\n"
    "    echo 'zstd is not installed here: install it, or set `artifact: {compression: gzip}`' "
    ">&2\n"
    "    exit 66; }\n"
    "    zstd -qdc \"$sluice_new.bundle\" | tar -xf - -C \"$sluice_new\" ;;\n"
    "1f8b*) gzip -dc \"$sluice_new.bundle\" | tar -xf - -C \"$sluice_new\" ;;\n"
    "*) tar -xf \"$sluice_new.bundle\" -C \"$sluice_new\" ;;\n"
    "esac\n"
    "rm -f \"$sluice_new.bundle\"\n"
    "printf '%s\\n' \"$SLUICE_REVISION\" >\"$sluice_new/RELEASE\"\n"
    ": >\"$sluice_new/.incomplete\"\n"
    "rm -rf \"$SLUICE_REVISION\"\n"
    "mv \"$sluice_new\" \"$SLUICE_REVISION\"\n";

static const char stage_end[] = "rm -f \"$SLUICE_PATH/releases/$SLUICE_REVISION/.incomplete\"\n";

// A migration is never ended halfway: the next waits for it. So the command itself holds the lock,
// and what it would leave running in the background holds it too.
static const char migrate_begin[] =
    "cd \"$SLUICE_PATH\"\n"
    "exec 9<>.migrate.lock\n"
    "flock -w 60 9 || { echo 'a migration is still under way' >&2; exit 75; }\n"
    "sluice_run() {\n"
    "    sluice_log=\"$SLUICE_PATH/.$1.log\"\n"
    "    rm -f \"$sluice_log\"\n"
    "    sluice_status=0\n"
    "    ( cd \"$2\" && exec sh -ec \"$3\" ) </dev/null >\"$sluice_log\" 2>&1 || "
    "sluice_status=$?\n"
    "    [ \"$sluice_status\" = 0 ] && return\n"
    "    sluice_said=$(tail -n 1 \"$sluice_log\")\n"
    "    echo \"\\`$1\\` says: ${sluice_said:-nothing}\" >&2\n"
    "    exit \"$sluice_status\"\n"
    "}\n";

// `.serving` is emptied before anything else, so that a change that was cut off is seen as such.
static const char activate_script[] =
    "cd \"$SLUICE_PATH\"\n"
    "sluice_lock .lock\n"
    "if [ ! -d \"releases/$SLUICE_REVISION\" ] || [ -e \"releases/$SLUICE_REVISION/.incomplete\" "
    "]\n"
    "then\n"
    "    echo \"release $SLUICE_REVISION is not complete on this host\" >&2; exit 67\n"
    "fi\n"
    "sluice_look\n"
    "if [ \"$sluice_live\" = \"$SLUICE_REVISION\" ] && [ \"$sluice_serving\" = "
    "\"$SLUICE_REVISION\" ]\n"
    "then\n"
    "    echo " HOSTS_UNCHANGED "; exit 0\n"
    "fi\n"
    "if [ -z \"$SLUICE_GOOD\" ] && [ -n \"$sluice_live\" ] &&\n"
    "    [ \"$sluice_live\" != \"$SLUICE_REVISION\" ]; then\n"
    "    echo \"$sluice_live runs here and is not recorded: see \\`sluice adopt\\`\" >&2; exit 71\n"
    "fi\n"
    ": >.serving\n";

static const char flip_script[] = "ln -sfn \"releases/$SLUICE_REVISION\" .current.new\n"
                                  "mv -T .current.new current\n";

// The process that sent this may have been fenced out since it found the host healthy.
static const char restore_begin[] =
    "cd \"$SLUICE_PATH\"\n"
    "sluice_lock .lock\n"
    "sluice_look\n"
    "if [ \"$sluice_live\" != \"$SLUICE_REVISION\" ]; then\n"
    "    echo \"another change came between: current leads to $sluice_live\" >&2; exit 70\n"
    "fi\n";

static const char restore_end[] = "printf '%s\\n' \"$SLUICE_REVISION\" >.serving.new\n"
                                  "mv .serving.new .serving\n";

static const char remove_begin[] = "[ -d \"$SLUICE_PATH\" ] || exit 0\n"
                                   "cd \"$SLUICE_PATH\"\n"
                                   "sluice_lock .lock\n"
                                   "sluice_look\n"
                                   "if [ -n \"$sluice_live\" ] &&\n"
                                   "    [ \"$sluice_live\" != \"$SLUICE_REVISION\" ]; then\n"
                                   "    exit 0\n"
                                   "fi\n"
                                   "if [ -n \"$sluice_live\" ]; then\n"
                                   ": >.serving\n";

static const char remove_end[] = "rm -f current\n"
                                 "fi\n"
                                 "rm -f .serving\n";

// Newest first; what is live, goes out, or is known good stays whatever its age. What was left half
// made goes, unless it is being made.
static const char clean_script[] =
    "cd \"$SLUICE_PATH/releases\"\n"
    "sluice_lock ../.stage.lock\n"
    "sluice_live=$(readlink ../current || :)\n"
    "sluice_live=${sluice_live%/}\n"
    "rm -rf .incoming-*\n"
    "ls -1t | {\n"
    "    sluice_kept=1\n"
    "    while IFS= read -r sluice_name; do\n"
    "        case $sluice_name in\n"
    "        \"${sluice_live##*/}\" | \"$SLUICE_REVISION\" | \"$SLUICE_GOOD\") continue ;;\n"
    "        esac\n"
    "        if [ ! -e \"$sluice_name/.incomplete\" ] && [ \"$sluice_kept\" -lt \"$SLUICE_KEEP\" "
    "]\n"
    "        then\n"
    "            sluice_kept=$((sluice_kept + 1))\n"
    "        else\n"
    "            rm -rf \"./$sluice_name\"\n"
    "        fi\n"
    "    done\n"
    "}\n";

// `trouble`: why no release could be made here, found out without making one. What keeps it is the
// nearest folder that there is.
static const char observe_script[] =
    "for sluice_tool in " TOOLS "; do\n"
    "    command -v $sluice_tool >/dev/null || echo \"trouble=$sluice_tool is not installed "
    "there: install it\"\n"
    "done\n"
    "sluice_at=$SLUICE_PATH/releases\n"
    "until [ -e \"$sluice_at\" ] || [ -z \"$sluice_at\" ]; do sluice_at=${sluice_at%/*}; done\n"
    "sluice_at=${sluice_at:-/}\n"
    "if ! [ -d \"$sluice_at\" ]; then\n"
    "    echo \"trouble=$sluice_at is not a folder, so no release can be made in it: set another "
    "\\`path\\`, or make room for it\"\n"
    "elif ! [ -w \"$sluice_at\" ] || ! [ -x \"$sluice_at\" ]; then\n"
    "    echo \"trouble=$(id -un) cannot write to $sluice_at: give it to that user (\\`chown\\`), "
    "or "
    "set another \\`path\\`\"\n"
    "fi\n"
    "if [ ! -e \"$SLUICE_PATH\" ]; then echo current=; echo serving=; exit 0; fi\n"
    "cd \"$SLUICE_PATH\"\n"
    "sluice_look\n"
    "printf 'current=%s\\nserving=%s\\n' \"$sluice_live\" \"$sluice_serving\"\n";

// A command of the configuration, in a shell of its own: it cannot change the script, nor end it
// early by a quote that is not closed.
static void add_command(struct text *out, const char *name, const char *folder, str command)
{
    struct template_value values[] = {{"command", command}, {NULL, {NULL, 0}}};
    struct error full;
    if (command.len == 0)
        return;
    text_addf(out, "sluice_run %s \"%s\" ", name, folder);
    (void)template_expand(STR("${command}"), values, TEMPLATE_SHELL, out, &full);
    text_addc(out, '\n');
}

static void add_services(const struct hosts_config *config, const char *verb, struct text *out)
{
    const str *services = config->services.items;
    for (size_t i = 0; i < config->services.count; i++) {
        struct text command = text_of(LIMIT_PATH);
        text_addf(&command,
                  "if [ \"$(id -u)\" = 0 ]; then exec systemctl %s " STR_FMT "; fi\n"
                  "exec sudo -n systemctl %s " STR_FMT,
                  verb, STR_ARG(services[i]), verb, STR_ARG(services[i]));
        add_command(out, "service", "$SLUICE_PATH", text_str(&command));
        text_done(&command);
    }
}

static void add_change(const struct hosts_config *config, enum hosts_script which, struct text *out)
{
    text_adds(out, lock_functions);
    text_adds(out, run_function);
    text_adds(out, live_function);
    if (which == SCRIPT_STAGE) {
        text_adds(out, stage_script);
        add_command(out, "prepare", "$SLUICE_PATH/releases/$SLUICE_REVISION", config->prepare);
        text_adds(out, stage_end);
    } else if (which == SCRIPT_ACTIVATE) {
        text_adds(out, activate_script);
        add_command(out, "drain", "$SLUICE_PATH", config->drain);
        text_adds(out, flip_script);
        add_services(config, "restart", out);
        add_command(out, "restart", "$SLUICE_PATH", config->restart);
    } else if (which == SCRIPT_RESTORE) {
        text_adds(out, restore_begin);
        add_command(out, "restore", "$SLUICE_PATH", config->restore);
        text_adds(out, restore_end);
    } else if (which == SCRIPT_REMOVE) {
        text_adds(out, remove_begin);
        add_command(out, "drain", "$SLUICE_PATH", config->drain);
        add_services(config, "stop", out);
        text_adds(out, remove_end);
    }
}

bool hosts_script(const struct hosts_config *config, enum hosts_script which, struct text *out,
                  struct error *err)
{
    text_adds(out, "set -eu\n");
    switch (which) {
    case SCRIPT_STAGE:
    case SCRIPT_ACTIVATE:
    case SCRIPT_RESTORE:
    case SCRIPT_REMOVE:
        add_change(config, which, out);
        break;
    case SCRIPT_MIGRATE:
        text_adds(out, migrate_begin);
        add_command(out, "migrate", "$SLUICE_PATH/releases/$SLUICE_REVISION", config->migrate->run);
        break;
    case SCRIPT_CLEAN:
        text_adds(out, lock_functions);
        text_adds(out, clean_script);
        break;
    case SCRIPT_OBSERVE:
        text_adds(out, live_function);
        text_adds(out, observe_script);
        break;
    }
    if (text_full(out))
        return error_set(err, ERROR_LIMIT, "the commands of this target are too long");
    return true;
}

bool hosts_expand(const struct host *host, const struct target_release *release,
                  const struct template_value *more, str source, enum template_language language,
                  struct text *out, struct error *err)
{
    struct arena arena = {0};
    size_t count = 4 + host->variable_count;
    for (const struct template_value *v = more; v && v->name; v++)
        count++;
    struct template_value *values = ARENA_ARRAY(&arena, struct template_value, count + 1),
                          *at = values;
    *at++ = (struct template_value){"host", host->name};
    if (release) {
        *at++ = (struct template_value){"release", release->release};
        *at++ = (struct template_value){"revision", release->revision};
        *at++ = (struct template_value){"commit", release->commit};
    }
    for (size_t i = 0; i < host->variable_count; i++)
        *at++ = (struct template_value){host->variables[i].name, host->variables[i].value};
    for (; more && more->name; more++)
        *at++ = *more;
    bool ok = template_expand(source, values, language, out, err);
    arena_done(&arena);
    return ok;
}
