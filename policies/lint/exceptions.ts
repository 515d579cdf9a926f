import type { Exceptions } from "./dockerfile.ts";

/**
 * Where a Dockerfile of this project is right all the same. A file of your own says so itself: `# lint-allow user: the
 * reason`.
 */
export const exceptions: Exceptions = {
  "images/base/Dockerfile": {
    user: "nothing runs from it: it is the base of the other images, and each of them sets its user",
  },
  "examples/laravel/Dockerfile": {
    user: "its base, drydock/php, sets the user, with the uid that the build was given",
  },
};
