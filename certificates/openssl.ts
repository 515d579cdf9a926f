import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { PLACEHOLDER } from "./pem.ts";
import { run } from "./run.ts";

const EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
const leaf = (name: string) => [
  ...["-addext", `subjectAltName=DNS:${name}`, "-addext", "extendedKeyUsage=serverAuth"],
  ...["-addext", "basicConstraints=critical,CA:FALSE", "-addext", "keyUsage=critical,digitalSignature"],
];

/** A chain and its key in one text; several may be made at the same time. */
async function made(folder: string, args: readonly string[], chain: readonly string[] = []): Promise<string> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const own = mkdtempSync(join(folder, "new-"));
  const [key, certificate] = [join(own, "key.pem"), join(own, "certificate.pem")];
  try {
    await run("openssl", ["req", "-x509", ...EC, ...args, "-keyout", key, "-out", certificate]);
    return [readFileSync(certificate, "utf8"), ...chain, readFileSync(key, "utf8")].join("");
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}

/** What is served for a name that has no certificate yet: no browser trusts it, and everybody sees why. */
export async function placeholder(folder: string, name: string): Promise<string> {
  return await made(folder, ["-days", "3650", "-subj", `/CN=${PLACEHOLDER}`, ...leaf(name)]);
}

/** The edge's own authority: made once, kept with the accounts. */
export async function localRoot(folder: string): Promise<{ readonly certificate: string; readonly key: string }> {
  const root = { certificate: join(folder, "root.pem"), key: join(folder, "root.key") };
  if (existsSync(root.certificate)) return root;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const [key, certificate] = [`${root.key}.new`, `${root.certificate}.new`];
  await run("openssl", [
    ...["req", "-x509", ...EC, "-days", "3650", "-subj", "/CN=Drydock local authority"],
    ...["-addext", "basicConstraints=critical,CA:TRUE,pathlen:0", "-addext", "keyUsage=critical,keyCertSign,cRLSign"],
    ...["-keyout", key, "-out", certificate],
  ]);
  renameSync(key, root.key);
  renameSync(certificate, root.certificate);
  return root;
}

/** A certificate of the edge's own authority. */
export async function signedLocally(folder: string, name: string): Promise<string> {
  const root = await localRoot(folder);
  return await made(
    folder,
    ["-days", "90", "-CA", root.certificate, "-CAkey", root.key, "-subj", "/CN=Drydock", ...leaf(name)],
    [readFileSync(root.certificate, "utf8")],
  );
}
