import assert from "node:assert/strict";
import { engineVariables, exportLines, stateFolder, stateVariables } from "../../../../cli/shared/environment.ts";
import { pathsOf } from "../../../../cli/shared/project.ts";

describe("the environment of Pulumi's CLI", () => {
  const paths = pathsOf("/a clone");

  it("is this clone's own state and passphrase", () => {
    assert.deepEqual(stateVariables(paths, {}), {
      PULUMI_BACKEND_URL: "file:///a%20clone/.drydock/state?metadata=skip",
      PULUMI_CONFIG_PASSPHRASE_FILE: "/a clone/.drydock/passphrase",
    });
  });

  it("leaves alone what the user has set, in either way", () => {
    assert.deepEqual(stateVariables(paths, { PULUMI_BACKEND_URL: "s3://state", PULUMI_CONFIG_PASSPHRASE: "" }), {});
    assert.deepEqual(Object.keys(stateVariables(paths, { PULUMI_CONFIG_PASSPHRASE_FILE: "/x" })), [
      "PULUMI_BACKEND_URL",
    ]);
  });

  it("lets Pulumi do as much at once as the Docker host takes, unless the user has said how much", () => {
    assert.equal(engineVariables({}).PULUMI_PARALLEL, "64");
    assert.equal("PULUMI_PARALLEL" in engineVariables({ PULUMI_PARALLEL: "4" }), false);
  });

  it("gets a plugin when it is asked for, not those of every package, unless the user wants them", () => {
    assert.equal(engineVariables({}).PULUMI_OPTION_SKIP_PLUGIN_PRE_INSTALL, "true");
    assert.equal(
      "PULUMI_OPTION_SKIP_PLUGIN_PRE_INSTALL" in engineVariables({ PULUMI_OPTION_SKIP_PLUGIN_PRE_INSTALL: "false" }),
      false,
    );
  });

  it("is not another clone's, whose exports are still in the shell", () => {
    const other = stateVariables(pathsOf("/other"), {});
    assert.deepEqual(stateVariables(paths, other), stateVariables(paths, {}));
    assert.deepEqual(
      stateVariables(paths, { ...other, PULUMI_BACKEND_URL: "file:///other/.drydock/state" }),
      stateVariables(paths, {}),
    );
  });

  it("finds the folder of a file backend again, and none of another", () => {
    assert.equal(stateFolder(stateVariables(paths, {})), "/a clone/.drydock/state");
    assert.equal(stateFolder({ PULUMI_BACKEND_URL: "file:///x?no_tmp_dir=true" }), "/x");
    assert.equal(stateFolder({ PULUMI_BACKEND_URL: "s3://bucket" }), undefined);
    assert.equal(stateFolder({}), undefined);
  });

  it("is exported in lines that a shell evaluates", () => {
    assert.equal(
      exportLines({ PATH: "/usr/bin:/bin", NOTE: "it's" }),
      "export PATH=/usr/bin:/bin\nexport NOTE='it'\\''s'\n",
    );
  });
});
