# shellcheck shell=sh disable=SC2154
# Runs on a Docker host behind remote.sh, whose variables it reads; changes nothing. Second argument: the port that a
# stack wants to publish.
# Says NAME=VALUE, one a line; what can't be found out is left out. Its caller is facts.ts.
port=$2
say() { [ -z "$2" ] || printf '%s=%s\n' "$1" "$2"; }
has() { command -v "$1" >/dev/null 2>&1; }
PATH=$PATH:/usr/sbin:/sbin

# First: how long the answer takes is part of the question.
say clock "$(date +%s)"
(
  . /etc/os-release
  say os "$ID"
  say like "${ID_LIKE:-}"
  say name "$PRETTY_NAME"
) 2>/dev/null
say arch "$(uname -m)"
say user "$(id -un)"
say uid "$(id -u)"
if [ "$(id -u)" = 0 ]; then say sudo root
elif has sudo && sudo -n true 2>/dev/null; then say sudo free
elif has sudo; then say sudo asks
else say sudo none; fi
[ ! -d /run/systemd/system ] || say systemd yes

for engine in dockerd /usr/sbin/dockerd; do if has "$engine"; then say dockerd yes; break; fi; done
client=$([ "$client" = no ] || docker --version 2>/dev/null)
say client "$client"
# Podman answers some of it, too.
ask() { [ "$docker" != podman ] && docker --host "unix://$socket" "$@" 2>/dev/null; }
# One line of JSON, all of it.
info=$(ask info --format '{{json .}}' | head -n 1)
say info "$info"
say api "$(ask version --format '{{.Server.APIVersion}}')"
case $info in
  *'"name=rootless"'*)
    say boot "$(systemctl --user is-enabled docker 2>/dev/null | head -n 1)"
    say linger "$(loginctl show-user "$(id -un)" -p Linger --value 2>/dev/null)" ;;
  *) say boot "$(systemctl is-enabled docker 2>/dev/null | head -n 1)" ;;
esac

root=$(printf '%s' "$info" | sed -n 's/.*"DockerRootDir":"\([^"]*\)".*/\1/p')
case $root in /*) ;; *) root=/var/lib/docker ;; esac
while [ ! -d "$root" ]; do root=$(dirname "$root"); done
say disk "$(df -Pk "$root" 2>/dev/null | awk 'NR == 2 { print $2, $4, $6 }')"
mount=$(df -Pk "$root" 2>/dev/null | awk 'NR == 2 { print $6 }')
say filesystem "$(awk -v mount="$mount" '$2 == mount {
  print $3 ($4 ~ /(^|,)p(rj)?quota(,|$)/ ? " quota" : "") }' /proc/mounts 2>/dev/null | tail -n 1)"
# By its number: a folder that is mounted elsewhere as well has a path of its own, and no disk.
[ "$(stat -c %d "$root" 2>/dev/null)" = "$(stat -c %d / 2>/dev/null)" ] || say owndisk yes
say inodes "$(df -Pi "$root" 2>/dev/null | awk 'NR == 2 { print $2, $4 }')"
say memory "$(awk '/^MemTotal:/ { t = $2 } /^MemAvailable:/ { a = $2 } END { print t, a }' /proc/meminfo 2>/dev/null)"
say swap "$(awk '/^SwapTotal:/ { print $2 }' /proc/meminfo 2>/dev/null)"
say synchronized "$(timedatectl show -p NTPSynchronized --value 2>/dev/null)"
if has chronyc; then say synchronized "$(chronyc tracking 2>/dev/null | grep -q 'Leap status.*Normal' && echo yes)"; fi

if has ss; then
  say listening "$(ss -Hltn 2>/dev/null | awk '{ print $4 }' | sort -u | tr '\n' ' ')"
fi
running=$(ask ps --format '{{.Names}} {{.Label "drydock.stack"}} {{.Ports}}')
say published "$(printf '%s\n' "$running" | grep ":$port->" | head -n 1)"
everywhere='s/.* *\(0\.0\.0\.0\|\[::\]\|::\):\([0-9-]*\)->.*/\2/p'
say open "$(printf '%s\n' "$running" | tr ',' '\n' | sed -n "$everywhere" | sort -un | tr '\n' ' ')"
if grep -qs '^ENABLED=yes' /etc/ufw/ufw.conf; then say firewall ufw
elif [ "$(systemctl is-active firewalld 2>/dev/null)" = active ]; then say firewall firewalld
elif [ "$(systemctl is-active nftables 2>/dev/null)" = active ]; then say firewall nftables; fi

# A cloud's metadata, which most machines have none of. Whether their rule is in force only root may ask; the unit says.
if has timeout && has bash && timeout 1 bash -c ': < /dev/tcp/169.254.169.254/80' 2>/dev/null; then
  say metadata "$(systemctl is-active drydock-metadata 2>/dev/null | head -n 1 | grep . || echo inactive)"
fi
