#include "actions/cli/watch_unit.h"

// A word of a command line, or a path: systemd expands `%` everywhere, and in commands `$` too.
static void add_word(const char *word, bool command, struct text *out)
{
    text_addc(out, '"');
    for (; *word; word++) {
        if (*word == '%' || (command && *word == '$'))
            text_addc(out, *word);
        if (*word == '"' || *word == '\\')
            text_addc(out, '\\');
        text_addc(out, *word);
    }
    text_addc(out, '"');
}

// Paths of their own take no quotes.
static void add_path(const char *path, struct text *out)
{
    for (; *path; path++) {
        if (*path == '%')
            text_addc(out, '%');
        text_addc(out, *path);
    }
    text_addc(out, '\n');
}

static void add_command(const struct watch_unit *unit, struct text *out)
{
    text_adds(out, "ExecStart=");
    add_word(unit->program, true, out);
    text_adds(out, " -C ");
    add_word(unit->repository, true, out);
    if (unit->config) {
        text_adds(out, " --config ");
        add_word(unit->config, true, out);
    }
    text_addf(out, " watch --every %s\n", unit->every);
}

void watch_unit_write(const struct watch_unit *unit, struct text *out)
{
    text_adds(
        out, "# sluice watch as a service. Put this into /etc/systemd/system/sluice-watch.service, "
             "then:\n"
             "#   systemctl daemon-reload && systemctl enable --now sluice-watch\n"
             "# Scripts of targets on this machine that write elsewhere need their folders in\n"
             "# ReadWritePaths; what `env:` of the configuration names goes into EnvironmentFile.\n"
             "[Unit]\n"
             "Description=sluice goes on with rollouts that are due\n"
             "Wants=network-online.target\n"
             "After=network-online.target\n"
             "StartLimitIntervalSec=0\n"
             "\n"
             "[Service]\n"
             "Type=exec\n");
    text_addf(out, "User=" STR_FMT "\n", STR_ARG(unit->user));
    text_adds(out, "WorkingDirectory=");
    add_path(unit->repository, out);
    add_command(unit, out);
    text_adds(out,
              "EnvironmentFile=-/etc/sluice/watch.env\n"
              "# Only the watch is told to stop: it lets go of its rollouts in an orderly way.\n"
              "KillMode=mixed\n"
              "TimeoutStopSec=15\n"
              "Restart=always\n"
              "RestartSec=5\n"
              "UMask=0077\n"
              "MemoryMax=1G\n"
              "TasksMax=512\n"
              "\n"
              "ProtectSystem=strict\n"
              "ReadWritePaths=");
    add_path(unit->git, out);
    text_adds(out, "ProtectHome=read-only\n"
                   "PrivateTmp=yes\n"
                   "PrivateDevices=yes\n"
                   "ProtectClock=yes\n"
                   "ProtectControlGroups=yes\n"
                   "ProtectHostname=yes\n"
                   "ProtectKernelLogs=yes\n"
                   "ProtectKernelModules=yes\n"
                   "ProtectKernelTunables=yes\n"
                   "NoNewPrivileges=yes\n"
                   "CapabilityBoundingSet=\n"
                   "AmbientCapabilities=\n"
                   "LockPersonality=yes\n"
                   "MemoryDenyWriteExecute=yes\n"
                   "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6\n"
                   "RestrictNamespaces=yes\n"
                   "RestrictRealtime=yes\n"
                   "RestrictSUIDSGID=yes\n"
                   "SystemCallArchitectures=native\n"
                   "SystemCallFilter=@system-service\n"
                   "SystemCallErrorNumber=EPERM\n"
                   "\n"
                   "[Install]\n"
                   "WantedBy=multi-user.target\n");
}
