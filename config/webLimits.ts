import type { Settings } from "./settings.ts";

/** What the application itself has to allow, so that each path's own limit can be reached: the widest of all. */
export function webLimits({
  uploadLimit,
  timeout,
  longestRequest = timeout,
  paths,
}: Pick<Settings["proxy"], "uploadLimit" | "timeout" | "longestRequest" | "paths">): {
  /** MiB. */
  readonly uploadLimit: number;
  /** Seconds. */
  readonly longestRequest: number;
} {
  const widest = (least: number, key: "uploadLimit" | "timeout") =>
    Math.max(least, ...Object.values(paths).map((path) => path[key] ?? 0));
  return { uploadLimit: widest(uploadLimit, "uploadLimit"), longestRequest: widest(longestRequest, "timeout") };
}
