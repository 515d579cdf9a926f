/**
 * Which folders of the application a container has written to in its own layer: what is there is gone with the
 * container, and no other container has it.
 *
 * @param diff what `docker diff` prints: a letter and an absolute path a line
 * @param path the application's folder
 * @param mounts absolute paths that are volumes or memory
 * @returns paths from the application's folder, each once, sorted
 */
export function writtenTo(diff: string, path: string, mounts: readonly string[]): readonly string[] {
  const added = diff
    .split("\n")
    .filter((line) => line.startsWith(`A ${path}/`))
    .map((line) => line.slice(2));
  // A folder that holds what is listed as well says nothing by itself; neither does one that was made for a mount.
  const files = added.filter(
    (one) =>
      !added.some((other) => other.startsWith(`${one}/`)) &&
      !mounts.some((mount) => mount === one || mount.startsWith(`${one}/`)),
  );
  const own = ["bootstrap/cache", "storage/framework", "storage/logs"];
  const relative = files
    .map((one) => one.slice(path.length + 1))
    // Laravel reads .env.NAME in place of .env where APP_ENV is NAME: Drydock delivers both.
    .filter((one) => !/^\.env(\.[^/]+)?$/.test(one))
    .filter((one) => !own.some((folder) => one === folder || one.startsWith(`${folder}/`)));
  // storage/uploads/2026/a.png is in storage/uploads, a file right in storage is itself.
  return [
    ...new Set(
      relative.map((one) =>
        one
          .split("/")
          .slice(0, /^(storage|public)\//.test(one) ? 2 : 1)
          .join("/"),
      ),
    ),
  ].sort();
}
