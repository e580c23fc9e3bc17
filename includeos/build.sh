#!/bin/sh
# Builds the built-in guest image with the machine's own compiler:
#   sh includeos/build.sh                  both variants: build/shoal-guest.elf and build/shoal-guest-test.elf
#                                          (each call makes build/shoal-firmware.bin as well, which starts them)
#   sh includeos/build.sh --variant NAME   one of them: normal, test; or engine, the image of scripts (engine/README.md)
#   sh includeos/build.sh --service DIR --image FILE   an image with another service: DIR/*.cpp in the place of service/
#   sh includeos/build.sh --service MODULE.wasm --image FILE   an image of a WebAssembly module (docs/wasm-services.md)
# What has not changed is not built again: each object's name holds the digest of all that it is made from.
# Needs gcc, g++, binutils, tar, xz-utils; for lwIP's source, fetch-source.sh; for WebAssembly and the engine, wabt; for the engine, npm's
# packages as well.
set -eu

usage() {
  echo "includeos: $1; usage: build.sh [--variant normal|test|engine | --service DIR|MODULE.wasm --image FILE]" >&2
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
    --variant) case $2 in normal | test | engine) variants=$2 ;; *) usage "there is no variant '$2'" ;; esac ;;
    --service) service=$(absolute "$2") ;;
    --image) own_image=$(absolute "$2") ;;
  esac
  shift 2
done
if [ -n "$service$own_image" ]; then
  [ -n "$service" ] && [ -n "$own_image" ] || usage "--service and --image go together"
  variants=own
  case $service in *.wasm) variants=wasm ;; esac
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

if [ "$variants" = wasm ] || [ "$variants" = engine ]; then
  command -v wasm2c >/dev/null || {
    echo "includeos: 'wasm2c' is missing; on Debian 12: apt-get install wabt" >&2
    exit 1
  }
  wasm2c_version=$(wasm2c --version)
  [ "$wasm2c_version" = 1.0.32 ] || { # others write other C
    echo "includeos: the build knows what wasm2c 1.0.32 writes (Debian 12's wabt), and this machine's is $wasm2c_version" >&2
    exit 1
  }
fi
if [ "$variants" = wasm ]; then
  [ -f "$service" ] || { echo "includeos: there is no file '$service'" >&2; exit 1; }
fi

# The engine's package, exactly the one that engine/quickjs.pin names.
quickjs=../node_modules/quickjs-wasi
if [ "$variants" = engine ]; then
  . ./engine/quickjs.pin
  [ -f $quickjs/quickjs.wasm ] || { echo "includeos: the npm package quickjs-wasi is missing; run: npm run setup" >&2; exit 1; }
  for line in "\"version\": \"$QUICKJS_VERSION\"" "\"license\": \"$QUICKJS_LICENSE\""; do
    grep -qF "$line" $quickjs/package.json || { echo "includeos: quickjs-wasi is not the pinned one: no $line" >&2; exit 1; }
  done
  echo "$QUICKJS_SHA256  $quickjs/quickjs.wasm" | sha256sum -c --status || {
    echo "includeos: quickjs.wasm has another digest than engine/quickjs.pin" >&2
    exit 1
  }
fi

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
# what wasm2c writes, freestanding; frames are bounded, since a module's stack is checked where a function begins (wasm/steps.h)
wasm_flags="-std=gnu11 -ffreestanding $machine_flags $section_flags -Werror=frame-larger-than=32768
  -fno-optimize-sibling-calls -frounding-math -fsignaling-nans -fno-stack-clash-protection -fno-strict-aliasing
  -DWASM_RT_MEMCHECK_SIGNAL_HANDLER=0 -DWASM_RT_USE_STACK_DEPTH_COUNT=0 -isystem wasm/include -include wasm/steps.h"
wasm_stack_bytes=0x100000
link_flags="-nostdlib -static -no-pie -Wl,--gc-sections -Wl,--build-id=none -Wl,-z,noexecstack -Wl,-z,max-page-size=4096"

lwip_sources="core/def core/inet_chksum core/init core/ip core/mem core/memp core/netif core/pbuf core/stats core/tcp core/tcp_in
  core/tcp_out core/timeouts core/ipv4/etharp core/ipv4/icmp core/ipv4/ip4 core/ipv4/ip4_addr netif/ethernet"

# everything that any object may include, the flags and the compiler
common_digest=$({
  cat lwip.pin build.sh
  find include core service builtin wasm engine -name '*.h' -o -name '*.inc' -o -name '*.ld' | LC_ALL=C sort | xargs cat
  gcc --version
  g++ --version
  ld --version
} | sha256sum | cut -c1-64)

