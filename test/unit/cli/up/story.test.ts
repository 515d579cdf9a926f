import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CliError } from "../../../../cli/shared/errors.ts";
import { annotateError, annotation, warnOfLostState } from "../../../../cli/shared/github.ts";
import { pathsOf } from "../../../../cli/shared/project.ts";
import type { Report } from "../../../../cli/shared/report.ts";
import { beginStory, type Story, summary, tell } from "../../../../cli/up/story.ts";
import type { Traffic } from "../../../../cli/up/traffic.ts";

const report: Report = {
  stack: "prod",
  url: "https://shop.example",
  release: "4f2a91c07b3e",
  services: [
    { name: "app-1", role: "app", container: "shop-app-1", image: "shop:1", state: "running", health: "healthy" },
  ],
};
const step = (op: string, name: string, type = "docker:index/container:Container") => ({
  resOutputsEvent: { metadata: { op, urn: `urn:pulumi:prod::drydock::${type}::${name}`, type } },
});
const events = [
  step("create-replacement", "app-1"),
  step("replace", "app-1"),
  step("delete-replaced", "app-1"),
  step("create", "app-2"),
  step("same", "redis"),
  step("update", "switch", "command:local:Command"),
  step("update", "stack", "pulumi:pulumi:Stack"),
  { summaryEvent: { resourceChanges: { replace: 1, create: 1, update: 2, same: 40 } } },
];
const story = (more: Partial<Story> = {}): Story => ({
  ...beginStory("prod"),
  began: 0,
  events: [...events],
  report,
  ...more,
});

describe("the summary of a job", () => {
  it("says what changed, the migrations, what visitors noticed, and where the site is", () => {
    const traffic = { total: 400, failed: 3, reasons: { "health 503": 2, "slow | 500": 1 } } as unknown as Traffic;
    const told = { lines: ["Migrations: 2 run with this release", "  a: insert into users values ('ann')"] };
    assert.equal(
      summary(story({ traffic, told }), 35_400),
      `### ✅ prod, release \`4f2a91c07b3e\`

- **Changed:** 1 replaced, 1 created, 2 updated, in 35 s
- **Migrations:** 2 run with this release
- **Requests failed:** 3 of 400 (health 503: 2, slow &#124; 500: 1)
- **Site:** <https://shop.example>

| service | state | health |
|---|---|---|
| app-1 | running | healthy |

<details><summary>3 resources</summary>

\`\`\`text
created  app-2
replaced app-1
updated  switch
\`\`\`

</details>
`,
    );
  });

  it("says why it failed and what to do, and nothing in it is markup", () => {
    const error = new CliError({ what: "stack <b>prod</b> ```js failed", remedy: "./drydock up" });
    const { report: _, ...rest } = story({ events: [], error });
    assert.equal(
      summary(rest, 1000),
      `### ❌ prod

\`\`\`\`text
stack <b>prod</b> \`\`\`js failed

./drydock up
\`\`\`\`

- **Changed:** nothing, in 1 s
`,
    );
    assert.match(
      summary(story({ report: { ...report, services: [{ ...report.services[0]!, health: "unhealthy" }] } })),
      /^### ❌ prod/,
    );
  });

  it("is appended to the file that was asked for, else to the workflow's, and fails nothing", () => {
    const folder = mkdtempSync(join(tmpdir(), "drydock-summary-"));
    const { GITHUB_STEP_SUMMARY: before } = process.env;
    const [asked, workflow] = [join(folder, "asked.md"), join(folder, "workflow.md")];
    const { write } = process.stderr;
    let said = "";
    try {
      writeFileSync(workflow, "earlier\n");
      process.env.GITHUB_STEP_SUMMARY = workflow;
      tell(story(), undefined);
      assert.match(readFileSync(workflow, "utf8"), /^earlier\n### ✅ prod/);
      tell(story(), asked);
      assert.match(readFileSync(asked, "utf8"), /^### ✅ prod/);
      process.stderr.write = ((text: string) => {
        said += text;
        return true;
      }) as typeof write;
      tell(story(), join(folder, "none", "x.md"));
    } finally {
      process.stderr.write = write;
      if (before === undefined) delete process.env.GITHUB_STEP_SUMMARY;
      else process.env.GITHUB_STEP_SUMMARY = before;
      rmSync(folder, { recursive: true });
    }
    assert.match(said, /the summary could not be written to .*x\.md: ENOENT/);
  });
});

describe("an annotation of GitHub's", () => {
  it("is one line, whatever is in it", () => {
    assert.equal(
      annotation("error", "a\r\nb: 100 %, c::error::d\n", "x, y: z"),
      "::error title=x%2C y%3A z::a%0D%0Ab: 100 %25, c::error::d\n",
    );
  });

  it("has an error's remedy, and is there in a workflow only", () => {
    const error = new CliError({ what: "it failed", remedy: "try\nagain" });
    assert.equal(
      annotateError(error, { GITHUB_ACTIONS: "true" }),
      "::error title=drydock::it failed%0Aremedy: try%0Aagain\n",
    );
    assert.equal(annotateError("bad", { GITHUB_ACTIONS: "true" }), "::error title=drydock::bad\n");
    assert.equal(annotateError(error, {}), "");
  });
});

describe("a state that ends with the job", () => {
  const paths = pathsOf("/clone");
  const own = `file://${paths.state}?metadata=skip`;
  const said = (stack: string, env: NodeJS.ProcessEnv): string => {
    const { write } = process.stderr;
    let text = "";
    process.stderr.write = ((line: string) => {
      text += line;
      return true;
    }) as typeof write;
    try {
      warnOfLostState({ stack, paths, env });
    } finally {
      process.stderr.write = write;
    }
    return text;
  };
  it("is warned of where a pipeline runs", () => {
    assert.match(
      said("prod", { PULUMI_BACKEND_URL: own, GITHUB_ACTIONS: "true" }),
      /^→ the state of stack prod .*\n::warning title=drydock::/,
    );
    assert.match(
      said("prod", { PULUMI_BACKEND_URL: own, GITLAB_CI: "true" }),
      /^→ the state of stack prod [^\n]*PULUMI_BACKEND_URL=s3:[^\n]*\n$/,
    );
  });
  it("is none where it is elsewhere, where a person deploys, and of the local stack", () => {
    assert.equal(said("prod", { PULUMI_BACKEND_URL: "s3://state", GITHUB_ACTIONS: "true" }), "");
    assert.equal(said("prod", { PULUMI_BACKEND_URL: "file:///mnt/state", GITHUB_ACTIONS: "true" }), "");
    assert.equal(said("prod", { PULUMI_BACKEND_URL: own }), "");
    assert.equal(said("local", { PULUMI_BACKEND_URL: own, GITHUB_ACTIONS: "true" }), "");
  });
});
