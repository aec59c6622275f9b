"""A range of moments read in windows, where a system gives only so much in one answer.

Some say how much they give: then the next window begins where the last answer broke off. Some refuse what is too much
for them, or are not done in time: then it is asked for by halves.
"""

from __future__ import annotations

from collections.abc import Iterator


class Windows:
    """What is left of a range, and the window of it to ask for next.

    Moments are whole numbers (epoch seconds, ends of slices), in the order in which they are read: newest first goes
    down. What was read is said after each window; a window of which nothing is said comes again.

        for window in windows: ask for window[0] to window[-1], then whole(), goes_on(), skip() or halve()
    """

    def __init__(self, left: range, most: int = 0) -> None:
        """`most` is how many moments are asked for at once; 0 for all that are left."""
        self.left = left
        self._most = self._size = most or len(left)

    def __iter__(self) -> Iterator[range]:
        while self.left:
            yield self._window

    @property
    def _window(self) -> range:
        return self.left[: self._size]

    def whole(self) -> None:
        """The answer held all of the window."""
        self.left, self._size = self.left[self._size :], self._most

    def goes_on(self, at: int) -> bool:
        """The answer ended with `at`, of which there may be more: the next window begins there.

        False when the last one did so too: of that one moment alone there is more than the system gives.
        """
        passed = max(0, (at - self.left.start) // self.left.step)
        self.left = self.left[passed:]
        return passed > 0

    def skip(self) -> None:
        """No more can be read of the moment that is next."""
        self.left = self.left[1:]

    def halve(self) -> bool:
        """The window was too much. False when it was one moment only, so that it is not that.

        One moment goes first: where that fails too the system is away, and nothing is lost by waiting.
        """
        asked = len(self._window)
        self._size, self._most = 1, asked // 2
        return asked > 1
