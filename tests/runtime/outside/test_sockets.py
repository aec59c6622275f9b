"""Reads and writes on real sockets, against a clock in the test's hands."""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from tests.support.waiting import PATIENCE

from platform_meter.runtime.outside.sockets import BoundedReader, Deadline, send_all


@dataclass
class Monotonic:
    """A clock that the test moves; with `step`, each look moves it on."""

    at: float = 100.0
    step: float = 0.0

    def __call__(self) -> float:
        self.at += self.step
        return self.at


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Monotonic:
    made = Monotonic()
    monkeypatch.setattr("platform_meter.runtime.outside.sockets.time.monotonic", made)
    return made


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    with one, other:
        yield one, other


def test_a_wait_is_cut_to_what_is_left_of_the_whole(clock: Monotonic) -> None:
    """Of 10 s in all with 4 s of silence: first 4 s, and 1 s when 9 have passed, whatever arrives meanwhile."""
    deadline = Deadline(total=10, idle=4)
    assert deadline.left() == 4
    clock.at += 9
    deadline.begin()
    assert deadline.left() == 1
    clock.at += 1
    with pytest.raises(TimeoutError, match=r"^timed out$"):
        deadline.left()
    deadline.restart(5)
    assert deadline.left() == 4


def test_silence_counts_from_the_last_beginning(clock: Monotonic) -> None:
    """A watch may last, and ends when nothing came for its idle time."""
    deadline = Deadline(total=None, idle=30)
    for _ in range(100):
        clock.at += 29
        deadline.begin()
    assert deadline.left() == 30
    clock.at += 30
    with pytest.raises(TimeoutError):
        deadline.left()


def test_stopping_ends_every_wait_soon(clock: Monotonic) -> None:
    """No wait lasts longer than half a second while there is a stop to look at, and none begins after it."""
    stop = threading.Event()
    deadline = Deadline(total=None, idle=30, stop=stop)
    assert deadline.left() == 0.5
    stop.set()
    with pytest.raises(ConnectionAbortedError, match="stopping"):
        deadline.left()


def test_a_wait_is_never_without_any_time(clock: Monotonic) -> None:
    """0 s would make the socket answer at once, as if nothing could be read."""
    deadline = Deadline(total=10, idle=10)
    clock.at += 9.9999999
    assert deadline.left() == 0.001


def test_a_reader_gives_what_came_and_counts_it(pair: tuple[socket.socket, socket.socket]) -> None:
    """Up to the end of the stream, which is an empty read; its socket is let go with it."""
    one, other = pair
    reader = BoundedReader(one, Deadline(total=PATIENCE, idle=PATIENCE))
    other.sendall(b"hello\nworld")
    other.shutdown(socket.SHUT_WR)
    assert io.BufferedReader(reader).read() == b"hello\nworld"
    assert reader.taken == 11
    assert reader.readable()


def test_closing_a_reader_twice_is_closing_it_once(pair: tuple[socket.socket, socket.socket]) -> None:
    """What it holds is closed with it, once."""
    held = io.BytesIO()
    reader = BoundedReader(pair[0], Deadline(total=1, idle=1), held)
    reader.close()
    reader.close()
    assert (reader.closed, held.closed) == (True, True)


def test_a_dripping_peer_ends_with_the_whole_time(clock: Monotonic, pair: tuple[socket.socket, socket.socket]) -> None:
    """A byte now and then keeps the silence away, not the end: three reads of 4 s each are within 10 s, a fourth is not."""
    one, other = pair
    reader = BoundedReader(one, Deadline(total=10, idle=5))
    buffer = bytearray(1)
    for _ in range(3):
        other.sendall(b"x")
        assert reader.readinto(buffer) == 1
        clock.at += 4
    other.sendall(b"x")
    with pytest.raises(TimeoutError):
        reader.readinto(buffer)
    assert reader.taken == 3


def test_all_is_sent_in_order(pair: tuple[socket.socket, socket.socket]) -> None:
    """Much more than fits in the socket's buffer arrives whole."""
    one, other = pair
    data = bytes(range(256)) * 8192
    got = bytearray()

    def read() -> None:
        while part := other.recv(65536):
            got.extend(part)

    reading = threading.Thread(target=read)
    reading.start()
    assert send_all(one, data, Deadline(total=PATIENCE, idle=PATIENCE)) == len(data) == 2_097_152
    one.shutdown(socket.SHUT_WR)
    reading.join(PATIENCE)
    assert bytes(got) == data


def test_a_peer_that_does_not_read_ends_the_sending(
    clock: Monotonic, pair: tuple[socket.socket, socket.socket]
) -> None:
    """With the words that cheroot knows; nothing waits for the peer for ever."""
    one, _ = pair
    clock.step = 0.01
    with pytest.raises(TimeoutError, match=r"^timed out$"):
        send_all(one, b"x" * 10_000_000, Deadline(total=0.5, idle=0.1))


def test_what_has_come_is_seen_without_waiting_for_more(pair: tuple[socket.socket, socket.socket]) -> None:
    """Nothing yet, then some bytes, which are read afterwards as they came, then the end."""
    one, other = pair
    reader = BoundedReader(one, Deadline(total=None, idle=PATIENCE))
    assert not reader.ready(0.01)
    reader.patient = False
    assert reader.read(10) is None
    reader.patient = True
    other.sendall(b"abcd")
    assert reader.ready(PATIENCE)
    assert reader.ready(0)
    assert (reader.read(3), reader.read(3), reader.taken) == (b"abc", b"d", 4)
    other.close()
    assert reader.ready(PATIENCE)
    assert reader.read(3) == b""
