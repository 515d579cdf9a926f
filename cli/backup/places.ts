import { FOLDERS, readerOf, titleOf, type Volume } from "../../contracts/agent.ts";
import { CliError } from "../shared/errors.ts";
import { type BackupHost, type Inspection, volumeAt } from "./agent.ts";

/** Where files are that a restore puts in place, and as whom. */
export interface FilesPlace {
  /** In words: the files (those of storage/app), folder public/uploads, service search. */
  readonly title: string;
  /** Which of the volumes beside storage/app it is. */
  readonly of?: Volume;
  readonly volume: string;
  /** The container whose image and user it has. */
  readonly like: Pick<Inspection, "Config">;
  /** The container that writes to it by itself, and has to stand still while its files are swapped. */
  readonly service?: string;
}

const STORAGE = "the files";

type Host = Pick<BackupHost, "docker" | "agent">;

async function inspected({ docker }: Pick<Host, "docker">, container: string): Promise<Inspection> {
  const { code, stdout, stderr } = await docker.run(["inspect", container]);
  if (code !== 0) throw new CliError({ what: `the container ${container} can't be inspected: ${stderr.trim()}` });
  return (JSON.parse(stdout) as [Inspection])[0];
}

const storageIn = (like: Inspection): FilesPlace => ({
  title: STORAGE,
  volume: volumeAt(like, FOLDERS.storage),
  like,
});

/** The application's storage/app. */
export async function storagePlace(host: Host): Promise<FilesPlace> {
  return storageIn(await inspected(host, host.agent));
}

/** All places that the stack's backups are of: storage/app, then folders of the application, then services. */
export async function filesPlaces(host: Host & Pick<BackupHost, "deployed">): Promise<FilesPlace[]> {
  const { services } = host.deployed.outputs;
  const readers = services.filter(({ role }) => role === "reader");
  const [agent, ...reading] = await Promise.all(
    [host.agent, ...readers.map(({ container }) => container)].map((container) => inspected(host, container)),
  );
  const folders = agent!.Mounts.flatMap(({ Destination, Name = "" }): FilesPlace[] => {
    if (!Destination.startsWith(`${FOLDERS.volumes}/`)) return [];
    const of: Volume = { kind: "folder", name: decodeURIComponent(Destination.slice(FOLDERS.volumes.length + 1)) };
    return [{ title: titleOf(of), of, volume: Name, like: agent! }];
  });
  const ofServices = readers.map(({ name }, index): FilesPlace => {
    const of: Volume = { kind: "service", name: name.replace(/^backup-service-/, "") };
    const like = reading[index]!;
    const service = services.find((one) => one.role === "service" && one.name === `service-${of.name}`);
    if (service === undefined)
      throw new CliError({ what: `${titleOf(of)} has a reader (${readerOf(of)}) and no container` });
    return { title: titleOf(of), of, volume: volumeAt(like, FOLDERS.volume), like, service: service.container };
  });
  return [storageIn(agent!), ...folders.sort((a, b) => (a.title < b.title ? -1 : 1)), ...ofServices];
}
