"""Photos that a person names for a change: by a query, by paths, by numbers, or by a list of paths and numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from photoindex import file_access
from photoindex.errors import NothingFound
from photoindex.library.handle import Library
from photoindex.library.search.find import matching_photo_ids
from photoindex.library.search.targets import ByWords, Targets, choose_targets
from photoindex.paths import to_text
from photoindex.store.search.targets import known_photos

_NAMED = 5


def choose_photos(
    library: Library,
    arguments: Sequence[str],
    listed: Iterable[bytes] | None = None,
    by_words: ByWords = matching_photo_ids,
) -> Targets:
    """Return photos as `choose_targets` does; where no argument is a word of a query, digits alone are a photo's number.

    listed: paths and numbers, besides the arguments. by_words: as in `choose_targets`. Raises NothingFound for unknown ones, and UsageError like
    `choose_targets`.
    """
    written = [*arguments, *map(_as_path, listed or ())]
    numbers = {one for one in written if _is_number(one)}
    others = list(dict.fromkeys(one for one in written if one not in numbers))
    if not numbers:
        return choose_targets(library, written, by_words)
    chosen = choose_targets(library, others, by_words) if others else Targets(())
    if chosen.by_query:
        return choose_targets(library, written, by_words)
    wanted = sorted(map(int, numbers))
    with library.database.read() as connection:
        known = known_photos(connection, wanted)
    if len(known) < len(set(wanted)):
        missing = [str(one) for one in wanted if one not in known]
        more = f" and {len(missing) - _NAMED:,} more" if len(missing) > _NAMED else ""
        raise NothingFound(f"there is no photo with the id {', '.join(missing[:_NAMED])}{more}")
    return Targets(tuple(sorted(known.union(chosen.photo_ids))), chosen.files, chosen.photos_of_folders)


def _is_number(argument: str) -> bool:
    # SQLite's integers have at most 19 digits.
    return (
        argument.isascii() and argument.isdigit() and len(argument) < 19 and not file_access.exists(argument.encode())
    )


def _as_path(listed: bytes) -> str:
    """Return a listed path so that it is no word of a query."""
    text = to_text(listed)
    return text if _is_number(text) or listed.startswith((b"/", b"./", b"../")) else f"./{text}"
