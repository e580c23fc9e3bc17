#!/bin/busybox sh
# The first process of a Linux guest: brings up the network card with the address that the command line names, and runs the service on the
# serial port. When that ends the machine is powered off.
export PATH=/bin
/bin/busybox mkdir -p /proc /sys /dev
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs dev /dev
for module in $(/bin/busybox cat /modules/order); do /bin/busybox insmod "/modules/$module"; done
silent=
words=
for word in $(/bin/busybox cat /proc/cmdline); do
  case $word in
    shoal.bind=*) bind=${word#*=} words="$words $word" ;;
    shoal.gw=*) gateway=${word#*=} words="$words $word" ;;
    shoal.silent=1) silent=--silent ;;
    shoal.*) words="$words $word" ;;
  esac
done
/bin/busybox ip link set lo up
/bin/busybox ip addr add "$bind" dev eth0
/bin/busybox ip link set eth0 up
/bin/busybox ip route add default via "$gateway"
/bin/busybox stty -F /dev/ttyS0 raw -echo
# shellcheck disable=SC2086 # the words are words
/bin/shoal-guest $silent $words </dev/ttyS0 >/dev/ttyS0
/bin/busybox poweroff -f
