"""What no service may see: photos with faces, sensitive ones, and those of the query `providers.never_send`.

A rule is only as good as the stages behind it: a photo for which one of them is not done is kept back, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from photoindex.errors import ConfigError, UsageError
from photoindex.library.handle import Library
from photoindex.library.providers.settings import SETTINGS, providers_of
from photoindex.library.search.parse import lookups_of
from photoindex.providers.registry import LOCAL
from photoindex.query import parser
from photoindex.query.people import is_pattern
from photoindex.query.syntax import Compare, KnownPerson, Lookups, Node, Words, leaves
from photoindex.stages import STAGES, command_of
from photoindex.store.night.withheld import CLUSTER, NOT_DONE, Rules
from photoindex.store.search import compile as queries
from photoindex.store.search.fields import grammar
from photoindex.store.search.sources import TAG, TAG_SOURCES
from photoindex.store.tasks import queue

FACES = ("faces",)
PEOPLE = ("faces", CLUSTER)
TAGS = ("tags",)
SENSITIVE = ("sensitive",)
NOTHING: tuple[str, ...] = ()
ANY_WORD = ("faces", CLUSTER, "tags", "caption", "ocr")
"""What may give a photo a word that full text finds."""
_OF_OTHER_MODELS = ("objects", "labels")
"""Stages that give tags where the user has models of their own."""

STAGES_OF_FIELDS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(
        (
            "date", "month", "day", "weekday", "time", "place", "near", "type", "camera", "lens", "iso", "aperture", "exposure",
            "focal", "rating", "title", "description", "keyword", "album", "path", "name", "ext", "volume", "size", "width", "height", "megapixels",
            "orientation", "duration", "added", "event", "id",
        ),
        NOTHING,
    ),
    "text": ANY_WORD,
    "caption": ("caption",),
    "ocr": ("ocr",),
    "tag": TAGS,
    "person": PEOPLE,
    "age": PEOPLE,
    "face": PEOPLE,
    "faces": FACES,
}  # fmt: skip
"""Field of a query -> stages that it depends on; `has:`, `is:` and `source:` depend on their value."""
STAGES_OF_CHOICES: Mapping[str, tuple[str, ...]] = {
    "has:tag": TAGS,
    "has:faces": FACES,
    "is:alone": FACES,
    "is:unnamed": PEOPLE,
    "is:unreviewed": PEOPLE,
    "is:sensitive": SENSITIVE,
}
"""Choice -> stages; the other choices depend on none."""
_CHOICES = ("has", "is")
_MISREAD = ("and", "not")


def rules_of(library: Library) -> Rules:
    """Return the rules of the settings. Raises ConfigError for a query that cannot be used."""
    written = library.config.providers.never_send
    if written is None or not written.strip():
        return Rules(None, _in_order({*FACES, *SENSITIVE}))
    try:
        tree = parser.parse(_with_operators(written), grammar(), _lookups(library))
        _check_operators(tree)
        with library.database.read() as connection:
            queries.count(connection, tree)
            stages = {stage for leaf in leaves(tree) for stage in _stages_of(connection, leaf)}
    except UsageError as error:
        raise ConfigError(f"the setting providers.never_send cannot be used, and nothing is sent: {error}") from error
    return Rules(tree, _in_order({*FACES, *SENSITIVE, *stages}))


def _with_operators(written: str) -> str:
    """Return a query in which `or` outside of quotes is the operator: a rule that means less than it says is a leak."""
    parts = written.split('"')
    return '"'.join(
        re.sub(r"(?<=\s)or(?=\s)", "OR", part) if index % 2 == 0 else part for index, part in enumerate(parts)
    )


def _check_operators(tree: Node) -> None:
    word = next((leaf.text for leaf in leaves(tree) if isinstance(leaf, Words) and leaf.text.lower() in _MISREAD), None)
    if word is not None:
        raise UsageError(
            f"'{word}' is a word to look for; terms side by side must all hold, '-' means not, and OR one of two"
        )


def _lookups(library: Library) -> Lookups:
    """Return the look-ups of a query in which a pattern of names may mean nobody yet."""
    usual = lookups_of(library)

    def people(written: str) -> Sequence[KnownPerson]:
        try:
            return usual.people(written)
        except ValueError:
            if is_pattern(written):
                return [KnownPerson(0)]
            raise

    return replace(usual, people=people)


def _stages_of(connection: Connection, leaf: Node) -> Iterator[str]:
    if not isinstance(leaf, Compare):
        yield from ANY_WORD
        yield from _in_use(connection)
        return
    value = (leaf.value or "").lower()
    if leaf.field in _CHOICES:
        stages = STAGES_OF_CHOICES.get(f"{leaf.field}:{value}", NOTHING)
    elif leaf.field == "source":
        stages = _stages_of_source(value)
    else:
        # A field that nobody has thought of depends on everything.
        stages = STAGES_OF_FIELDS.get(leaf.field, (*ANY_WORD, *SENSITIVE))
    yield from stages
    if TAGS[0] in stages:
        yield from _in_use(connection)


def _stages_of_source(value: str) -> tuple[str, ...]:
    name, _, source = value.partition("=")
    given_by = source if name == TAG else name
    stage_names = {stage.name for stage in STAGES}
    return (given_by,) if given_by in TAG_SOURCES and given_by in stage_names else NOTHING


def _in_use(connection: Connection) -> Iterator[str]:
    """Yield the stages of the user's own models that have ever run: they give tags, too."""
    yield from (stage for stage in _OF_OTHER_MODELS if queue.variants(connection, stage))


def _in_order(stages: set[str]) -> tuple[str, ...]:
    order = [*(stage.name for stage in STAGES), CLUSTER]
    return tuple(sorted(stages, key=order.index))


def stage_not_done(reason: str) -> str | None:
    """Return the stage that a reason to keep a photo back waits for, None for another reason."""
    return reason.removeprefix(NOT_DONE) if reason.startswith(NOT_DONE) else None


def remedy_of(library: Library, stage: str) -> str:
    """Return what to do so that photos do not wait for a stage any more, as a sentence without a full stop."""
    if LOCAL not in providers_of(library, stage):
        return f"what waits for {stage} may be sent once this computer has done it; add '{LOCAL}' to the setting {SETTINGS[stage]}"
    return f"what waits for {stage} may be sent once this computer has done it; run: photoindex {command_of(stage)}"
