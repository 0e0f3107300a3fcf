// GitHub's own client against the bench: every endpoint that the bench has is asked once, and
// octokit's pages and its waiting for limits are tried.
//
//     node client.mjs PACKAGES API_URL TOKEN WHAT [ARGUMENT]
//
// WHAT is "endpoints", "pages", "limits" or "app"; one JSON object is printed.

import { pathToFileURL } from "node:url";

const [packages, baseUrl, token, what, argument] = process.argv.slice(2);
const load = async (name) => import(pathToFileURL(`${packages}/node_modules/${name}`));
const { Octokit, App } = await load("octokit/dist-bundle/index.js");
const repository = { owner: "bench", repo: "app" };
const waited = [];

function limited(name) {
  return (after, options, octokit, tries) => {
    waited.push({ name, after, tries });
    return tries < 2;
  };
}

const options = {
  baseUrl,
  log: { debug() {}, info() {}, warn() {}, error() {} },
  throttle: {
    onRateLimit: limited("primary"),
    onSecondaryRateLimit: limited("secondary"),
    fallbackSecondaryRateRetryAfter: 1,
  },
};
const octokit = new Octokit({ ...options, auth: token });

// As fast as it can: the bench is asked everything, and it is not the pace that is tried.
const hasty = new Octokit({ baseUrl, auth: token, throttle: { enabled: false } });

