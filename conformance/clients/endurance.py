"""Kills a server under load again and again, and holds it to all that it has acknowledged.

    STRONGROOM_BIN=BINARY python3 endurance.py --rounds 1000

Owns the rounds and the figures; `writers.py` owns what must be true after each.
"""

import argparse
import os
import pathlib
import random
import statistics
import sys
import tempfile
import time

import strongroom
from writers import Trail, Writer, kill_among_writes

WRITERS = 4
# The longest time between a start and a kill, in seconds.
LONGEST_ROUND = 1.2
# After so many rounds other accounts are written to, and the earlier ones read to the last bit.
GENERATION = 50
FIRST_ACCOUNT = 700_000_000_001


class Figures:
    """What a run came to. `restarts` in seconds, from the process's start to its endpoint."""

    def __init__(self):
        self.restarts = []
        self.acknowledged = 0
        self.opened = 0
        self.keys = 0

    def __str__(self):
        restarts = sorted(self.restarts)
        return (
            f"{len(restarts)} kills; {self.acknowledged} acknowledged requests, each with its "
            f"record; {self.keys} keys; {self.opened} ciphertexts, all opened; restarts: median "
            f"{statistics.median(restarts) * 1000:.0f} ms, 99% below "
            f"{restarts[len(restarts) * 99 // 100] * 1000:.0f} ms, longest "
            f"{restarts[-1] * 1000:.0f} ms"
        )


def run(server, rounds, tell=lambda text: None):
    """So many rounds on a server that runs."""
    figures, trail = Figures(), Trail(server.data_dir)
    moments = random.Random(1)
    first = FIRST_ACCOUNT
    while rounds > 0:
        generation = min(rounds, GENERATION)
        rounds -= generation
        acknowledged = []
        writers = [Writer(str(first + n), acknowledged) for n in range(WRITERS)]
        first += WRITERS
        for _ in range(generation):
            # Short rounds die in the middle of the first writes after a start.
            longest = moments.choice([0.02, 0.2, 0.5, LONGEST_ROUND])
            one_round(server, writers, longest * moments.random(), figures)
            hold(trail, acknowledged, figures)
            for writer in writers:
                writer.verify(server.endpoint)
        one_round(server, writers, LONGEST_ROUND, figures)
        for writer in writers:
            writer.verify_all(server.endpoint)
            figures.opened += len(writer.sealed)
            figures.keys += len(writer.keys)
        hold(trail, acknowledged, figures)
        tell(str(figures))
    return figures


def one_round(server, writers, seconds, figures):
    """A kill and a restart."""
    kill_among_writes(server, writers, seconds)
    began = time.monotonic()
    server.restart()
    figures.restarts.append(time.monotonic() - began)


def hold(trail, acknowledged, figures):
    """Looks for the record of each acknowledged request that was not looked for yet."""
    trail.follow()
    figures.acknowledged += len(acknowledged)
    trail.hold_against(acknowledged)
    acknowledged.clear()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--mode", default="dev", help="the command that serves")
    parser.add_argument("--restart-seconds", type=float, default=1.0,
                        help="how long a restart may take")
    arguments = parser.parse_args()
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    with tempfile.TemporaryDirectory() as home:
        server = strongroom.Strongroom(pathlib.Path(home), mode=arguments.mode).start()
        try:
            figures = run(server, arguments.rounds, lambda text: print(text, flush=True))
        finally:
            if server.running():
                server.stop()
    if max(figures.restarts) > arguments.restart_seconds:
        sys.exit(f"a restart took {max(figures.restarts):.2f} s")


if __name__ == "__main__":
    main()
