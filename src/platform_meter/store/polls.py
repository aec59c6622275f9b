"""Where each stream stands: its poll under way, checkpoint, watermark and last failure."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection, Row, Update, case, func, select

from platform_meter.model.progress import Progress
from platform_meter.model.source import Page
from platform_meter.model.typed import decode
from platform_meter.store import leases
from platform_meter.store.database import Transaction
from platform_meter.store.schema import insert, sources, streams
from platform_meter.store.times import MILLISECOND, from_ms, maybe_from_ms, to_ms
from platform_meter.store.values import Round, StreamState

log = logging.getLogger(__name__)
_AHEAD = (
    "%s/%s: its last poll began at %s, which is still to come: a clock was ahead, or this one is behind; "
    "reading all of its history again"
)


def begin(
    tx: Transaction, poll: Round, *, lookback: timedelta, history: timedelta, holder: str | None, anew: bool
) -> Round:
    """The poll that begins, with what the tables say about it; `anew` gives up the one under way, if any.

    Raises:
        LeaseLost: `holder` is given and does not hold the source's lease.
    """
    token = leases.token_of(tx, poll.instance, holder) if holder is not None else None
    moment = to_ms(poll.now)
    counted_from = _counted_from(tx, poll.instance, poll.type, moment, lookback)
    row = state(tx, poll)
    if row is None:
        number, checkpoint, watermark = 1, None, None
        tx.conn.execute(streams.insert().values(instance=poll.instance, stream=poll.stream, poll=number))
    else:
        checkpoint, watermark = row.checkpoint, row.watermark
        if watermark is not None and watermark - moment > lookback // MILLISECOND:
            # The overlap does not reach back behind what was kept, as the source's place too, under a wrong clock.
            log.warning(_AHEAD, poll.instance, poll.stream, from_ms(watermark))
            anew, checkpoint, watermark = True, None, None
            tx.conn.execute(_this(poll).values(checkpoint=None, watermark=None))
        number = row.poll + (anew or row.started is None)
        tx.conn.execute(_this(poll).values(poll=number, started=None if anew else row.started))
    if watermark is None:
        tx.conn.execute(_this(poll).values(read_from=moment - history // MILLISECOND))
    return replace(
        poll,
        number=number,
        checkpoint=checkpoint,
        since=poll.now - history if watermark is None else from_ms(min(watermark, moment)) - lookback,
        backfill_before=from_ms(counted_from),
        first=watermark is None,
        token=token,
    )


def _counted_from(tx: Transaction, instance: str, type_: str, moment: int, lookback: timedelta, **more: int) -> int:
    """From when the events of a source count that says something at this moment: it may be the first time."""
    first = {"first_poll": moment, "counted_from": moment - lookback // MILLISECOND}
    new = insert(tx.conn, sources).values(instance=instance, type=type_, **first, **more)
    # Where the first poll is still to come, its clock was ahead: this one is the first.
    ahead = sources.c.first_poll > moment
    changed = {name: case((ahead, value), else_=sources.c[name]) for name, value in first.items()}
    tx.conn.execute(new.on_conflict_do_update(index_elements=["instance"], set_={"type": type_, **changed, **more}))
    return int(tx.conn.execute(select(sources.c.counted_from).where(sources.c.instance == instance)).scalar_one())


def push(tx: Transaction, instance: str, type_: str, now: int, lookback: timedelta) -> int:
    """Something is pushed to a source. Gives from when its events count: this begins it as a first poll would."""
    return _counted_from(tx, instance, type_, now, lookback, pushed=now)


def rests(conn: Connection, instance: str, stream: str, *, now: int, reconcile: timedelta) -> bool:
    """Whether a stream need not be read yet: something was pushed to its source within `reconcile`, and it was last read,
    whole and without a failure since, within `reconcile` too.
    """
    mine = (streams.c.instance == instance) & (streams.c.stream == stream)
    query = select(sources.c.pushed, streams.c.last_success, streams.c.started, streams.c.last_error)
    row = conn.execute(query.join_from(sources, streams, sources.c.instance == streams.c.instance).where(mine)).first()
    if row is None or row.started is not None or row.last_error:
        return False
    most = reconcile // MILLISECOND
    return all(moment is not None and 0 <= now - moment < most for moment in (row.pushed, row.last_success))


def state(tx: Transaction, poll: Round) -> Row[bytes | None, int, int | None, int | None] | None:
    """checkpoint, poll, started and watermark of the poll's stream."""
    columns = (streams.c.checkpoint, streams.c.poll, streams.c.started, streams.c.watermark)
    this = (streams.c.instance == poll.instance) & (streams.c.stream == poll.stream)
    return tx.conn.execute(select(*columns).where(this)).one_or_none()


