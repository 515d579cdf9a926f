/** One container of a stack, as the output `services` names it. */
export interface Service {
  /** The service's own name, the same from release to release: app-1, database, … */
  readonly name: string;
  readonly role: string;
  /** Name of the container that runs it now. */
  readonly container: string;
  readonly image: string;
}

/** What the output `record` says of the release that serves; the whole record is in the volume. */
export interface Recorded {
  readonly sequence: number;
  readonly release: string;
  readonly image: string;
  readonly id: string;
  readonly digest: string | null;
  readonly by: string;
  readonly commit: string | null;
  readonly at: string;
  /** How long it took; null where nobody knows. */
  readonly seconds: number | null;
}

/** How the command line reaches the records: their volume, and the image and user that read it. */
export interface RecordsPlace {
  readonly volume: string;
  readonly image: string;
  readonly user: string;
}
