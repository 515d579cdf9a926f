import { CliError } from "../shared/errors.ts";

/**
 * Something is neither as it was nor as it should be: nobody may write until it is, so the site stays closed.
 * `./drydock backup restore --resume` goes on.
 */
export class Unsettled extends CliError {
  constructor(what: string) {
    super({
      what: `${what}; the site stays closed until that has been put right`,
      remedy: "./drydock backup restore --resume",
    });
  }
}
