// Builds the application's image, unless an image of its name is there. Part of build.sh. BUILD: how, as JSON
// (lib/build/spec.ts)
import { buildImage } from "../../lib/build/build.ts";
import { BuildError, type BuildSpec } from "../../lib/build/spec.ts";

const spec = JSON.parse(process.env["BUILD"] ?? "") as BuildSpec;
try {
  const built = await buildImage(spec, {
    env: process.env,
    folder: process.cwd(),
    show: (text) => process.stdout.write(text),
  });
  console.log(`${spec.image} ${built ? "was built" : "is there"}`);
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  console.error(`build: ${error.message}`);
  process.exitCode = 1;
}
