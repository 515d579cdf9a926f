const NANO = 1e9;

/**
 * A number of processors as Pulumi's docker plugin prints what it has read from Docker: "1.0", "0.25", "10.". It
 * compares that with what was given, as text, and any other spelling replaces the container at each `up`. It prints
 * nine decimals and takes zeros from the end, but what has nine zeros in all gets one decimal.
 */
export function processors(count: number): string {
  const text = count.toFixed(9);
  return text.replace(/[^0]/g, "").length === 9 ? count.toFixed(1) : text.replace(/0+$/, "");
}

/** False for those of which it makes another number (0.1 of 0.05), and those that are finer than Docker counts. */
export function isReadBack(count: number): boolean {
  return (
    Math.round(Number(processors(count)) * NANO) === Math.round(count * NANO) && Number(count.toFixed(9)) === count
  );
}
