#!/bin/busybox sh
# The first process of the machine: mounts what every Linux has, cgroup v2 as systemd does (cpu and memory handed on), and runs the
# scenario. What that prints goes out by the second serial line; the first has what the kernel says, and errors.
/bin/busybox --install -s /bin
export PATH=/bin:/usr/bin:/usr/sbin HOME=/root
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
mount -t tmpfs run /run
mount -t cgroup2 cgroup /sys/fs/cgroup
echo "+cpu +memory" >/sys/fs/cgroup/cgroup.subtree_control
ip link set lo up
# A host that swaps: a disk in memory, of 128 MiB.
insmod /brd.ko rd_nr=1 rd_size=131072
mkswap /dev/ram0 >/dev/null
swapon /dev/ram0
cd /shoal || exit
# A line of JSON goes out as it is.
stty -F /dev/ttyS1 raw
timeout 400 node test/cgroup-v2/inside/main.js >/dev/ttyS1
echo "the scenario ended with $?"
# With -no-reboot this ends QEMU.
echo b >/proc/sysrq-trigger
