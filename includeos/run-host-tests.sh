#!/bin/sh
# The guest's portable parts on this machine, with sanitizers: unit tests, a fuzz run, the comparison with JavaScript, the README's example.
#   sh includeos/run-host-tests.sh [--seed N] [--rounds N]
# Needs g++ (with libasan and libubsan, which come with it) and node.
set -eu

cd "$(dirname "$0")"
seed=""
rounds=60
while [ $# -gt 0 ]; do
  case $1 in
    --seed) seed=$2 ;;
    --rounds) rounds=$2 ;;
    *) echo "includeos: unknown argument '$1'; usage: run-host-tests.sh [--seed N] [--rounds N]" >&2; exit 2 ;;
  esac
  shift 2
done
[ -n "$seed" ] || seed=$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')

mkdir -p build/host
exec 9>build/host/lock
flock 9

# The tests themselves at -O0: optimising their checks would take a minute.
flags="-std=c++20 -g -fno-var-tracking-assignments -Wall -Wextra -Werror -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all"
includes="-Iinclude -Icore -Iservice -Itest/unit -Itest"
headers=$({ find include core service engine test -name '*.h' -o -name '*.inc' | LC_ALL=C sort | xargs cat; cat run-host-tests.sh; g++ --version; } | sha256sum)
commands=build/host/commands
: >"$commands"
used=""

# objects LEVEL SOURCE...: sets $objects, and notes the commands for those that are not there
objects() {
  level=$1
  shift
  objects=""
  for source in "$@"; do
    digest=$({ echo "$headers"; cat "$source"; } | sha256sum | cut -c1-24)
    object=build/host/$(basename "$source" .cpp)-$digest.o
    objects="$objects $object"
    [ -f "$object" ] || echo "g++ $flags $level $includes -c $source -o $object.part && mv $object.part $object" >>"$commands"
  done
  used="$used $objects"
}

objects -O1 core/*.cpp
core=$objects
objects -O1 service/*.cpp
service=$objects
objects -O0 test/unit/*.cpp engine/service_file.cpp
unit=$objects
objects -O1 test/fuzz.cpp
fuzz=$objects
objects -O1 test/text_cli.cpp
text_cli=$objects
rm -rf build/host/example
mkdir build/host/example
node test/readme-example.mjs build/host/example
objects -O1 build/host/example/*.cpp
example=$objects

if [ -s "$commands" ]; then
  echo "includeos: compiling $(wc -l <"$commands") files of the host tests"
  xargs -P "$(nproc)" -I '{}' sh -c '{}' <"$commands"
fi
if [ "$(cat build/host/stamp 2>/dev/null)" != "$used" ]; then
  g++ $flags $core $service $unit -o build/host/unit
  g++ $flags $core $service $fuzz -o build/host/fuzz
  g++ $flags $core $service $text_cli -o build/host/text_cli
  g++ $flags $core $example $text_cli -o build/host/example_cli
  echo "$used" >build/host/stamp
fi
for object in build/host/*.o; do
  case " $used " in *" $object "*) ;; *) rm -f "$object" ;; esac
done

build/host/unit
build/host/fuzz "$seed" "$rounds"
node test/text.test.mjs build/host/text_cli
node test/example.test.mjs build/host/example_cli
