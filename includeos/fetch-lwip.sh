#!/bin/sh
# Gets lwIP's source from Debian's source package into the given folder, checked against lwip.pin:
#   sh includeos/fetch-lwip.sh FOLDER
# apt is asked with lists and a cache of its own, so that the machine's apt stays as it is; this works without being root.
# Without a network: SHOAL_LWIP_TARBALL=/path/to/the/file (lwip.pin names it).
set -eu

here=$(cd "$(dirname "$0")" && pwd)
. "$here/lwip.pin"
mkdir -p "$1"
target=$(cd "$1" && pwd)
tarball=$target/$file

fail() {
  echo "includeos: $1" >&2
  exit 1
}

is_pinned() { echo "$sha256  $1" | sha256sum --check --status 2>/dev/null; }

# Turns the machine's binary sources into source-package sources, in both of apt's forms. Only entries signed with Debian's own
# keyring, or with none named: others have no lwIP, and may be slow or closed.
write_source_lists() {
  for list in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [ -r "$list" ] || continue
    sed -n 's/^deb\(-src\)\{0,1\}[[:space:]]/deb-src /p' "$list" | grep -E 'debian|ubuntu' >>"$1/machine.list" || true
  done
  for list in /etc/apt/sources.list.d/*.sources; do
    [ -r "$list" ] || continue
    grep -qiE '^URIs:.*(debian|ubuntu)' "$list" || continue
    sed 's/^Types:.*/Types: deb-src/I' "$list" >"$1/$(basename "$list")"
  done
}

fetch_with_apt() {
  command -v apt-get >/dev/null || fail "there is no apt-get; get $file yourself and set SHOAL_LWIP_TARBALL to its path"
  private=$target/apt
  rm -rf "$private"
  mkdir -p "$private/sources" "$private/lists/partial" "$private/cache/archives/partial" "$private/download"
  write_source_lists "$private/sources"
  [ -n "$(ls "$private/sources")" ] ||
    fail "no Debian source found in /etc/apt/sources.list or sources.list.d; set SHOAL_LWIP_TARBALL to the path of $file"
  private_apt() {
    timeout 300 apt-get -q -o Dir::Etc::sourcelist="$private/none" -o Dir::Etc::sourceparts="$private/sources" \
      -o Dir::State::lists="$private/lists" -o Dir::Cache="$private/cache" -o APT::Sandbox::User="$(id -un)" \
      -o Acquire::Retries=2 -o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30 "$@"
  }
  remedy="check the network, or set SHOAL_LWIP_TARBALL to the path of $file"
  log=$private/log
  private_apt update >"$log" 2>&1 || { tail -n 3 "$log" >&2; fail "apt-get update failed; $remedy"; }
  (cd "$private/download" && private_apt source --download-only lwip >>"$log" 2>&1) ||
    { tail -n 3 "$log" >&2; fail "apt-get source lwip failed; $remedy"; }
  [ -f "$private/download/$file" ] ||
    fail "the machine's Debian has another lwIP than $version ($(cd "$private/download" && ls | tr '\n' ' ')); set SHOAL_LWIP_TARBALL to the path of $file"
  is_pinned "$private/download/$file" || fail "$file from apt has not the digest that includeos/lwip.pin names"
  mv "$private/download/$file" "$tarball"
  rm -rf "$private"
}

if ! is_pinned "$tarball"; then
  if [ -n "${SHOAL_LWIP_TARBALL:-}" ]; then
    is_pinned "$SHOAL_LWIP_TARBALL" || fail "SHOAL_LWIP_TARBALL=$SHOAL_LWIP_TARBALL is not $file with the digest in includeos/lwip.pin"
    cp "$SHOAL_LWIP_TARBALL" "$tarball"
  else
    echo "includeos: fetching lwIP $version with apt-get source"
    fetch_with_apt
  fi
fi
if [ ! -f "$target/lwip/unpacked" ]; then
  rm -rf "$target/lwip"
  mkdir "$target/lwip"
  tar -xJf "$tarball" -C "$target/lwip" --strip-components=1 "lwip-$version/src"
  : >"$target/lwip/unpacked"
fi