def holds_from(tx: Transaction, poll: Round, now: int) -> int:
    """From when a page's readings hold: the start of its poll; for a watch that ended a poll and goes on with it, now."""
    begun, row = to_ms(poll.now), state(tx, poll)
    ended = row is not None and row.started is None and row.watermark is not None and row.watermark >= begun
    return max(begun, now) if ended else begun


def advance(tx: Transaction, poll: Round, page: Page) -> None:
    """The page is stored: go on behind it."""
    values: dict[str, object] = {}
    if page.checkpoint is not None:
        # Without a new place a poll that dies here is not gone on with: the next one reads all of it anew.
        values |= {"checkpoint": page.checkpoint, "started": func.coalesce(streams.c.started, to_ms(poll.now))}
    if page.progress:
        values["progress"] = msgspec.json.encode(page.progress).decode()
    if values:
        tx.conn.execute(_this(poll).values(values))


def end(tx: Transaction, poll: Round, *, now: int) -> None:
    """A poll succeeded: the watermark moves to its first start, and back only where it stands in what is still to come."""
    begun = to_ms(poll.now)
    took = max(0, now - begun)
    row = state(tx, poll)
    if row is not None and row.started is not None:
        begun = min(begun, row.started)
    if row is not None and row.watermark is not None and row.watermark <= now:
        begun = max(begun, row.watermark)
    done = {"watermark": begun, "started": None, "last_success": now, "took": took, "last_error": "", "progress": ""}
    first = case((streams.c.since <= now, streams.c.since), else_=begun)
    tx.conn.execute(_this(poll).values(**done, since=first))
    tx.changed("streams")


def fail(tx: Transaction, poll: Round, *, now: int, error: str, kind: str) -> None:
    said = {"last_error": error.replace("\0", ""), "last_error_at": now, "trouble": kind}
    tx.conn.execute(_this(poll).values(**said))
    tx.changed("streams")


def states(conn: Connection) -> list[StreamState]:
    """Every stream ever polled, by instance and name."""
    query = select(streams, sources.c.type, sources.c.pushed).join(sources, sources.c.instance == streams.c.instance)
    return [
        StreamState(
            instance=row.instance,
            type=row.type,
            stream=row.stream,
            watermark=maybe_from_ms(row.watermark),
            last_success=maybe_from_ms(row.last_success),
            last_error=row.last_error,
            last_error_at=maybe_from_ms(row.last_error_at),
            progress=_progress(row.progress),
            polls=row.poll,
            pushed=maybe_from_ms(row.pushed),
            last_error_kind=row.trouble if row.last_error else "",
            took=row.took * MILLISECOND if row.last_success is not None else None,
        )
        for row in conn.execute(query.order_by(streams.c.instance, streams.c.stream))
    ]


def _progress(text: str) -> Progress | None:
    try:
        return decode(text, Progress) if text else None
    except msgspec.DecodeError:
        return None  # plain words of an earlier release, until the next page


def source(tx: Transaction, instance: str) -> tuple[str, int] | None:
    """A source's type and from when its events count; None before its first poll."""
    row = tx.conn.execute(select(sources).where(sources.c.instance == instance)).one_or_none()
    return None if row is None else (row.type, row.counted_from)


def unpolled(instance: str, type_: str, stream: str, now: datetime) -> Round:
    """A poll before the tables were asked about it."""
    return Round(
        instance=instance, type=type_, stream=stream, number=0, checkpoint=None, since=now, now=now, backfill_before=now
    )


def _this(poll: Round) -> Update:
    return streams.update().where(streams.c.instance == poll.instance, streams.c.stream == poll.stream)
