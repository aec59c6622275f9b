"""Leases: which replica polls a source. A token grows with every change of hands and fences off who lost it."""

from __future__ import annotations

import logging

from sqlalchemy import Connection, Row, select

from platform_meter.store.database import Transaction
from platform_meter.store.errors import LeaseLost
from platform_meter.store.schema import insert, leases
from platform_meter.store.times import CLOCKS_DIFFER, from_ms
from platform_meter.store.values import Lease

log = logging.getLogger(__name__)


def acquire(tx: Transaction, instance: str, holder: str, expires: int, now: int) -> int | None:
    """The token under which `holder` may poll now; None while another's lease runs. Keeps the token of its own lease.

    All replicas hold leases of one length: one that ends later than ours would was taken under a clock that was ahead.
    """
    held = _row(tx, instance)
    if held is not None and held.holder != holder and held.expires > now:
        if held.expires <= expires + CLOCKS_DIFFER:
            return None
        log.warning(
            "%s: the lease of %s ends at %s, so its clock was ahead; it is taken over",
            instance, held.holder, from_ms(held.expires).isoformat(timespec="seconds"),
        )  # fmt: skip
    token = held.token if held is not None and held.holder == holder else (held.token if held is not None else 0) + 1
    new = insert(tx.conn, leases).values(instance=instance, holder=holder, token=token, expires=expires)
    tx.conn.execute(
        new.on_conflict_do_update(
            index_elements=["instance"], set_={"holder": holder, "token": token, "expires": expires}
        )
    )
    return token


def renew(tx: Transaction, instance: str, holder: str, expires: int) -> bool:
    """Hold on to a lease; False where another has it by now."""
    mine = (leases.c.instance == instance) & (leases.c.holder == holder)
    return bool(tx.conn.execute(leases.update().where(mine).values(expires=expires)).rowcount)


def token_of(tx: Transaction, instance: str, holder: str) -> int:
    """The token of a holder's lease.

    Raises:
        LeaseLost: it holds none.
    """
    held = _row(tx, instance)
    if held is None or held.holder != holder:
        raise LeaseLost(f"{holder} holds no lease of source {instance}; acquire it before polling")
    return int(held.token)


def check(tx: Transaction, instance: str, token: int | None) -> None:
    """Refuse a poll whose lease was taken over. A lease that ran out and that nobody took still holds.

    Raises:
        LeaseLost: another replica polls this source.
    """
    if token is None:
        return
    held = _row(tx, instance)
    if held is None or held.token != token:
        by = f"{held.holder} polls it now" if held is not None else "it is gone"
        raise LeaseLost(f"the lease of source {instance} was lost: {by}; nothing was written")


def held(conn: Connection) -> dict[str, Lease]:
    """Who polls which source, by source; an expired lease says who did so last."""
    return {row.instance: Lease(row.instance, row.holder, from_ms(row.expires)) for row in conn.execute(select(leases))}


def _row(tx: Transaction, instance: str) -> Row[str, str, int, int] | None:
    return tx.conn.execute(select(leases).where(leases.c.instance == instance)).one_or_none()