async function endpoints() {
  const { rest } = hasty;
  const done = [];
  const ask = async (method, words = {}) => {
    const answer = await method({ ...repository, ...words });
    done.push(method.endpoint.DEFAULTS.url);
    return answer.data;
  };
  const askAll = async (method, words = {}) => {
    done.push(method.endpoint.DEFAULTS.url);
    return (await method(words)).data;
  };
  const sha = (await ask(rest.git.getRef, { ref: "heads/main" })).object.sha;
  const deployment = await ask(rest.repos.createDeployment, {
    ref: sha, auto_merge: false, required_contexts: [], payload: { key: "one" },
    environment: "staging", description: "web v2",
  });
  const deployment_id = deployment.id;
  const status = await ask(rest.repos.createDeploymentStatus, {
    deployment_id, state: "in_progress", log_url: "http://127.0.0.1/log", description: "at 5 %",
  });
  await ask(rest.repos.getDeploymentStatus, { deployment_id, status_id: status.id });
  await ask(rest.repos.listDeployments, { sha, environment: "staging" });
  await ask(rest.repos.listDeploymentStatuses, { deployment_id });
  await ask(rest.repos.getDeployment, { deployment_id });
  await ask(rest.repos.createCommitStatus, { sha, state: "success", context: "ci" });
  await ask(rest.repos.getCombinedStatusForRef, { ref: sha });
  await ask(rest.repos.listCommitStatusesForRef, { ref: sha });
  const run = await ask(rest.checks.create, {
    name: "sluice", head_sha: sha, status: "in_progress",
    output: { title: "One", summary: "A warning", annotations: [{
      path: "a.c", start_line: 1, end_line: 1, annotation_level: "warning", message: "look",
    }] },
  });
  await ask(rest.checks.update, { check_run_id: run.id, conclusion: "success" });
  await ask(rest.checks.get, { check_run_id: run.id });
  await ask(rest.checks.listAnnotations, { check_run_id: run.id });
  await ask(rest.checks.listForRef, { ref: sha, check_name: "sluice" });
  const { number: issue_number } = await ask(rest.issues.create, {
    title: "⏸ web v2 at 5 %", body: "Waiting", labels: ["rollout"],
  });
  await ask(rest.issues.update, { issue_number, title: "▶ web v2 at 20 %" });
  await ask(rest.issues.addLabels, { issue_number, labels: ["incident"] });
  await ask(rest.issues.listLabelsOnIssue, { issue_number });
  await ask(rest.issues.removeLabel, { issue_number, name: "incident" });
  await ask(rest.issues.listForRepo, { labels: "rollout", state: "open" });
  await ask(rest.issues.get, { issue_number });
  const comment = await ask(rest.issues.createComment, { issue_number, body: "/approve" });
  const comment_id = comment.id;
  await ask(rest.issues.updateComment, { comment_id, body: "/deny" });
  await ask(rest.issues.getComment, { comment_id });
  await ask(rest.issues.listComments, { issue_number, since: "2020-01-01T00:00:00Z" });
  await ask(rest.issues.listCommentsForRepo);
  const reaction = await ask(rest.reactions.createForIssueComment, { comment_id, content: "+1" });
  await ask(rest.reactions.listForIssueComment, { comment_id });
  await ask(rest.reactions.deleteForIssueComment, { comment_id, reaction_id: reaction.id });
  await ask(rest.issues.deleteComment, { comment_id });
  await ask(rest.issues.lock, { issue_number, lock_reason: "resolved" });
  await ask(rest.issues.unlock, { issue_number });
  await ask(rest.issues.update, { issue_number, state: "closed", state_reason: "completed" });
  await ask(rest.repos.getCollaboratorPermissionLevel, { username: "rita" });
  await ask(rest.repos.checkCollaborator, { username: "rita" });
  await askAll(rest.users.getByUsername, { username: "rita" });
  const [pull] = await ask(rest.pulls.list);
  const pull_number = pull.number;
  await ask(rest.pulls.get, { pull_number });
  await ask(rest.pulls.listCommits, { pull_number });
  await ask(rest.pulls.listFiles, { pull_number });
  await ask(rest.pulls.listReviews, { pull_number });
  await ask(rest.repos.listPullRequestsAssociatedWithCommit, { commit_sha: pull.head.sha });
  await ask(rest.repos.getCommit, { ref: pull.head.sha });
  await ask(rest.repos.listCommits, { per_page: 5 });
  await ask(rest.repos.listActivities, { per_page: 5, ref: "main" });
  await ask(rest.repos.compareCommitsWithBasehead, { basehead: `main...${pull.head.sha}` });
  await ask(rest.repos.getBranch, { branch: "main" });
  await ask(rest.repos.getContent, { path: "docs/one.md" });
  await ask(rest.repos.get);
  await ask(rest.git.createRef, { ref: "refs/heads/ledger", sha });
  await ask(rest.git.updateRef, { ref: "heads/ledger", sha });
  await ask(rest.git.deleteRef, { ref: "heads/ledger" });
  await ask(rest.actions.listRepoWorkflows);
  await ask(rest.actions.getWorkflow, { workflow_id: "rollback.yml" });
  await ask(rest.actions.createWorkflowDispatch, {
    workflow_id: "rollback.yml", ref: "main", inputs: { service: "web" },
  });
  await ask(rest.repos.createDispatchEvent, {
    event_type: "sluice-resume", client_payload: { rollout: "one" },
  });
  const runs = await ask(rest.actions.listWorkflowRunsForRepo, { event: "push" });
  const run_id = runs.workflow_runs[0].id;
  await ask(rest.actions.getWorkflowRun, { run_id });
  const { artifacts } = await ask(rest.actions.listWorkflowRunArtifacts, { run_id });
  const archive = await ask(rest.actions.downloadArtifact, {
    artifact_id: artifacts[0].id, archive_format: "zip",
  });
  await ask(rest.actions.getPendingDeploymentsForRun, { run_id });
  await ask(rest.actions.getReviewsForRun, { run_id });
  await ask(rest.repos.getAllEnvironments);
  await ask(rest.repos.getEnvironment, { environment_name: "production" });
  await ask(rest.repos.getBranchRules, { branch: "main" });
  await ask(rest.repos.getRepoRulesets);
  await askAll(rest.rateLimit.get);
  const { viewer } = await hasty.graphql("{ viewer { login } }");
  return {
    done, archive: archive.byteLength, deployment: deployment.payload, login: viewer.login,
  };
}

async function pages() {
  const issue_number = Number(argument);
  const rows = await octokit.paginate(octokit.rest.issues.listComments, {
    ...repository, issue_number, per_page: 40,
  });
  return { ids: rows.map((row) => row.id) };
}

async function limits() {
  const issue = await octokit.rest.issues.create({ ...repository, title: argument });
  return { number: issue.data.number, waited };
}

async function app() {
  const { id, key, installation } = JSON.parse(argument);
  const own = new App({ appId: id, privateKey: key, Octokit: Octokit.defaults(options) });
  const installed = await own.getInstallationOctokit(installation);
  const answer = await installed.rest.teams.getMembershipForUserInOrg({
    org: "bench", team_slug: "releasers", username: "rita",
  });
  return { state: answer.data.state, role: answer.data.role };
}

const answer = await { endpoints, pages, limits, app }[what]();
process.stdout.write(`${JSON.stringify(answer)}\n`);
process.exit(0);
