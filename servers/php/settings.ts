import type { Settings } from "../../config/settings.ts";

/** Where PHP finds them, after the image's own. */
export const PHP_FOLDER = "/run/drydock/php";

/**
 * PHP's settings in all containers of the application, in FPM, in a server of the image's own and on the command line
 * alike: those that a release relies on, and the stack's own (`app.php`).
 *
 * @param uploadLimit the largest request body, in MiB
 */
export function phpSettings(app: Pick<Settings["app"], "path" | "server" | "php">, uploadLimit: number): string {
  const settings: Readonly<Record<string, string>> = {
    expose_php: "0",
    // Laravel shows and logs errors itself; what PHP prints into an answer would show paths, and break what reads the
    // answer.
    display_errors: "0",
    display_startup_errors: "0",
    log_errors: "1",
    upload_max_filesize: `${uploadLimit}M`,
    post_max_size: `${uploadLimit + 1}M`,
    // On the disk: /tmp is memory. A stored upload is then no copy, either.
    upload_tmp_dir: `${app.path}/storage/app/.drydock-uploads`,
    // The code of an image never changes; that OPcache has it is proven after each switch (incident 6).
    ...(app.server === "fpm" ? { "opcache.enable": "1", "opcache.validate_timestamps": "0" } : {}),
    ...app.php,
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name} = ${iniValue(value)}\n`)
    .join("");
}

/** As PHP's ini files write it; levels of errors are constants, which no quotes may hide. */
const iniValue = (value: string): string => (/^~?E_[A-Z_]+( *[&|^] *~?E_[A-Z_]+)*$/.test(value) ? value : `"${value}"`);
