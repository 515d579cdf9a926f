import type { BuildSpec } from "../../lib/build/spec.ts";
import { type Docker, dockerFailure } from "./docker.ts";
import type { EngineEvent } from "./events.ts";

/** An image that the state has and the Docker host has not. */
export interface LostImage {
  /** As the stack calls the resource. */
  readonly name: string;
  readonly urn: string;
  readonly image: string;
}

/** The image that a resource pulls or builds, by its inputs; undefined for every other resource. */
export function imageOf(type: string, inputs: Readonly<Record<string, unknown>> = {}): string | undefined {
  if (type === "docker:index/remoteImage:RemoteImage") return textOf(inputs.name);
  const { BUILD } = (type === "command:local:Command" ? (inputs.environment ?? {}) : {}) as { BUILD?: unknown };
  return typeof BUILD === "string" ? textOf((JSON.parse(BUILD) as Partial<BuildSpec>).image) : undefined;
}

const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

/**
 * The images that a preview leaves as they are and that are not there any more, as after `docker rmi`: the step that
 * built one is not run again for that, and Pulumi's plugin looks for a pulled one in a refresh alone. What runs from it
 * goes on; no container can be made of it.
 * @throws CliError where Docker does not answer
 */
export async function lostImages(
  docker: Docker,
  stack: string,
  events: readonly EngineEvent[],
): Promise<readonly LostImage[]> {
  const planned = events.flatMap(({ resourcePreEvent }) => resourcePreEvent?.metadata ?? []);
  const images = planned.flatMap(({ op, urn, type, old }) => {
    const image = op === "same" ? imageOf(type, old?.inputs) : undefined;
    return image !== undefined ? [{ name: urn.split("::").at(-1) ?? "", urn, image }] : [];
  });
  if (images.length === 0) return [];
  const references = [...new Set(images.map(({ image }) => image))];
  const { code, stderr } = await docker.run(["image", "inspect", "--format", "{{.Id}}", ...references]);
  if (code === 0) return [];
  const complaints = stderr.split("\n").filter((line) => line !== "");
  const lost = new Set(complaints.flatMap((line) => /.*no such image: (\S+)/i.exec(line)?.[1] ?? []));
  if (complaints.some((line) => !/no such image/i.test(line))) throw dockerFailure(stderr, stack);
  return images.filter(({ image }) => lost.has(image));
}
