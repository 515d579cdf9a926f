/**
 * The known word that a misspelt one most probably means, if any is near: at most a third of its letters differ, where
 * two swapped neighbours count as one difference.
 */
export function nearest(word: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    const difference = distance(word.toLowerCase(), candidate.toLowerCase());
    if (difference < least) [best, least] = [candidate, difference];
  }
  return best;
}

/** The edit distance of two words, a swap of neighbours counting as one edit (optimal string alignment). */
export function distance(a: string, b: string): number {
  let [older, old]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, column) => column)];
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const substituted = old[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1);
      const swapped =
        row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
          ? older[column - 2]! + 1
          : Infinity;
      current.push(Math.min(substituted, swapped, old[column]! + 1, current[column - 1]! + 1));
    }
    [older, old] = [old, current];
  }
  return old[b.length]!;
}
