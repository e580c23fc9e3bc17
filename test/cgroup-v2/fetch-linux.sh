#!/bin/sh
# Gets what the machine with cgroup v2 and the Linux guest are made of from Debian's packages into the given folder, once; nothing is
# installed:
#   sh test/cgroup-v2/fetch-linux.sh FOLDER
# vmlinuz is Debian's kernel for clouds, brd.ko its module for disks in memory (for swap), modules/ those of the virtio network card with
# the order in which they are loaded, busybox all other programs.
set -eu

mkdir -p "$1"
cd "$1"
[ ! -f modules/order ] || exit 0
work=$PWD/work
trap 'rm -rf "$work"' EXIT
rm -rf "$work"
mkdir "$work"

fail() {
  echo "linux: $1" >&2
  echo "linux: it is needed by test/cgroup-v2 and test/linux-guest only. With a network, on Debian, run as root: apt-get update; then: node setup/setup.mjs --only linux" >&2
  exit 1
}

# The package of the newest kernel is empty and names the one that has it.
kernel_package() { apt-cache depends linux-image-cloud-amd64 2>/dev/null | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)$/\1/p' | head -n 1; }

download() {
  kernel=$(kernel_package)
  [ -n "$kernel" ] || { echo "apt knows no linux-image-cloud-amd64"; return 1; }
  (cd "$work" && apt-get -q -o APT::Sandbox::User="$(id -un)" -o Acquire::Retries=2 -o Acquire::http::Timeout=30 \
    download "$kernel" busybox-static)
}

command -v apt-get >/dev/null || fail "there is no apt-get, so no kernel can be got"
if ! download; then
  # Lists that are old name packages that are no more.
  [ "$(id -u)" = 0 ] || fail "the packages cannot be got"
  apt-get -q update || true
  download || fail "the packages cannot be got"
fi

for package in "$work"/*.deb; do
  dpkg-deb --fsys-tarfile "$package" | tar -x -C "$work" --wildcards --no-anchored 'vmlinuz-*' 'brd.ko*' 'virtio*.ko*' '*failover.ko*' 'bin/busybox' 2>/dev/null || true
done
pick() {
  found=$(find "$work" -type f -name "$1" | head -n 1)
  [ -n "$found" ] || fail "Debian's packages have no $1"
  case $found in *.xz) xz -d "$found" && found=${found%.xz} ;; esac
  mv "$found" "$2"
}
pick busybox busybox
pick 'brd.ko*' brd.ko
pick 'vmlinuz-*' vmlinuz
rm -rf modules
mkdir modules
modules="virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci failover net_failover virtio_net"
for module in $modules; do pick "$module.ko*" "modules/$module.ko"; done
# Last: where it is, all is.
for module in $modules; do echo "$module.ko"; done >modules/order
