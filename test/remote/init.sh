#!/bin/sh
# The first process of a machine of its own (see rig.ts): its mounts, its engine, its sshd. It ends with what it has
# started.
# DIR: what is the machine's own; NAME; SSHD; PAM: file; DOCKERD: a dockerd's path, or nothing for a machine without
# Docker
set -eu
mount -t proc proc /proc
mount -t tmpfs -o mode=0755 tmpfs /run
mkdir -p /run/sshd /run/lock
for own in passwd group shadow; do mount --bind "$DIR/etc/$own" "/etc/$own"; done
mkdir -p /etc/ssh
mount --bind "$DIR/etc/ssh" /etc/ssh
[ ! -e /etc/pam.d/sshd ] || mount --bind "$PAM" /etc/pam.d/sshd
mount --bind "$DIR/home" /home
hostname "$NAME"
ip link set lo up
until ip link show eth0 >/dev/null 2>&1; do sleep 0.05; done

if [ -n "$DOCKERD" ]; then
  "$DOCKERD" --data-root "$DIR/docker" ${DOCKERD_OPTIONS:-} >> "$DIR/dockerd.log" 2>&1 &
else
  # As on a machine where nobody has installed it.
  for client in /usr/bin/docker /usr/local/bin/docker /usr/sbin/dockerd /usr/bin/dockerd; do
    [ ! -e "$client" ] || mount --bind /dev/null "$client"
  done
fi
exec "$SSHD" -D -e -f /etc/ssh/sshd_config 2>> "$DIR/sshd.log"
