#!/bin/sh
# Builds the guest for an IncludeOS that is installed on this machine:
#   INCLUDEOS_PACKAGE=DIR sh includeos/includeos/build.sh --image FILE [--service DIR] [--variant normal|test]
# DIR is where IncludeOS is installed: the folder that has cmake/os.cmake. FILE is one ELF file of 32 bits with a multiboot header, which
# `qemu-system-x86_64 -kernel` loads.
# Needs what IncludeOS needs to build a service (cmake, clang, nasm, python3), node, and binutils, whose linker takes IncludeOS's script. CC,
# CXX and CMAKE_PREFIX_PATH go to cmake.
set -eu

fail() {
  echo "includeos: $1" >&2
  exit 1
}

absolute() {
  case $1 in /*) echo "$1" ;; *) echo "$PWD/$1" ;; esac
}

image=""
service=""
variant=normal
while [ $# -gt 0 ]; do
  [ $# -ge 2 ] || fail "$1 needs a value"
  case $1 in
    --image) image=$(absolute "$2") ;;
    --service) service=$(absolute "$2") ;;
    --variant) variant=$2 ;;
    *) fail "unknown argument '$1'; usage: build.sh --image FILE [--service DIR] [--variant normal|test]" ;;
  esac
  shift 2
done
[ -n "$image" ] || fail "--image FILE is missing"
case $variant in
  normal) test_image=OFF ;;
  test) test_image=ON ;;
  *) fail "there is no variant '$variant'" ;;
esac

package=${INCLUDEOS_PACKAGE:-}
[ -n "$package" ] || fail "no IncludeOS is named; install it (www.includeos.org), and set INCLUDEOS_PACKAGE to its folder, which has cmake/os.cmake"
package=$(absolute "$package")
[ -f "$package/cmake/os.cmake" ] || fail "there is no IncludeOS in '$package' (no cmake/os.cmake); set INCLUDEOS_PACKAGE to where it is installed"
for tool in cmake "${CC:-clang}" "${CXX:-clang++}" nasm python3 node ld objcopy; do
  command -v "$tool" >/dev/null || fail "'$tool' is missing, which IncludeOS needs to build a service; on Debian: apt-get install cmake clang nasm python3 binutils"
done

here=$(cd "$(dirname "$0")" && pwd)
folder=$here/../build/on-includeos
mkdir -p "$folder"
if command -v flock >/dev/null; then # one build at a time
  exec 9>"$folder/lock"
  flock 9
fi

sources=""
if [ -n "$service" ]; then
  for source in "$service"/*.cpp; do
    [ -f "$source" ] || fail "there is no .cpp file in '$service'"
    sources="$sources${sources:+;}$source"
  done
fi

log=$folder/log
CC=${CC:-clang} CXX=${CXX:-clang++} cmake -S "$here" -B "$folder/$variant" -DCMAKE_BUILD_TYPE=Release -DARCH=x86_64 \
  -DCMAKE_LINKER="$(command -v ld)" -DINCLUDEOS_PACKAGE="$package" -DCMAKE_MODULE_PATH="$package/cmake" -DSHOAL_SERVICE_SOURCES="$sources" \
  -DSHOAL_TEST_IMAGE=$test_image >"$log" 2>&1 || { tail -n 20 "$log" >&2; fail "cmake does not accept this IncludeOS; $log has all of it"; }
cmake --build "$folder/$variant" -j "$(nproc)" >"$log" 2>&1 || { grep -m 10 'error' "$log" >&2; fail "the build failed; $log has all of it"; }

objcopy --strip-all "$folder/$variant/shoal_guest.elf.bin" "$folder/$variant/stripped"
node "$here/wrap-multiboot.mjs" "$folder/$variant/stripped" "$image.part"
mv "$image.part" "$image"
echo "includeos: built $image, $(wc -c <"$image") bytes"
