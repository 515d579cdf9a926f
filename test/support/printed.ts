/** Does something with what it prints held back; answers both. */
export async function printed<T>(
  work: () => Promise<T>,
): Promise<{ readonly value: T; readonly out: string; readonly err: string }> {
  const written = { out: "", err: "" };
  const [out, err] = [process.stdout.write, process.stderr.write];
  process.stdout.write = ((text: string) => {
    written.out += text;
    return true;
  }) as typeof process.stdout.write;
  process.stderr.write = ((text: string) => {
    written.err += text;
    return true;
  }) as typeof process.stderr.write;
  try {
    const value = await work();
    return { value, ...written };
  } finally {
    process.stdout.write = out;
    process.stderr.write = err;
  }
}
