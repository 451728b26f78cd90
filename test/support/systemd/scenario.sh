#!/bin/bash
# What test/packaging/systemd_boot.test.ts lets systemd do with the units of examples/deploy. Prints NAME=VALUE lines.
folder=$1
service=fairlead.service
show() { systemctl show --property "$1" --value "$service"; }
# Until the property is like that; what it is in the end is printed by whoever cares.
await() {
  for _ in $(seq 600); do
    [[ $(show "$1") == $2 ]] && return
    sleep 0.1
  done
}

systemctl start fairlead.socket fairlead-https.socket "$service"
echo "start=$?"
echo "state=$(show SubState) $(show StatusText)"
status=/proc/$(show MainPID)/status
echo "user=$(awk '/^Uid/ { print ($2 == 0 ? "root" : "not root") }' "$status")"
echo "capabilities=$(awk '/^CapEff/ { print $2 }' "$status")"
echo "seccomp=$(awk '/^Seccomp:/ { print $2 }' "$status")"

python3 "$folder/client.py" "$folder/stop" >"$folder/client.out" &
client=$!
sleep 0.5
for _ in 1 2; do systemctl restart "$service" || echo "restart=$?"; done
sleep 0.5
touch "$folder/stop"
wait "$client"
echo "client=$(cat "$folder/client.out")"

cp /etc/fairlead/fairlead.yaml "$folder/good.yaml"
echo 'listners: {}' >>/etc/fairlead/fairlead.yaml
systemctl reload "$service"
await StatusText 'reload failed*'
echo "bad=$(show SubState) $(show StatusText)"
cp "$folder/good.yaml" /etc/fairlead/fairlead.yaml
echo '# the same' >>/etc/fairlead/fairlead.yaml
systemctl reload "$service"
await StatusText 'serving plan*'
echo "good=$(show SubState) $(show StatusText)"

mkdir -p "/etc/systemd/system/$service.d"
printf '[Service]\nWatchdogSec=2s\n' >"/etc/systemd/system/$service.d/watchdog.conf"
systemctl daemon-reload
systemctl restart "$service"
sleep 4 # two times what the watchdog waits for
echo "watched=$(show SubState) restarts $(show NRestarts)"
kill -STOP "$(show MainPID)"
await NRestarts 1
await SubState running
echo "hung=$(show SubState) restarts $(show NRestarts)"

systemctl stop "$service"
echo "stop=$(show Result) $(show ExecMainStatus)"

systemctl stop fairlead.socket fairlead-https.socket
echo 'routes: [' >/etc/fairlead/fairlead.yaml
systemctl start fairlead.socket fairlead-https.socket "$service"
await SubState failed
echo "wrong=$(show SubState) $(show ExecMainStatus) restarts $(show NRestarts)"
