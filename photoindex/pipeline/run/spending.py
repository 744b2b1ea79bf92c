"""Reserves and settles the calls of a run in the ledger, in transactions of their own."""

from __future__ import annotations

from dataclasses import dataclass

from photoindex.pipeline.run.work import Writable
from photoindex.store.night import ledger
from photoindex.store.night.ledger import Account, Reservation


@dataclass(frozen=True, slots=True)
class Purse:
    """The money of one run; several threads may use it."""

    database: Writable
    account: Account

    def reserve(self, calls: int) -> Reservation | None:
        """Reserve up to `calls` calls before they are made; None if the month's budget has no room for one."""
        with self.database.write() as connection:
            return ledger.reserve(connection, self.account, calls)

    def settle(self, reservation: Reservation, spent: int) -> None:
        """Enter how many of them may have been billed; the others are taken back."""
        with self.database.write() as connection:
            ledger.settle(connection, self.account, reservation, spent)
