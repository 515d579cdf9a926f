import { KEEP, KEPT, type Present, removals } from "../../records/images.ts";
import { parseReleases } from "../../records/release.ts";
import type { Docker } from "./docker.ts";
import { type Records, readRecords } from "./records.ts";

/**
 * Removes the images of releases that are too old to go back to. Never one that any container uses, or that another
 * stack keeps; what can't be removed stays, and nothing fails for it.
 */
export async function removeOldImages(
  docker: Docker,
  records: Records,
  env: NodeJS.ProcessEnv,
  log: (line: string) => void,
): Promise<void> {
  const own = await docker.run(["images", "--format", "{{.Tag}}", KEPT]);
  if (own.stdout.split("\n").filter((tag) => tag.startsWith(`${records.volume}-`)).length <= KEEP) return;
  const releases = parseReleases((await readRecords(records, env, ["releases.jsonl"]))["releases.jsonl"]);
  const ids = [...new Set(releases.map(({ id }) => id))];
  const [inspected, containers] = await Promise.all([
    docker.run(["image", "inspect", "--format", "{{json .Id}} {{json .RepoTags}} {{json .RepoDigests}}", ...ids]),
    docker.run(["ps", "--all", "--no-trunc", "--quiet"]),
  ]);
  const running = containers.stdout.split("\n").filter((id) => id !== "");
  const used =
    running.length === 0
      ? ""
      : (await docker.run(["container", "inspect", "--format", "{{.Image}}", ...running])).stdout;
  const present = inspected.stdout
    .split("\n")
    .filter((line) => line.startsWith('"'))
    .map((line): Present => {
      const [id = '""', tags = "null", digests = "null"] = line.split(" ");
      return {
        id: JSON.parse(id) as string,
        names: [...((JSON.parse(tags) as string[] | null) ?? []), ...((JSON.parse(digests) as string[] | null) ?? [])],
      };
    });
  for (const { image, names } of removals(releases, records.volume, present, new Set(used.split("\n")))) {
    const { code } = await docker.run(["image", "rm", ...names]);
    if (code === 0 && names.includes(image))
      log(`${image} is no longer among the last ${KEEP} images of this stack: removed`);
  }
}

/** Takes this stack's tags off the images that it kept; the images stay where they have another name. */
export async function forgetImages(docker: Docker, { volume }: Records): Promise<void> {
  const { stdout } = await docker.run(["images", "--format", "{{.Repository}}:{{.Tag}}", KEPT]);
  const own = stdout.split("\n").filter((name) => name.startsWith(`${KEPT}:${volume}-`));
  if (own.length > 0) await docker.run(["image", "rm", ...own]);
}
