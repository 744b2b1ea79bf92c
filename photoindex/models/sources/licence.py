"""Asking once for acceptance of model licences that restrict use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath

from photoindex.errors import LicenceNotAccepted
from photoindex.models.lock import AcceptedLicence, Lock
from photoindex.paths import display

_TEXT_BYTES_MAX = 100_000


@dataclass(frozen=True, slots=True)
class LicenceTerms:
    """The licence of a model: its name, its terms in a few sentences, and whether they restrict its use.

    text: the model's own licence file, which is shown and accepted together with the terms.
    """

    model_id: str
    licence: str
    terms: str
    restricted: bool
    text: str | None = None

    @property
    def shown(self) -> str:
        """What the user accepts."""
        return self.terms if self.text is None else f"{self.terms}\n\n{self.text}"

    def is_accepted(self, before: AcceptedLicence | None) -> bool:
        """Tell whether this licence was accepted before; text: where it is not known here, any that was accepted counts."""
        if before is None or before.licence != self.licence:
            return False
        return before.terms == self.shown or (self.text is None and before.terms.startswith(f"{self.terms}\n\n"))


def is_licence(name: str) -> bool:
    """Tell whether a file is a licence by its name."""
    return PurePosixPath(name).name.upper().startswith(("LICENSE", "LICENCE"))


def licence_text(content: bytes) -> str:
    """Return the text of a licence file, without characters that control terminals."""
    lines = content[:_TEXT_BYTES_MAX].decode("utf-8", "replace").splitlines()
    return "\n".join(display(line.expandtabs().encode()) for line in lines).strip()


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
    if before is not None and terms.is_accepted(before):
        return lock, before.accepted_at
    if not accepted:
        raise LicenceNotAccepted(terms.model_id, licence=terms.licence, terms=terms.shown)
    made = AcceptedLicence(licence=terms.licence, terms=terms.shown, accepted_at=now())
    return lock.model_copy(update={"licences": lock.licences | {terms.model_id: made}}), made.accepted_at
