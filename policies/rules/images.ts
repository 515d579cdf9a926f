import { z } from "zod";
import { containerOf, isContainerType } from "../helpers/container.ts";
import { isSecretName } from "../helpers/env.ts";
import { isProduction } from "../helpers/own.ts";
import { CONTAINERS, IMAGE, REMOTE_IMAGE, type Resource } from "../helpers/resources.ts";
import { hasUrlWithPassword } from "../helpers/secrets.ts";
import { entries, type Field, isUnknown, propertyAt, text } from "../helpers/values.ts";
import { resourceRule } from "../rule.ts";
import type { Settings } from "../settings.ts";
import { inGroup, none } from "./shared.ts";

export const imagePinned = resourceRule({
  name: "image-pinned",
  family: "safety",
  level: "mandatory",
  source: ["incidents, forty-eight hours", "D5.28", "CK_DOCKER_7", "DS-0001"],
  summary: "An image has a tag other than latest; in production it has a digest.",
  why: "latest was another image on each machine, and the one that had worked could not be found again",
  remedy: 'image: "registry.example.com/shop:1.4.2@sha256:…" (docker buildx imagetools inspect prints the digest)',
  setting: (group) =>
    inGroup(
      ["horizon", "scheduler", "workers"].includes(group) ? "app" : group,
      "image",
      "registry.example.com/shop:1.4@sha256:DIGEST",
    ),
  bad: 'image: "nginx:latest"',
  good: 'image: "nginx:1.30.2@sha256:…"',
  types: [...CONTAINERS, IMAGE, REMOTE_IMAGE],
  params: z.strictObject({
    /** Pattern on images that need no digest in production, such as those built on the host itself. */
    local: z.string().optional(),
  }),
  check(resource, report, { params, settings }) {
    const field = imageOf(resource, settings);
    if (isUnknown(field.value)) return report.undecided(field.path);
    const image = field.value ?? "";
    // The id of a local image, or what the engine made of a reference.
    if (/^sha256:[a-f0-9]{64}$/.test(image) || /@sha256:[a-f0-9]{64}$/.test(image)) return;
    const tag = /:([\w][\w.-]*)$/.exec(image.slice(image.lastIndexOf("/") + 1))?.[1];
    if (tag === undefined) return report.violation(field.path, "the image has no tag");
    if (tag === "latest") return report.violation(field.path, "the image's tag is latest");
    // The name of an image that is built here can't have the digest that the build will give it.
    const isExempt = resource.type === IMAGE || (params.local !== undefined && new RegExp(params.local).test(image));
    if (!isExempt && isProduction(resource, settings))
      report.violation(field.path, "the image has no digest, in production");
  },
});

function imageOf(resource: Resource, settings: Settings): Field<string> {
  if (isContainerType(resource.type)) return containerOf(resource, settings).image;
  const path = resource.type === IMAGE ? "imageName" : "name";
  return { path, value: text(propertyAt(resource.props, path)) };
}

export const noSecretBuildArg = resourceRule({
  name: "no-secret-build-arg",
  family: "containers",
  level: "mandatory",
  source: ["incidents, forty-eight hours", "D4.10", "DS-0031"],
  summary: "No build argument is a secret.",
  why: "build arguments stay in the image's history, for everyone who may pull it",
  remedy: "RUN --mount=type=secret,id=token … in the Dockerfile, and no argument",
  setting: () => ({ path: "app.build.args.NAME", removed: true }),
  bad: "build: { args: { COMPOSER_TOKEN: token } }",
  good: 'build: { args: { PHP_VERSION: "8.4" } }',
  types: [IMAGE, REMOTE_IMAGE],
  params: none,
  check(resource, report) {
    for (const name of ["args", "buildArgs", "buildArg"]) {
      const args = entries(propertyAt(resource.props, "build", name), `build.${name}`);
      for (const path of args.unknown) report.undecided(path);
      for (const {
        value: [key, value],
        path,
      } of args.known) {
        if (isSecretName(key)) report.violation(path, `${key} is a secret by its name`);
        else if (isUnknown(value)) report.undecided(path);
        else if (
          (typeof value === "string" &&
            /^(ghp|gho|glpat|xox[bap]|sk_live|AKIA)[_-]?\w{12,}|-----BEGIN [A-Z ]{0,20}PRIVATE KEY/.test(value)) ||
          (typeof value === "string" && hasUrlWithPassword(value))
        )
          report.violation(path, `${key} looks like a credential`);
      }
    }
  },
});