# The engine takes minutes: it is compiled again for what it does include.
engine_digest=$({
  cat wasm/steps.h wasm/include/*.h
  cat /usr/include/wasm-rt.h 2>/dev/null
  gcc --version
} | sha256sum | cut -c1-64)

sh ./fetch-source.sh lwip.pin build

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

# A module becomes C, and what it exports a table.
if [ "$variants" = wasm ]; then
  rm -rf build/module
  mkdir build/module
  cp "$service" build/module/module.wasm
  wasm2c --no-debug-names -n svc build/module/module.wasm -o build/module/module.c 2>build/module/refused || {
    cat build/module/refused >&2
    reason=$(sed -n 's/.*error: \(.*\)/ (\1)/p' build/module/refused | head -n 1)
    echo "includeos: wasm2c cannot translate '$service'$reason: it knows no SIMD, threads, exceptions, tail calls," \
      "garbage collection, further memories and 64-bit memories" >&2
    exit 1
  }
  # The C has these names in its comments, as they are.
  if wasm2wat build/module/module.wasm 2>/dev/null | grep -qE '^ *\((export|import) .*(\*/|\\0[0-9a-f]|\\1[0-9a-f]|\\7f)'; then
    echo "includeos: a name that '$service' exports or imports has a control character or '*/' in it" >&2
    exit 1
  fi
  awk -f wasm/describe.awk wasm/imports.txt build/module/module.h build/module/module.c >build/module/module.inc
  awk -f wasm/prepare.awk build/module/module.c >build/module/module_steps.c
  own_digest=$(cat build/module/module.h build/module/module.inc | sha256sum | cut -c1-64)
fi

# The engine becomes C too, and what it is after its start a part of the image.
if [ "$variants" = engine ]; then
  mkdir -p build/engine
  wasm2c --no-debug-names -n engine $quickjs/quickjs.wasm -o build/engine/module.c
  awk -v calls=loops -f wasm/prepare.awk build/engine/module.c >build/engine/module_steps.c
  # engine.cpp counts on it: the table is filled at the start, and left alone from then on
  changes=$(grep -cE '(_table_(init|copy|set|fill)|wasm_rt_grow_(funcref|externref)_table)\(&instance' build/engine/module.c) || true
  [ "$changes" -eq 1 ] || { echo "includeos: the engine changes its tables ($changes times)" >&2; exit 1; }
  ../bin/node engine/snapshot.mjs $quickjs/quickjs.wasm engine/prelude.js build/engine
  own_digest=$(cat build/engine/module.h build/engine/snapshot.inc build/engine/snapshot.bin | sha256sum | cut -c1-64)
fi

# object NAME SOURCE COMMAND...: sets $object, and notes the command if that object is not there
object() {
  name=$1
  source=$2
  shift 2
  base_digest=$common_digest
  [ "$source" = build/engine/module_steps.c ] && base_digest=$engine_digest
  digest=$({ echo "$base_digest $extra_digest $*"; cat "$source"; } | sha256sum | cut -c1-24)
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
  case $variant in
    own) service_sources=$(echo build/own/*.cpp) ;;
    wasm) service_sources="$(echo wasm/*.cpp) build/module/module_steps.c" ;;
    engine)
      service_sources="wasm/runtime.cpp wasm/wasi.cpp wasm/log_lines.cpp $(echo engine/*.cpp) engine/snapshot.S build/engine/module_steps.c"
      ;;
    *) service_sources=$(echo service/*.cpp) ;;
  esac
  for source in builtin/*.S builtin/*.cpp core/*.cpp $service_sources; do
    includes=$own_includes
    extra_digest=""
    case $source in wasm/*) includes="$own_includes -Iwasm" ;; esac
    case $source in
      wasm/service.cpp) includes="$includes -Ibuild/module"; extra_digest=$own_digest ;;
      build/module/*) extra_digest=$own_digest ;;
      engine/*) includes="$own_includes -Iwasm -Ibuild/engine"; extra_digest=$own_digest ;;
    esac
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
      build/engine/*.c) object "$name" "$source" gcc $wasm_flags -Ibuild/engine -DSHOAL_WASM_TRACKS=0 ;;
      *.c) object "$name" "$source" gcc $wasm_flags -Ibuild/module -DSHOAL_WASM_TRACKS="$(sed -n 's/#define SHOAL_WASM_TRACKS //p' build/module/module.inc)" ;;
      *) object "$name" "$source" g++ $cxx_flags $machine_flags $section_flags $special $own $includes $lwip_includes ;;
    esac
    objects="$objects $object"
  done
  eval "objects_$variant=\$objects"
done

sort -u -o "$commands" "$commands" # both variants ask for the objects that they share
count=$(wc -l <"$commands")
if [ "$count" -gt 0 ]; then
  echo "includeos: compiling $count $([ "$count" -eq 1 ] && echo file || echo files)"
  xargs -P "$(nproc)" -I '{}' sh -c '{}' <"$commands" || {
    [ "$variants" != wasm ] || echo "includeos: gcc refuses what wasm2c made of '$service'; above is why" >&2
    exit 1
  }
fi

# link OUTPUT LAYOUT OBJECTS...: LAYOUT are definitions for layout.h, or nothing
link() {
  output=$1
  layout=$2
  shift 2
  gcc -E -P -x c -Ibuiltin $layout builtin/image.ld -o build/image.ld
  gcc $link_flags -T build/image.ld -o "$output" "$@" -lgcc
}

# Code of any size finds its place: linked once to see how much there is, then with a layout for so much.
link_any_size() {
  output=$1
  stack=$2
  shift 2
  link "$output" -DIMAGE_WRITABLE=0x10000000 "$@"
  end=$(nm "$output" | sed -n 's/^0*\([0-9a-f]*\) . text_end$/\1/p')
  writable=$(((0x$end + 0xffff) & ~0xffff))
  if [ "$writable" -le $((0x130000)) ] && [ -z "$stack" ]; then
    link "$output" "" "$@"
    return
  fi
  layout="-DIMAGE_WRITABLE=$writable"
  [ -z "$stack" ] || layout="$layout -DUSER_STACK_BYTES=$stack"
  placed=""
  for placed_object in "$@"; do
    case $placed_object in
      build/objects/builtin-tables-S-*) gcc -Ibuiltin $layout -c builtin/tables.S -o "$output.tables.o"; placed_object="$output.tables.o" ;;
      build/objects/builtin-boot-S-*) gcc -Ibuiltin $layout -c builtin/boot.S -o "$output.boot.o"; placed_object="$output.boot.o" ;;
    esac
    placed="$placed $placed_object"
  done
  link "$output" "$layout" $placed
  rm -f "$output.tables.o" "$output.boot.o"
}

# What every image starts with.
gcc -m32 -c firmware/firmware.S -o build/shoal-firmware.o
ld -m elf_i386 -T firmware/firmware.ld --oformat binary -o build/shoal-firmware.bin.part build/shoal-firmware.o
# Its label, in the first 128 bytes, which are empty: whoever starts a VM sees by it that this is a firmware of ours, and whole.
firmware_digest=$(tail -c +129 build/shoal-firmware.bin.part | sha256sum | cut -c1-64)
printf 'shoal-firmware 1 %s\n' "$firmware_digest" | dd of=build/shoal-firmware.bin.part conv=notrunc status=none
chmod 644 build/shoal-firmware.bin.part
mv build/shoal-firmware.bin.part build/shoal-firmware.bin
rm build/shoal-firmware.o

for variant in $variants; do
  case $variant in
    normal) image=build/shoal-guest.elf ;;
    engine) image=build/shoal-engine.elf ;;
    *) image=build/shoal-guest-$variant.elf ;;
  esac
  eval "objects=\$objects_$variant"
  digest=$(echo "$common_digest $objects $lwip_objects" | sha256sum | cut -c1-64)
  if [ -f "$image" ] && [ "$(cat "$image.stamp" 2>/dev/null)" = "$digest" ]; then
    echo "includeos: $image is up to date"
    continue
  fi
  case $variant in
    own) link_any_size "$image.part" "" $objects $lwip_objects ;;
    wasm | engine) link_any_size "$image.part" $wasm_stack_bytes $objects $lwip_objects ;;
    *) link "$image.part" "" $objects $lwip_objects ;;
  esac
  cp "$image.part" "${image%.elf}.debug"
  strip "$image.part"
  mv "$image.part" "$image"
  echo "$digest" >"$image.stamp"
  echo "includeos: built $image, $(wc -c <"$image") bytes"
done

if [ -n "$own_image" ]; then
  cp "build/shoal-guest-$variants.elf" "$own_image"
  echo "includeos: $own_image has the service of $service"
  if [ "$variants" = wasm ] && grep -q 'SHOAL_WASM_BYTES true' build/module/module.inc; then
    echo "includeos: it takes bytes, which the profile beside it says by \"payload\": \"bytes\""
  fi
fi

# Objects of sources that have changed since are of no use any more. The engine's own, which takes minutes, goes when there is another.
case $variants in
  "normal test") stale=$(ls build/objects/*.o | grep -v '/build-engine-' || true) ;;
  engine) stale=$(ls build/objects/build-engine-*.o) ;;
  *) stale="" ;;
esac
for object in $stale; do
  case " $objects_used " in *" $object "*) ;; *) rm -f "$object" ;; esac
done
