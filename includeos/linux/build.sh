#!/bin/sh
# Builds the guest's service as a static program for Linux:
#   sh includeos/linux/build.sh [--service DIR] PROGRAM
# Needs g++ and the static C library (Debian: g++ libc6-dev).
set -eu

service=""
if [ "${1:-}" = --service ]; then
  [ $# -ge 2 ] || { echo "includeos: --service needs a folder" >&2; exit 2; }
  service=$(cd "$2" && pwd)
  shift 2
fi
[ $# -eq 1 ] || { echo "includeos: usage: linux/build.sh [--service DIR] PROGRAM" >&2; exit 2; }
case $1 in /*) program=$1 ;; *) program=$PWD/$1 ;; esac

cd "$(dirname "$0")/.."
command -v g++ >/dev/null || { echo "includeos: 'g++' is missing; on Debian: apt-get install g++" >&2; exit 1; }
[ -n "$service" ] || service=$PWD/service
g++ -std=c++20 -O2 -static -fno-exceptions -fno-rtti -Wall -Wextra -Werror -ffunction-sections -fdata-sections -Wl,--gc-sections -s \
  -Iinclude -Icore -I"$service" -Ilinux linux/*.cpp core/*.cpp "$service"/*.cpp -o "$program.part"
mv "$program.part" "$program"
