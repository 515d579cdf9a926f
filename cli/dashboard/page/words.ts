/** A moment as people read it, in UTC. */
export const moment = (iso: string): string => iso.slice(0, 16).replace("T", " ");

export function bytes(count: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = count < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(count) / 10));
  return `${power === 0 ? count : (count / 1024 ** power).toFixed(1)} ${units[power]}`;
}

/** Seconds as people say them. */
export function lasting(seconds: number): string {
  if (seconds < 0.1) return `${Number((seconds * 1000).toPrecision(2))} ms`;
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 10) return `${Number(seconds.toPrecision(2))} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min`;
  return seconds < 129_600 ? `${Number((seconds / 3_600).toPrecision(3))} h` : `${Math.round(seconds / 86_400)} days`;
}

/** A number without digits that nobody reads. */
export const short = (value: number): string =>
  Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));

/** An image without most of its digest. */
export const shortImage = (image: string): string =>
  image.replace(/(@sha256:[0-9a-f]{12})[0-9a-f]+/, "$1…").replace(/^sha256:([0-9a-f]{12})[0-9a-f]+$/, "$1");

/** A value of a chart in its unit. */
export function inUnit(value: number, unit: "per second" | "seconds" | "number"): string {
  if (unit === "seconds") return lasting(value);
  return unit === "per second" ? `${short(value)}/s` : short(value);
}
