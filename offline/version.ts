/** The CLI's version; the npm package @pulumi/pulumi has the same. */
export const VERSION = "3.256.0";

export function older(found: string, needed: string): boolean {
  const [a, b] = [found, needed].map((version) => version.split(".").map(Number));
  for (let i = 0; i < 3; i++) {
    const difference = (a![i] ?? 0) - (b![i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}
