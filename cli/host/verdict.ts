export type Verdict = "fine" | "advice" | "broken" | "unknown";

/** One thing that a Docker host needs. */
export interface HostCheck {
  readonly id: string;
  readonly title: string;
  readonly verdict: Verdict;
  /** What was seen. */
  readonly detail: string;
  /** What puts it right; none where nothing is wrong. */
  readonly remedy?: string;
  /** Whether `./drydock host prepare` puts it right. @default false */
  readonly prepared?: true;
}

export type Judged = Omit<HostCheck, "id" | "title">;

export const fine = (detail: string): Judged => ({ verdict: "fine", detail });
export const advice = (detail: string, remedy: string): Judged => ({ verdict: "advice", detail, remedy });
export const broken = (detail: string, remedy: string): Judged => ({ verdict: "broken", detail, remedy });
export const unknown = (detail: string): Judged => ({ verdict: "unknown", detail });
export const prepared = (judged: Judged): Judged => ({ ...judged, prepared: true });
