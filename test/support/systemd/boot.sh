#!/bin/sh
# Boots a systemd of its own in namespaces of its own, with what FOLDER holds: release/, units/, etc/ (for /etc/fairlead) and
# scenario.sh, which it runs. Nothing of the machine changes: /etc and /usr are overlays, the network is a loopback, and
# the control groups are below one that is made here and removed at the end.
#
# Usage: boot.sh FOLDER NODE. Exit 77: this machine does not permit it (the reason is on standard error).
set -eu
folder=$1 node=$2
no() { echo "$1" >&2; exit 77; }

[ "$(id -u)" = 0 ] || no 'only root can'
[ -x /lib/systemd/systemd ] || no 'there is no /lib/systemd/systemd'
grep -qw overlay /proc/filesystems || no 'the kernel has no overlayfs'
# A group below ours in each hierarchy: the root of what the new systemd sees. cpuset needs more than a folder, and systemd
# does not use it.
name=fairlead-test-$$
groups=
kind=cgroup
[ ! -e /sys/fs/cgroup/cgroup.controllers ] || kind=cgroup2
while IFS=: read -r _ controllers path; do
  case $kind/$controllers in
    */cpuset) continue ;;
    cgroup2/*) hierarchy=/sys/fs/cgroup ;;
    cgroup/) hierarchy=/sys/fs/cgroup/unified ;;
    *) hierarchy=/sys/fs/cgroup/${controllers#name=} ;;
  esac
  group=$hierarchy${path%/}/$name
  [ -d "$hierarchy" ] || continue
  mkdir "$group" 2>/dev/null || no "no control group can be made below $hierarchy"
  groups="$groups $group"
done </proc/self/cgroup
[ -n "$groups" ] || no 'there are no control groups'
trap 'for group in $groups; do find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true; done' EXIT

inside='
set -eu
folder=$1 node=$2 kind=$3
mount --make-rprivate /
mount -t proc proc /proc
mount -t tmpfs tmpfs /run
mkdir /run/lock /run/sandbox
for part in etc usr; do
  mkdir "/run/sandbox/$part" "/run/sandbox/$part.work"
  mount -t overlay overlay -o "lowerdir=/$part,upperdir=/run/sandbox/$part,workdir=/run/sandbox/$part.work" "/$part"
done
mount -t tmpfs tmpfs /sys/fs/cgroup
if [ "$kind" = cgroup2 ]; then mount -t cgroup2 cgroup2 /sys/fs/cgroup
else mkdir /sys/fs/cgroup/systemd; mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd; fi
# As a person installs it.
mkdir -p /usr/lib/fairlead /etc/fairlead
cp -r "$folder/release/." /usr/lib/fairlead/
cp -r "$folder/etc/." /etc/fairlead/
rm -f /usr/bin/node
cp "$node" /usr/bin/node
cp -r "$folder/units/." /etc/systemd/system/
exec env -i container=fairlead-test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
  /lib/systemd/systemd --system --unit=scenario.target --log-target=null --show-status=0
'
sh -c 'for group in $1; do echo $$ >"$group/cgroup.procs"; done; shift; exec "$@"' sh "$groups" \
  timeout --kill-after=5 200 unshare --fork --pid --kill-child --mount --uts --ipc --net --cgroup \
  sh -c "$inside" sh "$folder" "$node" "$kind" || true
