#!/bin/sh
# Builds the built-in guest image with the machine's own compiler:
#   sh includeos/build.sh                  both variants: build/shoal-guest.elf and build/shoal-guest-test.elf
#   sh includeos/build.sh --variant NAME   one of them: normal, test
#   sh includeos/build.sh --service DIR --image FILE   an image with another service: DIR/*.cpp in the place of service/
# What has not changed is not built again: each object's name holds the digest of all that it is made from.
# Needs gcc, g++, binutils, tar, xz-utils; for lwIP's source, fetch-lwip.sh.
set -eu

usage() {
  echo "includeos: $1; usage: build.sh [--variant normal|test | --service DIR --image FILE]" >&2
  exit 2
}

absolute() {
  case $1 in /*) echo "$1" ;; *) echo "$PWD/$1" ;; esac
}

variants="normal test"
service=""
own_image=""
while [ $# -gt 0 ]; do
  case $1 in --variant | --service | --image) ;; *) usage "unknown argument '$1'" ;; esac
  [ $# -ge 2 ] || usage "$1 needs a value"
  case $1 in
    --variant) case $2 in normal | test) variants=$2 ;; *) usage "there is no variant '$2'" ;; esac ;;
    --service) service=$(absolute "$2") ;;
    --image) own_image=$(absolute "$2") ;;
  esac
  shift 2
done
if [ -n "$service$own_image" ]; then
  [ -n "$service" ] && [ -n "$own_image" ] || usage "--service and --image go together"
  variants=own
fi

cd "$(dirname "$0")" # all paths below are relative, so that blanks in the checkout's own path do no harm

for tool in gcc g++ ld strip tar xz sha256sum; do
  command -v "$tool" >/dev/null || {
    echo "includeos: '$tool' is missing; on Debian: apt-get install gcc g++ binutils tar xz-utils coreutils" >&2
    exit 1
  }
done
[ "$(uname -m)" = x86_64 ] || {
  echo "includeos: the built-in guest is for x86_64, and this machine's compiler is for $(uname -m)" >&2
  exit 1
}

mkdir -p build/objects
if command -v flock >/dev/null; then # one build at a time: a second one waits, and finds everything done
  exec 9>build/lock
  flock 9
fi

# ring 3 of a machine without an operating system: no libc, no exceptions, SSE2 at the most, addresses fixed at link time
machine_flags="-O2 -fno-pic -fno-pie -mno-avx -fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables"
section_flags="-ffunction-sections -fdata-sections"
cxx_flags="-std=c++20 -fno-exceptions -fno-rtti -fno-threadsafe-statics -Wall -Wextra -Werror"
own_includes="-Iinclude -Icore -Iservice -Ibuiltin"
lwip_includes="-Ibuiltin/lwip -isystem build/lwip/src/include"
link_flags="-nostdlib -static -no-pie -Wl,--gc-sections -Wl,--build-id=none -Wl,-z,noexecstack -Wl,-z,max-page-size=4096"

lwip_sources="core/def core/inet_chksum core/init core/ip core/mem core/memp core/netif core/pbuf core/stats core/tcp core/tcp_in
  core/tcp_out core/timeouts core/ipv4/etharp core/ipv4/icmp core/ipv4/ip4 core/ipv4/ip4_addr netif/ethernet"

# everything that any object may include, the flags and the compiler
common_digest=$({
  cat lwip.pin build.sh
  find include core service builtin -name '*.h' -o -name '*.inc' -o -name '*.ld' | LC_ALL=C sort | xargs cat
  gcc --version
  g++ --version
  ld --version
} | sha256sum | cut -c1-64)

sh ./fetch-lwip.sh build

commands=build/commands.$$
trap 'rm -f "$commands"' EXIT
: >"$commands"

# Another service is compiled from a copy, so that its own path does no harm either.
extra_digest=""
if [ "$variants" = own ]; then
  rm -rf build/own
  mkdir build/own
  for source in "$service"/*.cpp "$service"/*.h "$service"/*.inc; do
    [ -f "$source" ] || continue
    case ${source##*/} in
      *[!A-Za-z0-9._-]*) echo "includeos: '$source' needs a name of letters, digits, '.', '_' and '-'" >&2; exit 1 ;;
    esac
    cp "$source" build/own/
  done
  [ -n "$(find build/own -name '*.cpp')" ] || { echo "includeos: there is no .cpp file in '$service'" >&2; exit 1; }
  own_digest=$(cat build/own/* | sha256sum | cut -c1-64)
fi

# object NAME SOURCE COMMAND...: sets $object, and notes the command if that object is not there
object() {
  name=$1
  source=$2
  shift 2
  digest=$({ echo "$common_digest $extra_digest $*"; cat "$source"; } | sha256sum | cut -c1-24)
  object=build/objects/$name-$digest.o
  objects_used="$objects_used $object"
  [ -f "$object" ] || echo "$* -c $source -o $object.part && mv $object.part $object" >>"$commands"
}

objects_used=""
lwip_objects=""
for path in $lwip_sources; do
  object "lwip-$(basename "$path")" "build/lwip/src/$path.c" \
    gcc -std=gnu11 $machine_flags $section_flags -w -include builtin/lwip/arch/cc.h $lwip_includes
  lwip_objects="$lwip_objects $object"
done

for variant in $variants; do
  define=""
  [ "$variant" = test ] && define="-DSHOAL_TEST_IMAGE"
  objects=""
  folder=service
  [ "$variant" = own ] && folder=build/own
  for source in builtin/*.S builtin/*.cpp core/*.cpp $folder/*.cpp; do
    includes=$own_includes
    extra_digest=""
    if [ "${source%/*}" = build/own ]; then # which sees what a service may see, and no more
      includes="-Iinclude -Ibuild/own"
      extra_digest=$own_digest
    fi
    own=""
    grep -q SHOAL_TEST_IMAGE "$source" && own=$define # the others are the same in both variants
    special=""
    [ "$source" = builtin/memory.cpp ] && special="-fno-builtin -fno-tree-loop-distribute-patterns"
    name=$(echo "$source" | tr '/.' '--')
    case $source in
      *.S) object "$name" "$source" gcc $own -Ibuiltin ;;
      *) object "$name" "$source" g++ $cxx_flags $machine_flags $section_flags $special $own $includes $lwip_includes ;;
    esac
    objects="$objects $object"
  done
  eval "objects_$variant=\$objects"
done

sort -u -o "$commands" "$commands" # both variants ask for the objects that they share
count=$(wc -l <"$commands")
if [ "$count" -gt 0 ]; then
  echo "includeos: compiling $count files"
  xargs -P "$(nproc)" -I '{}' sh -c '{}' <"$commands"
fi

for variant in $variants; do
  image=build/shoal-guest.elf
  [ "$variant" = normal ] || image=build/shoal-guest-$variant.elf
  eval "objects=\$objects_$variant"
  digest=$(echo "$common_digest $objects $lwip_objects" | sha256sum | cut -c1-64)
  if [ -f "$image" ] && [ "$(cat "$image.stamp" 2>/dev/null)" = "$digest" ]; then
    echo "includeos: $image is up to date"
    continue
  fi
  gcc -E -P -x c -Ibuiltin builtin/image.ld -o build/image.ld
  gcc $link_flags -T build/image.ld -o "$image.part" $objects $lwip_objects
  cp "$image.part" "${image%.elf}.debug"
  strip "$image.part"
  mv "$image.part" "$image"
  echo "$digest" >"$image.stamp"
  echo "includeos: built $image, $(wc -c <"$image") bytes"
done

if [ "$variants" = own ]; then
  cp build/shoal-guest-own.elf "$own_image"
  echo "includeos: $own_image has the service of $service"
fi

# objects of sources that have changed since are of no use any more
if [ "$variants" = "normal test" ]; then
  for object in build/objects/*.o; do
    case " $objects_used " in *" $object "*) ;; *) rm -f "$object" ;; esac
  done
fi
