/** The last answer in what a script of runtime/ printed, without what else was printed: see runtime/answer.php. */
export function answered(printed: string): string | undefined {
  return printed
    .split("\n")
    .findLast((line) => line.startsWith("\u001e"))
    ?.slice(1);
}
