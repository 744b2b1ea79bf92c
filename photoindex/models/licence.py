"""Licences that restrict what a model may be used for: shown, and accepted once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from photoindex.errors import UsageError
from photoindex.models.lock import AcceptedLicence, Lock


@dataclass(frozen=True, slots=True)
class LicenceTerms:
    """What is to be accepted: the licence of a model and, in one or some sentences, what it restricts."""

    model_id: str
    licence: str
    terms: str
    restricted: bool


AskLicence = Callable[[LicenceTerms], bool]
"""Shows the terms and tells whether the user accepts them."""


def now() -> str:
    """Return this moment as the lock file writes it: ISO 8601, UTC, whole seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def accept(lock: Lock, terms: LicenceTerms, ask: AskLicence) -> tuple[Lock, str | None]:
    """Return the lock with the licence accepted, and when that was; None where the licence restricts nothing.

    Asks only where this licence with these terms was not accepted before. Raises UsageError where it is not accepted.
    """
    if not terms.restricted:
        return lock, None
    before = lock.licences.get(terms.model_id)
    if before is not None and (before.licence, before.terms) == (terms.licence, terms.terms):
        return lock, before.accepted_at
    if not ask(terms):
        raise UsageError(f"the licence of '{terms.model_id}' was not accepted; nothing was changed")
    accepted = AcceptedLicence(licence=terms.licence, terms=terms.terms, accepted_at=now())
    return lock.model_copy(update={"licences": lock.licences | {terms.model_id: accepted}}), accepted.accepted_at
