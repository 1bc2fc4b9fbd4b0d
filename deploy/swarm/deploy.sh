#!/usr/bin/env bash
# Put the compose file's services on this swarm, or roll them to what it says now.
set -euo pipefail
cd "$(dirname "$0")/.."
docker compose --file docker-compose.yml --file swarm/docker-compose.swarm.yml config --format json |
  python3 swarm/stack.py |
  docker stack deploy --resolve-image never --compose-file - trabecula
