import { judgeLimits } from "../../lib/dockerLimits.ts";
import { judgeVersion } from "../../lib/dockerVersion.ts";
import { type EngineInfo, HERE, type HostFacts, type Wanted } from "./facts.ts";
import { advice, broken, fine, type HostCheck, type Judged, prepared, unknown } from "./verdict.ts";

const ANOTHER_PORT = "another port: pulumi config set --path drydock:proxy.port PORT";
const GIB = 1024 ** 3;
const gib = (bytes: number): string => `${(bytes / GIB).toFixed(1)} GiB`;

const prepare = ({ host }: HostFacts): string => `./drydock host prepare${host.startsWith("ssh://") ? ` ${host}` : ""}`;

/** Packages can be installed by `host prepare`. */
export const isDebian = ({ system }: HostFacts): boolean =>
  [system.id, ...system.like].some((id) => ["debian", "ubuntu"].includes(id));

const isRootless = (info?: EngineInfo): boolean => info?.SecurityOptions?.includes("name=rootless") === true;

/** In the order in which they are put right. */
const RULES: readonly (readonly [id: string, title: string, judge: (facts: HostFacts, wanted: Wanted) => Judged])[] = [
  [
    "system",
    "the system is one that Drydock knows",
    ({ system }) =>
      ["x86_64", "aarch64"].includes(system.arch)
        ? fine(`${system.name}, ${system.arch}`)
        : advice(`${system.name} on ${system.arch}: few images are made for it`, "use a host of amd64 or arm64"),
  ],
  [
    "docker",
    "Docker is installed and answers",
    (facts) => {
      const { installed, socket, info, podman, rootless } = facts.docker;
      if (podman === true)
        return broken(
          "what is called docker there is Podman, and Drydock needs Docker's engine",
          `sudo apt-get remove podman-docker; then: ${prepare(facts)}`,
        );
      if (rootless !== undefined)
        return broken(
          `it runs without root, at ${rootless}`,
          `say so: pulumi config set --path drydock:docker.host ${facts.host === HERE ? "unix://" : facts.host}` +
            `${rootless}`,
        );
      if (info !== undefined) return fine(`Docker ${info.ServerVersion}, storage driver ${info.Driver ?? "not known"}`);
      if (socket === "denied") return unknown("its socket is there, but this user may not ask it");
      if (socket === "yes" || installed)
        return prepared(broken("it is installed, but does not answer", "sudo systemctl enable --now docker"));
      if (!isDebian(facts)) return broken("it is not installed", "https://docs.docker.com/engine/install/");
      return prepared(broken("it is not installed", prepare(facts)));
    },
  ],
  [
    "version",
    "Docker is new enough",
    ({ host, docker: { info, api } }) => {
      if (info === undefined || api === undefined) return unknown("Docker could not be asked");
      const old = judgeVersion(host, info.ServerVersion ?? "", api);
      return old === undefined ? fine(`its API is ${api}`) : broken(old.what, old.remedy);
    },
  ],
  [
    "group",
    "the user may use Docker without root",
    (facts) => {
      const {
        docker: { socket },
        user,
      } = facts;
      if (user.uid === 0)
        return advice(
          "the user is root",
          "a user of its own in the group docker, for ssh: adduser deploy && usermod -aG docker deploy",
        );
      if (socket === "denied")
        return prepared(
          broken(`${user.name} is not in the group of Docker's socket`, `as root: usermod -aG docker ${user.name}`),
        );
      return socket === "yes" ? fine(`${user.name} may`) : unknown("there is no socket yet");
    },
  ],
  [
    "client",
    "the docker client is on the host",
    ({ docker: { client, podman } }) => {
      if (podman === true) return unknown("what is called docker is Podman");
      return client === undefined
        ? prepared(
            advice(
              "it is not: each call of a release takes eight round trips in place of two",
              "sudo apt-get install docker-cli (older Debian: docker.io)",
            ),
          )
        : fine(client);
    },
  ],
  [
    "shell",
    "the user's shell leaves the answers to commands",
    ({ noise }) =>
      noise === undefined
        ? fine("it says nothing by itself")
        : advice(
            `it writes "${noise.slice(0, 60)}" before them, so each call of a release takes eight round trips, not two`,
            "in ~/.bashrc (or what the shell reads), write on a terminal only: [ -t 1 ] && echo …",
          ),
  ],
  [
    "boot",
    "Docker starts with the host",
    ({ docker: { boot, installed, info, linger }, system, user }) => {
      if (!installed) return unknown("Docker is not installed");
      if (isRootless(info) && linger === false)
        return broken("an engine without root ends when its user logs out", `sudo loginctl enable-linger ${user.name}`);
      if (!system.systemd) return unknown("no systemd: whatever starts the host's services has to start it");
      return boot === "enabled"
        ? fine("systemd starts it")
        : isRootless(info)
          ? broken(`systemd says: ${boot ?? "nothing"}`, "systemctl --user enable docker")
          : prepared(broken(`systemd says: ${boot ?? "nothing"}`, "sudo systemctl enable docker"));
    },
  ],
  [
    "limits",
    "limits hold",
    ({ host, docker: { info } }) => {
      if (info === undefined) return unknown("Docker could not be asked");
      const lost = judgeLimits(host, info);
      if (lost !== undefined) return advice(lost.what, lost.remedy);
      const missing = (info.Warnings ?? []).filter((line) => /No (memory|swap|cpu)[\w ]* limit support/i.test(line));
      return missing.length === 0
        ? fine(`cgroup v${info.CgroupVersion ?? "1"}`)
        : advice(missing.join("; "), "boot the kernel with cgroup_enable=memory swapaccount=1");
    },
  ],
  [
    "storage",
    "images and containers are stored well",
    ({ docker: { info } }) => {
      if (info === undefined) return unknown("Docker could not be asked");
      return info.Driver === "vfs"
        ? broken(
            "the storage driver is vfs: every layer is copied whole",
            "put Docker's data on ext4 or xfs, and remove storage-driver from /etc/docker/daemon.json",
          )
        : fine(info.Driver ?? "not known");
    },
  ],
  [
    "disk",
    "there is room on the disk",
    ({ disk, inodes }) => {
      if (disk === undefined) return unknown("df does not say");
      const room = `${gib(disk.free)} of ${gib(disk.total)} free on ${disk.mount}`;
      const more = "docker system df shows what takes it; or a larger disk";
      if (inodes !== undefined && inodes.free < inodes.total / 50)
        return broken(`${inodes.free} of ${inodes.total} inodes are left on ${disk.mount}`, more);
      if (disk.free < 5 * GIB) return broken(room, more);
      return disk.free < 15 * GIB ? advice(`${room}: images of some releases and backups take more`, more) : fine(room);
    },
  ],
  [
    "filling",
    "what applications store can't stop the host",
    ({ disk }) => {
      if (disk === undefined) return unknown("df does not say");
      const { mount, own, filesystem = "", quota } = disk;
      const layers =
        filesystem === "xfs" && quota
          ? 'containers\' own layers can be limited: "storage-opts": ["overlay2.size=10G"] in /etc/docker/daemon.json'
          : "Docker limits containers' own layers only on xfs that is mounted with pquota";
      return own
        ? fine(`Docker's data is on a disk of its own, ${mount}`)
        : advice(
            "Docker's data is on the system's own disk, and nothing limits what an application writes to its " +
              "volumes, its database and its containers' own layers",
            `a disk of its own for Docker's data, mounted before there are stacks; ${layers}`,
          );
    },
  ],
  [
    "memory",
    "there is memory",
    ({ memory }) => {
      if (memory === undefined) return unknown("/proc/meminfo does not say");
      const room = `${gib(memory.total)}, ${gib(memory.available)} of it available`;
      return memory.total < 1.8 * GIB
        ? advice(
            `${room}: a release runs both generations of replicas at once`,
            "a host with 2 GiB or more, or fewer replicas: drydock:app.replicas",
          )
        : fine(room);
    },
  ],
  [
    "swap",
    "there is swap for what is rarely used",
    ({ swap, memory }) => {
      if (swap === undefined) return unknown("/proc/meminfo does not say");
      if (swap > 0) return fine(gib(swap));
      const enough = memory !== undefined && memory.total > 8 * GIB;
      return enough
        ? fine("none, and memory enough without")
        : prepared(advice("none: the kernel kills processes as soon as memory is full", "a swap file of 2 GiB"));
    },
  ],
  [
    "clock",
    "its clock is right",
    ({ clock }) => {
      const { ahead, within, synchronized } = clock;
      const off = Math.max(0, Math.abs(ahead) - within);
      const difference = `${Math.abs(ahead)} s ${ahead < 0 ? "behind" : "ahead of"} this machine's (± ${within} s)`;
      const remedy = "sudo timedatectl set-ntp true (or apt-get install systemd-timesyncd)";
      if (off > 30)
        return prepared(broken(`${difference}: certificates, S3 and the schedule of backups go by it`, remedy));
      if (off > 2) return prepared(advice(difference, remedy));
      return synchronized === false
        ? prepared(advice("right now, but nothing keeps it so", remedy))
        : fine(off === 0 ? "as this machine's" : difference);
    },
  ],
  [
    "port",
    "the site's port is free, or the site's own",
    ({ host, listening, published }, { port, interface: address }) => {
      if (published !== undefined) {
        return published.stack === ""
          ? broken(
              `container ${published.container}, which is not Drydock's, publishes port ${port}`,
              `docker port ${published.container}\n${ANOTHER_PORT}`,
            )
          : fine(`port ${port} is published by ${published.container} of stack ${published.stack}`);
      }
      if (listening === undefined) return unknown("ss is not installed (apt-get install iproute2)");
      const taken = listening.filter(
        (one) => one.endsWith(`:${port}`) && overlap(one.slice(0, -`:${port}`.length), address),
      );
      return taken.length === 0
        ? fine(`${address}:${port} is free`)
        : broken(
            `somebody listens on ${taken.join(", ")}`,
            `who it is, on ${host}: sudo ss -ltnp 'sport = :${port}'\n${ANOTHER_PORT}`,
          );
    },
  ],
  [
    "ipv6",
    "visitors have their own addresses",
    (_, { interface: address }) =>
      address.includes(":")
        ? advice(
            "over IPv6 all of them have the address of Docker's gateway: limits for each visitor meet all together",
            "what takes IPv6 in front, on the host: pulumi config set --path drydock:proxy.interface 127.0.0.1\n" +
              "and trust what it says: pulumi config set --path 'drydock:proxy.trustedProxies[0]' ADDRESS",
          )
        : fine("IPv4"),
  ],
  [
    "api",
    "Docker's API is not open to the network",
    ({ listening }) => {
      if (listening === undefined) return unknown("ss is not installed (apt-get install iproute2)");
      const exposed = listening.filter((one) => /:2375$/.test(one) && !/^(127\.|\[::1\])/.test(one));
      return exposed.length === 0
        ? fine("no port 2375")
        : broken(
            `${exposed.join(", ")}: whoever reaches it is root of this host`,
            "take tcp:// out of dockerd's hosts (/etc/docker/daemon.json, systemctl edit docker)",
          );
    },
  ],
  [
    "firewall",
    "what Docker publishes is meant to be public",
    ({ firewall, open }, { port, interface: address }) => {
      const everywhere = ["0.0.0.0", "::"].includes(address);
      const ports = [...new Set([...open, ...(everywhere ? [String(port)] : [])])];
      if (ports.length === 0) return fine("nothing is published on every interface");
      const list = `port${ports.length === 1 ? "" : "s"} ${ports.join(", ")}`;
      if (firewall === undefined) return fine(`${list}: no firewall of the host is on; a provider's may be in front`);
      return advice(
        `${firewall} is on, but Docker's published ports go past it: ${list} open to everybody`,
        "with something in front that terminates TLS: pulumi config set --path drydock:proxy.interface 127.0.0.1\n" +
          "or rules of your own in iptables' chain DOCKER-USER",
      );
    },
  ],
  [
    "metadata",
    "containers don't reach the metadata of the host's cloud",
    ({ metadata }) => {
      if (metadata === undefined) return fine("none answer");
      return metadata === "closed"
        ? fine("closed by drydock-metadata.service")
        : prepared(
            advice(
              "169.254.169.254 gives the machine's role to who asks, the application included",
              "on EC2: aws ec2 modify-instance-metadata-options --http-tokens required " +
                "--http-put-response-hop-limit 1 --instance-id ID\nelsewhere: a rule in iptables' chain DOCKER-USER",
            ),
          );
    },
  ],
];

/** Whether who listens on one address has the port of the other. */
function overlap(listens: string, wanted: string): boolean {
  const any = ["*", "0.0.0.0", "[::]", "::"];
  return any.includes(listens) || any.includes(wanted) || listens.replace(/^\[|\]$/g, "") === wanted;
}

/** Judges all of it. */
export function judgeHost(facts: HostFacts, wanted: Wanted): readonly HostCheck[] {
  return RULES.map(([id, title, judge]) => ({ id, title, ...judge(facts, wanted) }));
}
