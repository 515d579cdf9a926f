/** An alert as people are shown it, on the command line and on the page of the dashboard. */
export interface ShownAlert {
  readonly name: string;
  readonly severity: string;
  readonly state: "pending" | "raised";
  readonly since: string;
  readonly summary: string;
  readonly remedy: string;
  readonly command: string;
  readonly labels: Readonly<Record<string, string>>;
}
