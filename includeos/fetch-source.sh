#!/bin/sh
# Gets the file of one of Debian's source packages that a pin names into the given folder, and unpacks what is needed of it:
#   sh includeos/fetch-source.sh PIN FOLDER
# apt is asked with lists and a cache of its own, so that the machine's apt stays as it is; this works without being root. What is there
# already is not fetched again. A pin sets:
#   package, version, file, sha256
#   variable   the environment variable that names a local copy of the file, for a machine without a network
#   members    what is unpacked, less `strip` folders of its path, into FOLDER/`into`
set -eu

pin=$1
case $pin in */*) . "$pin" ;; *) . "./$pin" ;; esac
mkdir -p "$2"
target=$(cd "$2" && pwd)
tarball=$target/$file
eval "local_copy=\${$variable:-}"

fail() {
  echo "includeos: $1" >&2
  exit 1
}

is_pinned() { echo "$sha256  $1" | sha256sum --check --status 2>/dev/null; }

# Turns the machine's binary sources into source-package sources, in both of apt's forms. Only entries signed with Debian's own
# keyring, or with none named: others do not have the package, and may be slow or closed.
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
  command -v apt-get >/dev/null || fail "there is no apt-get; get $file yourself and set $variable to its path"
  private=$target/apt-$package
  rm -rf "$private"
  mkdir -p "$private/sources" "$private/lists/partial" "$private/cache/archives/partial" "$private/download"
  write_source_lists "$private/sources"
  [ -n "$(ls "$private/sources")" ] ||
    fail "no Debian source found in /etc/apt/sources.list or sources.list.d; set $variable to the path of $file"
  private_apt() {
    timeout 300 apt-get -q -o Dir::Etc::sourcelist="$private/none" -o Dir::Etc::sourceparts="$private/sources" \
      -o Dir::State::lists="$private/lists" -o Dir::Cache="$private/cache" -o APT::Sandbox::User="$(id -un)" \
      -o Acquire::Retries=2 -o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30 "$@"
  }
  remedy="check the network, or set $variable to the path of $file"
  log=$private/log
  private_apt update >"$log" 2>&1 || { tail -n 3 "$log" >&2; fail "apt-get update failed; $remedy"; }
  (cd "$private/download" && private_apt source --download-only "$package" >>"$log" 2>&1) ||
    { tail -n 3 "$log" >&2; fail "apt-get source $package failed; $remedy"; }
  [ -f "$private/download/$file" ] ||
    fail "the machine's Debian has another $package than $version ($(cd "$private/download" && ls | tr '\n' ' ')); set $variable to the path of $file"
  is_pinned "$private/download/$file" || fail "$file from apt has not the digest that $pin names"
  mv "$private/download/$file" "$tarball"
  rm -rf "$private"
}

if ! is_pinned "$tarball"; then
  if [ -n "$local_copy" ]; then
    is_pinned "$local_copy" || fail "$variable=$local_copy is not $file with the digest in $pin"
    cp "$local_copy" "$tarball"
  else
    echo "includeos: fetching $package $version with apt-get source"
    fetch_with_apt
  fi
fi
if [ "$(cat "$target/$into/unpacked" 2>/dev/null)" != "$sha256" ]; then
  rm -rf "${target:?}/$into"
  mkdir "$target/$into"
  tar -xf "$tarball" -C "$target/$into" --strip-components="$strip" "$members"
  echo "$sha256" >"$target/$into/unpacked"
fi
