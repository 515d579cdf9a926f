import { dockerFailure, type Docker } from "./docker.ts";
import type { EngineEvent } from "./events.ts";

/** An image that the state has and the Docker host has not. */
export interface LostImage {
  /** As the stack calls the resource. */
  readonly name: string;
  readonly urn: string;
  readonly image: string;
}

/** The types of images, and the input that says which it is. */
export const IMAGES: Readonly<Record<string, string>> = {
  "docker:index/image:Image": "imageName",
  "docker:index/remoteImage:RemoteImage": "name",
};

/**
 * The images that a preview leaves as they are and that are not there any more, as after `docker rmi`: Pulumi's plugin
 * never looks for an image that it has built, and for another one only in a refresh. What runs from one goes on; no
 * container can be made of it.
 * @throws CliError where Docker does not answer
 */
export async function lostImages(
  docker: Docker,
  stack: string,
  events: readonly EngineEvent[],
): Promise<readonly LostImage[]> {
  const planned = events.flatMap(({ resourcePreEvent }) => resourcePreEvent?.metadata ?? []);
  const images = planned.flatMap(({ op, urn, type, old }) => {
    const image = old?.inputs?.[IMAGES[type] ?? ""];
    return op === "same" && typeof image === "string" ? [{ name: urn.split("::").at(-1) ?? "", urn, image }] : [];
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
