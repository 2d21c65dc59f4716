#!/bin/bash
# Keeps what `npm run test:image` makes, and takes it away when stdin closes: that is when the test
# process has ended, in whatever way.
#   engine.sh FOLDER PREFIX           uses the engine that answers
#   engine.sh FOLDER PREFIX private   starts an engine of its own in FOLDER first (root, Linux)
# Images are tagged PREFIX/..., containers carry the label PREFIX.
trap '' INT TERM HUP
folder=$1 prefix=$2 kind=${3:-given}
docker=docker
mkdir -p "$folder"

if [[ $kind == private ]]; then
  # The client of the package that brings the engine: a newer one may want plug-ins that are not
  # there.
  docker=/usr/bin/docker
  export DOCKER_HOST="unix://$folder/docker.sock" DOCKER_CONFIG="$folder/config"
  # No bridge: it would leave rules of the firewall behind. pdeathsig: for a SIGKILL of this script
  # itself.
  setpriv --pdeathsig TERM /usr/sbin/dockerd --data-root "$folder/data" --exec-root "$folder/exec" --pidfile "$folder/pid" \
    -H "$DOCKER_HOST" --iptables=false --ip-forward=false --bridge=none </dev/null >"$folder/log" 2>&1 &
  engine=$!
fi

cat >/dev/null

"$docker" ps -aq --filter "label=$prefix" | xargs -r "$docker" rm -f -v >/dev/null 2>&1
if [[ $kind == private ]]; then
  kill "$engine" && wait "$engine"
  grep -o " $folder[^ ]*" /proc/mounts | sort -r | xargs -r umount
else
  "$docker" images --format '{{.Repository}}:{{.Tag}}' | grep "^$prefix/" | xargs -r "$docker" rmi -f >/dev/null 2>&1
fi
rm -rf "$folder"
