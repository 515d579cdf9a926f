import { CliError, Exit } from "../shared/errors.ts";
import { isDebian } from "./checks.ts";
import type { HostFacts } from "./facts.ts";
import type { HostCheck } from "./verdict.ts";

/** Something that is done on the host as root. */
export interface Task {
  readonly check: string;
  /** One line for a person. */
  readonly what: string;
  /** Shell, with `set -e`. It can be run again. */
  readonly script: string;
}

const APT = "DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -q -y";

/** Some releases of Debian have the client in the engine's package, some apart. */
const INSTALL = `${APT} update
client=
if apt-cache show docker-cli >/dev/null 2>&1; then client=docker-cli; fi
${APT} --no-install-recommends install docker.io iptables ca-certificates $client`;

const START = `if [ -d /run/systemd/system ]; then systemctl enable --now docker
elif ! { [ -x /etc/init.d/docker ] && service docker start; }; then
  setsid dockerd >> /var/log/dockerd.log 2>&1 </dev/null &
fi
tries=0
until [ -S /var/run/docker.sock ]; do
  tries=$((tries + 1))
  [ "$tries" -lt 60 ] || { echo "dockerd does not come up: journalctl -u docker -n 50" >&2; exit 1; }
  sleep 0.5
done`;

// A swap file has no holes; btrfs and zfs have ways of their own.
const SWAP = `case $(stat -f -c %T /) in
  ext2/ext3 | xfs)
    if [ ! -e /swapfile ]; then
      (umask 077; dd if=/dev/zero of=/swapfile bs=1M count=2048 status=none)
      mkswap /swapfile >/dev/null
    fi
    if swapon /swapfile; then
      grep -qs '^/swapfile ' /etc/fstab || echo '/swapfile none swap sw 0 0' >> /etc/fstab
    else
      rm -f /swapfile
      echo "the kernel takes no swap file here: nothing was changed" >&2
    fi ;;
  *) echo "no swap file on this file system: make swap by hand" >&2 ;;
esac`;

const CLOCK = `if ! timedatectl set-ntp true 2>/dev/null; then
  ${APT} update
  ${APT} install systemd-timesyncd
  timedatectl set-ntp true || echo "what keeps this clock is not systemd: see to it by hand" >&2
fi`;

/** Refuses what containers send to a cloud's metadata; the host itself goes on reaching them. */
const [CLOSE, CLOSE6] = (
  [
    ["iptables", "169.254.169.254"],
    ["ip6tables", "fd00:ec2::254"],
  ] as const
).map(([command, address]) => {
  const rule = `DOCKER-USER -d ${address} -p tcp --dport 80 -j REJECT`;
  return `${command} -C ${rule} 2>/dev/null || ${command} -I ${rule}`;
});

// Docker makes the chain anew at its start, and has none for IPv6 where its networks have no such addresses.
const METADATA = `if [ -d /run/systemd/system ]; then
  cat > /etc/systemd/system/drydock-metadata.service <<'UNIT'
[Unit]
Description=Keep containers from the metadata of this machine's cloud
After=docker.service
PartOf=docker.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c '${CLOSE}'
ExecStart=-/bin/sh -c '${CLOSE6}'

[Install]
WantedBy=docker.service
UNIT
  systemctl daemon-reload
  systemctl enable --now drydock-metadata
else
  ${CLOSE}
  ${CLOSE6} 2>/dev/null || true
  echo "without systemd the rule goes when the host is started again" >&2
fi`;

/**
 * What is to be done about what `host check` found, in its order.
 * @throws CliError where the host is none that this is done on, or the user can't be root there
 */
export function tasksFor(facts: HostFacts, checks: readonly HostCheck[]): readonly Task[] {
  const wrong = new Map(
    checks.filter(({ prepared, verdict }) => prepared === true && verdict !== "fine").map((check) => [check.id, check]),
  );
  const { user, docker, host } = facts;
  const install = (wrong.has("docker") && !docker.installed) || wrong.has("client");
  // Who has just been given Docker is not in its group either.
  const group = user.uid !== 0 && (wrong.has("group") || (wrong.has("docker") && docker.socket !== "yes"));
  const tasks = [
    ...(install
      ? [{ check: "docker", what: "install Docker from Debian's packages (docker.io)", script: INSTALL }]
      : []),
    ...(wrong.has("docker") || wrong.has("boot")
      ? [{ check: "boot", what: "start Docker, now and with the host", script: START }]
      : []),
    ...(group
      ? [
          {
            check: "group",
            what: `put ${user.name} into the group docker (whoever is in it is root of the host)`,
            script: `usermod -aG docker '${user.name}'`,
          },
        ]
      : []),
    ...(wrong.has("swap") ? [{ check: "swap", what: "make a swap file of 2 GiB, /swapfile", script: SWAP }] : []),
    ...(wrong.has("clock")
      ? [{ check: "clock", what: "keep the clock right (systemd-timesyncd)", script: CLOCK }]
      : []),
    ...(wrong.has("metadata")
      ? [
          {
            check: "metadata",
            what: "keep containers from the metadata of the host's cloud (drydock-metadata.service)",
            script: METADATA,
          },
        ]
      : []),
  ];
  if (tasks.length === 0) return tasks;
  if (!isDebian(facts)) {
    throw new CliError({
      what: `${host} runs ${facts.system.name}; only Debian and Ubuntu are prepared from here`,
      remedy: tasks.map(({ what }) => `by hand: ${what}`).join("\n"),
      code: Exit.refused,
    });
  }
  if (user.sudo === "none") {
    throw new CliError({
      what: `${user.name} of ${host} is not root and has no sudo, so nothing can be changed there`,
      remedy:
        `as root on the host: apt-get install sudo && adduser ${user.name} sudo\n` +
        "or log in as root this once: ./drydock host prepare ssh://root@HOST",
      code: Exit.refused,
    });
  }
  return tasks;
}

/** All of them as one script for a root shell; says what it is at. */
export function scriptOf(tasks: readonly Task[]): string {
  return [
    "set -e",
    ...tasks.flatMap(({ what, script }) => [`echo '→ ${what.replaceAll("'", "'\\''")}'`, script]),
    "",
  ].join("\n");
}
