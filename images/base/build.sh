#!/bin/sh
# Builds the root file system of drydock/base from Debian's packages, for machines that reach no registry of images.
# Usage: build.sh MIRROR OUT.tar      (root; writes nothing but OUT.tar and a temporary folder)
set -eu
SUITE=forky
mirror=$1
out=$2
# Debian's own keys. Without them debootstrap would only warn, and unpack what the mirror says.
keyring=${DRYDOCK_DEBIAN_KEYRING:-/usr/share/keyrings/debian-archive-keyring.gpg}
if [ ! -r "$keyring" ]; then
  echo "Debian's keys are not here ($keyring), so nothing from a mirror can be verified: apt-get install" \
      "debian-archive-keyring" >&2
  exit 1
fi

root=$(mktemp -d)
trap 'rm -rf "$root" "$out.part"' EXIT
trap 'exit 130' INT TERM

# The script is named because an older debootstrap doesn't know this suite; sid's is what all suites since have linked
# to.
debootstrap --force-check-gpg --keyring="$keyring" --variant=minbase --include=ca-certificates \
  "$SUITE" "$root" "$mirror" /usr/share/debootstrap/scripts/sid

# The mirror and the settings of this machine's apt stay out of the image; each build brings them for its own step.
echo "# deb http://MIRROR/debian $SUITE main" > "$root/etc/apt/sources.list"
rm -f "$root"/etc/hostname "$root"/etc/resolv.conf "$root"/etc/machine-id
: > "$root/etc/machine-id"

# What nobody reads in a container: documentation (licences stay), translations, package lists, logs.
cat > "$root/etc/dpkg/dpkg.cfg.d/drydock" <<'CONF'
path-exclude=/usr/share/doc/*
path-include=/usr/share/doc/*/copyright
path-exclude=/usr/share/man/*
path-exclude=/usr/share/info/*
path-exclude=/usr/share/lintian/*
path-exclude=/usr/share/locale/*
path-include=/usr/share/locale/locale.alias
CONF
cat > "$root/etc/apt/apt.conf.d/drydock" <<'CONF'
APT::Install-Recommends "false";
APT::Install-Suggests "false";
Acquire::Languages "none";
CONF
find "$root/usr/share/doc" -type f ! -name copyright -delete
find "$root/usr/share/doc" -type l -delete
find "$root/usr/share/doc" -type d -empty -delete
rm -rf "$root"/usr/share/man/* "$root"/usr/share/info/* "$root"/usr/share/lintian/*
find "$root/usr/share/locale" -mindepth 1 -maxdepth 1 ! -name locale.alias -exec rm -rf {} +
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* "$root"/var/cache/debconf/*-old "$root"/var/lib/dpkg/*-old \
  "$root"/debootstrap
find "$root/var/log" -type f -delete

tar --create --file "$out.part" --directory "$root" --numeric-owner --sort=name --one-file-system .
mv "$out.part" "$out"
