#!/bin/bash
# HEALTHCHECK: exit 0 if the server of this container answers `GET /` with 200. It takes a few
# milliseconds, without a start of Node.
# The port comes from /proc, so the script reads no option and works for every user and port.
shopt -s nullglob
# Why: this may run as root, and a script may own folders of PATH (/opt/python-env).
PATH=/usr/sbin:/usr/bin:/sbin:/bin

# 0100007F -> 127.0.0.1. Loopback reaches a server that listens on any address.
address() {
  local hex=$1 word out=
  if [[ $hex =~ ^0+$ ]]; then
    echo localhost
  elif ((${#hex} == 8)); then
    echo "$((16#${hex:6:2})).$((16#${hex:4:2})).$((16#${hex:2:2})).$((16#${hex:0:2}))"
  else
    for word in "${hex:0:8}" "${hex:8:8}" "${hex:16:8}" "${hex:24:8}"; do
      out+=:${word:6:2}${word:4:2}:${word:2:2}${word:0:2}
    done
    echo "${out:1}"
  fi
}

answers() {
  local status
  exec 3<>"/dev/tcp/$1/$2" || return
  printf 'GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: health.sh\r\nConnection: close\r\n\r\n' >&3
  read -r -t 2 status <&3 && [[ $status == 'HTTP/1.1 200'* ]]
}

for process in /proc/[0-9]*; do
  mapfile -d '' -t args 2>/dev/null <"$process/cmdline" || continue
  [[ ${args[0]##*/} == node && " ${args[*]} " == *' /opt/scoring-server/server/main.ts '* ]] || continue
  sockets=$(readlink "$process"/fd/*)
  # Listening sockets have state 0A. Only some speak plain HTTP: those with TLS or gRPC refuse it.
  while read -r _ local _ state _ _ _ _ _ inode _; do
    [[ $state == 0A && $sockets == *"socket:[$inode]"* ]] || continue
    (answers "$(address "${local%:*}")" "$((16#${local##*:}))") 2>/dev/null && exit 0
  done < <(grep -hs ' 0A ' "$process/net/tcp" "$process/net/tcp6")
done
echo 'no process of this container answers GET / with 200'
exit 1
