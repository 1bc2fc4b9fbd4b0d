#!/usr/bin/env bash
# deploy/roll.sh SERVICE: exchange the one container of a service while it is asked.
# A second one starts with the settings of now; when it is ready the first one ends. If it is never ready it goes again.
set -euo pipefail
cd "$(dirname "$0")/.."
service=${1:?deploy/roll.sh SERVICE, such as imaging or gateway}
compose=(docker compose --file deploy/docker-compose.yml)

old=$("${compose[@]}" ps --quiet "$service")
[[ $(wc -w <<<"$old") == 1 ]] || { echo "$service has no container, or more than one: see docker compose ps" >&2; exit 1; }
"${compose[@]}" up --detach --no-deps --no-recreate --scale "$service=2" "$service"
new=$("${compose[@]}" ps --quiet "$service" | grep --invert-match "$old")

for _ in $(seq 60); do
  state=$(docker inspect --format '{{.State.Health.Status}}' "$new")
  [[ $state == healthy ]] && break
  sleep 2
done
if [[ $state != healthy ]]; then
  docker logs --tail 5 "$new" >&2
  docker rm --force "$new" >/dev/null
  echo "$service: the new container was not ready and is gone again; the old one goes on" >&2
  exit 1
fi
docker stop "$old" >/dev/null
docker rm "$old" >/dev/null
echo "$service: rolled"
