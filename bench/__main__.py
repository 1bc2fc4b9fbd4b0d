"""`make bench [ARGS="speed | floor | peers | growth | computation | gateway | resilience | flood"]`.

Each says what it measures with --help.
"""

import argparse
from pathlib import Path

from bench import computation, flood, floor, gateway_cpu, growth, resilience, speed
from bench.peers import side_by_side


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    which = parser.add_subparsers(dest="which")
    for_speed = which.add_parser("speed", description=speed.__doc__)
    for options in (parser, for_speed):
        options.add_argument("--image", type=Path, help="a radiograph of yours in place of the phantom")
        options.add_argument("--count", type=int, default=40)
    for_floor = which.add_parser("floor", description=floor.__doc__)
    for_floor.add_argument("--images", type=Path, help="a folder of radiographs in place of the phantoms")
    for_floor.add_argument("--rounds", type=int, default=9)
    for_peers = which.add_parser("peers", description=side_by_side.__doc__)
    for_peers.add_argument("--rounds", type=int, default=3)
    for_peers.add_argument("--json", type=Path, help="write every value of every round here")
    for_growth = which.add_parser("growth", description=growth.__doc__)
    for_growth.add_argument("--sizes", type=int, nargs="+", default=growth.SIZES)
    for_growth.add_argument("--database-url", help="of an empty PostgreSQL database")
    for_computation = which.add_parser("computation", description=computation.__doc__)
    for_computation.add_argument("--rounds", type=int, default=100)
    for_gateway = which.add_parser("gateway", description=gateway_cpu.__doc__)
    for_gateway.add_argument("--count", type=int, default=200)
    for_resilience = which.add_parser("resilience", description=resilience.__doc__)
    for_resilience.add_argument("--total", type=int, default=1000)
    for_resilience.add_argument("--clients", type=int, default=20)
    for_resilience.add_argument("--kill-every", type=float, default=10, help="seconds")
    for_flood = which.add_parser("flood", description=flood.__doc__)
    for_flood.add_argument("--total", type=int, default=500)
    for_flood.add_argument("--strangers", type=int, default=50)
    options = parser.parse_args()
    if options.which == "computation":
        raise SystemExit(computation.computation(options.rounds))
    if options.which == "floor":
        raise SystemExit(floor.floor(options.images, options.rounds))
    if options.which == "peers":
        raise SystemExit(side_by_side.peers(options.rounds, options.json))
    if options.which == "growth":
        raise SystemExit(growth.growth(options.sizes, options.database_url))
    if options.which == "gateway":
        gateway_cpu.gateway_cpu(options.count)
    elif options.which == "flood":
        raise SystemExit(flood.flood(options.total, options.strangers))
    elif options.which == "resilience":
        raise SystemExit(resilience.resilience(options.total, options.clients, options.kill_every))
    else:
        speed.speed(options.image, options.count)


if __name__ == "__main__":
    main()
