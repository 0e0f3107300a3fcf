// The workflows of a repository that call ours.
#include "actions/cli/starter.h"

void starter_comment(struct text *out)
{
    text_adds(
        out, "# Shows on a pull request what the gate has said of it. It runs from the default "
             "branch, and\n"
             "# nothing of the pull request in it: what the gate's run has left is shown as text.\n"
             "name: comment\n"
             "on:\n"
             "  workflow_run: {workflows: [gate], types: [completed]}\n"
             "permissions: {}\n"
             "jobs:\n"
             "  comment:\n"
             "    permissions: {actions: read, pull-requests: write}\n"
             "    uses: sluice/sluice/.github/workflows/comment.yml@v0\n");
}

void starter_release(struct text *out)
{
    text_adds(
        out,
        "# Releases what is checked in here: through the gate, then out in the steps of\n"
        "# .github/sluice.yml. Ends where a person is waited for; sluice-resume.yml goes on.\n"
        "name: release\n"
        "on:\n"
        "  workflow_dispatch:\n"
        "    inputs:\n"
        "      release: {description: \"Its name, such as v812.\", required: true}\n"
        "permissions: {}\n"
        "jobs:\n"
        "  release:\n"
        "    # needs: tests             # a job of yours that uploads the reports as an artifact\n"
        "    permissions: {checks: write, contents: write, deployments: write, id-token: write, "
        "issues: write}\n"
        "    uses: sluice/sluice/.github/workflows/release.yml@v0\n"
        "    with:\n"
        "      release: ${{ inputs.release }}\n"
        "      # reports: reports       # the name of that artifact\n"
        "      # reports-path: .        # the folder that its files are put into\n"
        "      # environment: production  # of GitHub: its secrets and its rules\n"
        "    secrets: inherit\n");
}

void starter_resume(struct text *out)
{
    text_adds(out,
              "# Goes on with what a person has answered, and with what a lost run has left.\n"
              "name: resume\n"
              "on:\n"
              "  schedule: [{cron: \"*/5 * * * *\"}]   # GitHub is often late: `sluice plan` says "
              "what that means\n"
              "  issue_comment: {types: [created]}   # /approve, /hold, … in a rollout's issue\n"
              "  repository_dispatch: {types: [sluice-resume]}\n"
              "  workflow_dispatch:\n"
              "permissions: {}\n"
              "jobs:\n"
              "  resume:\n"
              "    if: >-\n"
              "      github.event_name != 'issue_comment' || (github.event.issue.state == 'open' "
              "&&\n"
              "      contains(github.event.issue.labels.*.name, 'sluice'))\n"
              "    permissions: {contents: write, deployments: write, id-token: write, "
              "issues: write}\n"
              "    uses: sluice/sluice/.github/workflows/resume.yml@v0\n"
              "    with:\n"
              "      comment: ${{ github.event.comment.html_url }}\n"
              "      # environment: production  # one without reviewers\n"
              "    secrets: inherit\n");
}

void starter_rollback(struct text *out)
{
    text_adds(out, "# Back to the release that was known good before, at once. Nobody is asked.\n"
                   "name: rollback\n"
                   "on:\n"
                   "  workflow_dispatch:\n"
                   "    inputs:\n"
                   "      stage: {description: \"The stage, where there are several.\", "
                   "default: \"\"}   # or type: choice, options: [production, …]\n"
                   "      reason: {description: \"Why.\", required: true}\n"
                   "      to: {description: \"This release; the last known good one when empty.\", "
                   "default: \"\"}\n"
                   "  issue_comment: {types: [created]}   # /rollback in the issue of a rollout "
                   "that is over\n"
                   "permissions: {}\n"
                   "jobs:\n"
                   "  rollback:\n"
                   "    if: >-\n"
                   "      github.event_name != 'issue_comment' || (github.event.issue.state == "
                   "'closed' &&\n"
                   "      contains(github.event.issue.labels.*.name, 'sluice'))\n"
                   "    permissions: {contents: write, deployments: write, id-token: write, "
                   "issues: write}\n"
                   "    uses: sluice/sluice/.github/workflows/rollback.yml@v0\n"
                   "    with:\n"
                   "      stage: ${{ inputs.stage }}\n"
                   "      reason: ${{ inputs.reason }}\n"
                   "      to: ${{ inputs.to }}\n"
                   "      comment: ${{ github.event.comment.html_url }}\n"
                   "      # environment: production  # one without reviewers\n"
                   "    secrets: inherit\n");
}
