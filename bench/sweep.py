"""A sweep over GitHub's repositories: calls and simulated time of the first import and of a steady round.

    python -m bench.sweep [--sizes N ...]

Nothing waits: the clock is moved by answers (250 ms each, 8 side by side) and by the pauses of the real pacing. Each
repository has three runs, a deployment and a merged pull request to import, and is pushed to once in 12 hours.
"""

from __future__ import annotations

import argparse
from datetime import timedelta

from tests.support.organisation import HOUR, MINUTE, Most, Organisation, Polling

DAY = timedelta(days=1)
PUSHED = timedelta(hours=12)
POINTS = 900


class Busy(Polling):
    """An organisation whose repositories are pushed to, one after the other."""

    due, pushes = 0.0, 0

    def poll(self) -> None:
        before = self.hub.now
        super().poll()
        size = len(self.world.names)
        self.due += (self.hub.now - before) / PUSHED * size
        while self.pushes < int(self.due):
            self.pushes += 1
            # Steps of a prime meet all names before they meet one again.
            self.world.push(self.world.names[self.pushes * 7919 % size], self.hub.now - MINUTE)


def row(what: str, polling: Polling, took: timedelta, before: tuple[int, int]) -> None:
    asked, paid = polling.hub.asked - before[0], polling.hub.cost - before[1]
    print(
        f"| {what} | {asked:,} | {paid:,} | {took / MINUTE:,.0f} | "
        f"{polling.hub.minute.most:,} | {polling.hub.hour.most:,} |"
    )
    assert polling.hub.minute.most <= POINTS


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", type=int, nargs="*", default=[100, 1_000, 2_000, 10_000])
    print("GitHub at the default interval (simulated)\n")
    print("| repositories | calls | of them paid | minutes | most in a minute | most paid in an hour |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for size in parser.parse_args().sizes:
        polling = Busy(Organisation(size))
        row(f"{size:,}, first import", polling, polling.until_read(10 * DAY), (0, 0))
        # The hours behind it are not steady yet: all is read again that told something lately, and owners are asked.
        calm = polling.hub.now + 3 * HOUR
        while polling.hub.now < calm:
            polling.poll()
        polling.hub.minute, polling.hub.hour = Most(MINUTE), Most(HOUR)
        before = (polling.hub.asked, polling.hub.cost)
        row(f"{size:,}, a steady round", polling, polling.round(DAY), before)


if __name__ == "__main__":
    main()
