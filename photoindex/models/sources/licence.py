"""Asking once for acceptance of model licences that restrict use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from photoindex.errors import LicenceNotAccepted
from photoindex.models.lock import AcceptedLicence, Lock


@dataclass(frozen=True, slots=True)
class LicenceTerms:
    """The licence of a model: its name, its terms in a few sentences, and whether they restrict its use."""

    model_id: str
    licence: str
    terms: str
    restricted: bool


def now() -> str:
    """Return the current time in the format of the lock file: ISO 8601, UTC, whole seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def accept(lock: Lock, terms: LicenceTerms, *, accepted: bool) -> tuple[Lock, str | None]:
    """Return the lock with the licence accepted, and the time of acceptance, None if the licence has no restrictions.

    accepted: the user accepts it now. Raises LicenceNotAccepted if the user has never accepted this licence with these
    terms for this model.
    """
    if not terms.restricted:
        return lock, None
    before = lock.licences.get(terms.model_id)
    if before is not None and (before.licence, before.terms) == (terms.licence, terms.terms):
        return lock, before.accepted_at
    if not accepted:
        raise LicenceNotAccepted(terms.model_id, licence=terms.licence, terms=terms.terms)
    made = AcceptedLicence(licence=terms.licence, terms=terms.terms, accepted_at=now())
    return lock.model_copy(update={"licences": lock.licences | {terms.model_id: made}}), made.accepted_at
