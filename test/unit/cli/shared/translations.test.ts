import assert from "node:assert/strict";
import { Exit } from "../../../../cli/shared/errors.ts";
import { pulumiFailure, translate } from "../../../../cli/shared/translations.ts";

const situation = { stack: "local", passphrase: "/clone/.drydock/passphrase" };

describe("the translation of failures", () => {
  it("names who holds a locked stack, and refuses", () => {
    const problem = translate(
      "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) " +
        "to end or delete the lock file with `pulumi cancel`.\n" +
        "  file:///clone/.drydock/state/.pulumi/locks/organization/drydock/local/1.json: " +
        "created by ann@ship (pid 42) at 2026-01-31T10:00:00Z",
      situation,
    );
    assert.equal(problem?.what, "stack local is being changed by ann@ship (pid 42, since 2026-01-31T10:00:00Z)");
    assert.equal(problem?.code, Exit.refused);
    assert.match(problem?.remedy ?? "", /pulumi cancel -s local --yes/);
  });

  for (const [name, output, what, remedy] of [
    [
      "a wrong passphrase",
      "error: getting secrets manager: passphrase must be set or incorrect passphrase",
      /passphrase does not open the secrets of Pulumi\.local\.yaml/,
      /PULUMI_CONFIG_PASSPHRASE_FILE/,
    ],
    [
      "no passphrase",
      "error: passphrase must be set with PULUMI_CONFIG_PASSPHRASE",
      /no passphrase is set/,
      /drydock env/,
    ],
    [
      "an unreadable passphrase file",
      "unable to read PULUMI_CONFIG_PASSPHRASE_FILE: open /x: no such file",
      /can't be read: open \/x/,
      /unset it/,
    ],
    ["an unknown stack", "error: no stack named 'staging' found", /no stack staging/, /^\.\/drydock up -s staging$/],
    [
      "a taken port, with its number",
      "driver failed programming external connectivity: Bind for 127.0.0.1:8080 failed: port is already allocated",
      /port 8080 .* already in use/,
      /proxy\.port 8081/,
    ],
    [
      "a taken port of a process",
      "Error starting userland proxy: listen tcp4 127.0.0.1:8085: bind: address already in use",
      /port 8085 .* already in use/,
      /sport = :8085/,
    ],
    [
      "a connection that breaks",
      "error: the connection to ssh://deploy@ship broke (ECONNRESET)",
      /^the connection to ssh:\/\/deploy@ship broke; what served still serves$/,
      /^\.\/drydock up goes on from there/,
    ],
    [
      "a Docker that doesn't run",
      "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
      /Docker does not answer/,
      /drydock up/,
    ],
    [
      "a Docker socket that isn't there",
      "connect ENOENT /var/run/docker.sock",
      /Docker does not answer/,
      /systemctl start docker/,
    ],
    [
      "a forbidden Docker socket",
      "permission denied while trying to connect to unix:///var/run/docker.sock",
      /has no permission to use Docker/,
      /usermod -aG docker/,
    ],
    ["a broken rule", "[mandatory] image-pinned: latest is no version", /a rule forbids/, /drydock policies/],
    [
      "an image that doesn't exist",
      "Error: No such image: acme/app:1",
      /image acme\/app:1 can't be obtained/,
      /docker build/,
    ],
    [
      "a denied image",
      "pull access denied for acme/app, repository does not exist",
      /image acme\/app can't be obtained/,
      /docker build/,
    ],
    [
      "a network that Docker won't remove",
      "error while removing network: network network-app-f4891fe id 2008bc0c5a88 has active endpoints",
      /network-app-f4891fe is in use/,
      /docker network inspect .* network-app-f4891fe;/,
    ],
    ["a full disk", "write /var/lib/docker/x: no space left on device", /disk is full/, /docker system df/],
    [
      "an image that can't be pulled",
      "image acme/app:1 is not here and could not be pulled: no route",
      /image acme\/app:1 can't be obtained/,
      /docker build/,
    ],
    [
      "a container that the provider names with its image",
      "container app-1-abc1234 (image shop:1) is not healthy after 12 s (waitTimeout)",
      /container app-1-abc1234 did not become healthy.* still serves/,
      /drydock up$/m,
    ],
    [
      "an unhealthy container",
      "container app-1-abc1234 became unhealthy 12 s after its start",
      /container app-1-abc1234 .* still serves/,
      /drydock up$/m,
    ],
  ] as const) {
    it(`knows ${name}`, () => {
      const problem = translate(output, situation);
      assert.match(problem?.what ?? "", what);
      assert.match(problem?.remedy ?? "", remedy);
    });
  }

  it("repeats every command that fixes the configuration, once, with the pipe before it", () => {
    const secret = "openssl rand -hex 24 | pulumi config set --secret --path drydock:env.DB_PASSWORD -s prod";
    const plain = "pulumi config rm --path drydock:env.APP_ENVV -s prod";
    const output =
      'error: The configuration of stack "prod" has 2 problems, nothing was changed:\n  drydock:env.DB_PASSWORD: ' +
      `is missing\n    ${secret}\n` +
      `  drydock:env.APP_ENVV: is unknown: is APP_ENV meant?\n    ${plain}\n`;
    const problem = translate(output + output, { ...situation, stack: "prod" });
    assert.equal(problem?.what, "the configuration of stack prod has 2 problems (above); nothing was changed");
    assert.equal(problem?.remedy, `eval "$(./drydock env)", then:\n${secret}\n${plain}`);
  });

  it("asks another stack's Docker host, not this machine's", () => {
    assert.match(
      translate("error during connect: ssh", { ...situation, stack: "prod" })?.remedy ?? "",
      /config get -s prod .*docker\.host/,
    );
  });

  it("says nothing of what it doesn't know, but how to see more", () => {
    assert.equal(translate("something new", situation), undefined);
    const error = pulumiFailure("up", "something new", situation);
    assert.match(error.what, /pulumi up failed on stack local/);
    assert.equal(error.code, Exit.failed);
  });
});
