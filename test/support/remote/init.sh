#!/bin/sh
# The first process of a machine of its own (see rig.ts): its mounts, its engine, its sshd. It ends with what it has
# started.
# DIR: what is the machine's own; NAME; SSHD; PAM: file; ROOT: the folder of another system, or nothing for this
# machine's
# DOCKERD: a dockerd's path, or nothing for a machine without Docker; DOCKERD_OPTIONS: words
set -eu
# Docker wants the root of its files to be a mount.
[ -z "$ROOT" ] || mount --bind "$ROOT" "$ROOT"
mount -t proc proc "$ROOT/proc"
mount -t tmpfs -o mode=0755 tmpfs "$ROOT/run"
mkdir -p "$ROOT/run/sshd" "$ROOT/run/lock" "$ROOT/etc/ssh"
for own in passwd group shadow ssh; do [ ! -e "$DIR/etc/$own" ] || mount --bind "$DIR/etc/$own" "$ROOT/etc/$own"; done
hostname "$NAME"
ip link set lo up
until ip link show eth0 >/dev/null 2>&1; do sleep 0.05; done

if [ -n "$ROOT" ]; then
  for shared in sys dev; do mount --rbind "/$shared" "$ROOT/$shared"; done
  exec 3>> "$DIR/dockerd.log" 4>> "$DIR/sshd.log"
  # Containers are entered by way of the root, which a chroot alone does not change.
  cd "$ROOT"
  pivot_root . mnt
  exec chroot . /bin/sh -c 'umount -l /mnt; $0 >&3 2>&1 & exec /usr/sbin/sshd -D -e 2>&4' \
    "${DOCKERD:-true} ${DOCKERD_OPTIONS:-}"
fi

mount --bind "$DIR/home" /home
[ ! -e /etc/pam.d/sshd ] || mount --bind "$PAM" /etc/pam.d/sshd
if [ -n "$DOCKERD" ]; then
  "$DOCKERD" --data-root "$DIR/docker" ${DOCKERD_OPTIONS:-} >> "$DIR/dockerd.log" 2>&1 &
else
  # As on a machine where nobody has installed it.
  for command in /usr/bin/docker /usr/local/bin/docker /usr/sbin/dockerd /usr/bin/dockerd; do
    [ ! -e "$command" ] || mount --bind /dev/null "$command"
  done
fi
exec "$SSHD" -D -e -f /etc/ssh/sshd_config 2>> "$DIR/sshd.log"
