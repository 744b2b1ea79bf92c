"""What one `search` looks for, and by what: by meaning where that can be, else by texts and fields alone."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from photoindex.cli.arguments.semantic_options import MeaningOptions, understood
from photoindex.cli.output.render import visible
from photoindex.progress import Event, Notice

if TYPE_CHECKING:
    from photoindex.library.handle import Library
    from photoindex.library.search.score_explanation import Reasons
    from photoindex.library.search.search import Hit
    from photoindex.library.search.semantic_query import Question
    from photoindex.library.search.semantic_search import Answer
    from photoindex.query.syntax import Node

_RELEVANCE = "relevance"


@dataclass(frozen=True, slots=True)
class Look:
    """A search of which is known how it is answered; question, answer: None where texts and fields alone answer it."""

    library: Library
    tree: Node
    sort: str | None
    limit: int | None
    question: Question | None = None
    answer: Answer | None = None

    @property
    def by_meaning(self) -> bool:
        """Whether photos are found by what they show."""
        return self.answer is not None

    def hits(self) -> Iterator[Hit]:
        """Yield the photos that were found."""
        from photoindex.library.search.search import hits_of, search

        if self.answer is not None:
            return hits_of(self.library, self.answer.ranked[: self.limit])
        return search(self.library, self.tree, sort=self.sort, limit=self.limit)

    def count(self) -> int:
        """Return how many photos were found."""
        from photoindex.library.search.search import count

        return len(self.answer.ranked) if self.answer is not None else count(self.library, self.tree)

    def reasons(self) -> Reasons | None:
        """Return why photos were found by their meaning, None where none were looked for so."""
        if self.answer is None or self.question is None:
            return None
        from photoindex.library.search.score_explanation import SHOWN_HITS, reasons

        return reasons(self.library, self.question, self.answer, shown=SHOWN_HITS if self.limit is None else self.limit)

    def hints(self) -> Iterator[str]:
        """Yield what may help where nothing was found."""
        if self.answer is not None:
            minimums = [one.cut.minimum for one in self.answer.sought if one.cut.minimum is not None]
            if minimums:
                yield f"no photo reaches the least score of {min(minimums):.3f}; --all ranks them all"


@contextmanager
def looking(
    library: Library, tree: Node, options: MeaningOptions, *, sort: str | None, limit: int | None, bounded: bool = True
) -> Iterator[Look]:
    """Look for a query; what there is to say of it goes to stderr.

    bounded: of what is found by its meaning no more is needed than `limit`, or than a person looks at. Raises UsageError for
    a sort key that is none, before anything is looked for.
    """
    from photoindex.library.search.search import sort_key
    from photoindex.library.search.semantic_query import MOST_PHOTOS, WordsAlone, ask, question_of

    key, descending = (_RELEVANCE, False) if sort is None or sort == _RELEVANCE else sort_key(sort)
    by_relevance = key == _RELEVANCE
    words_alone = Look(library, tree, None if by_relevance else sort, limit)
    with understood(tree, options) as (weighted, wanted):
        question = question_of(weighted, wanted)
        if question is None:
            yield words_alone
            return
        if bounded and not options.everything:
            enough = limit if by_relevance and limit is not None else max(limit or 0, MOST_PHOTOS)
        else:
            enough = None
        question = replace(question, limit=enough, sort=key, descending=descending)
        answer = ask(library, question, _say_notice)
    if isinstance(answer, WordsAlone):
        _say(f"words are looked for in texts alone: {answer.reason}")
        yield replace(words_alone, question=question)
        return
    for note in answer.notes:
        _say(note)
    if answer.more and (limit is None or limit > len(answer.ranked)):
        _say(f"these are the best {len(answer.ranked):,}; -n N gives more, --all ranks every photo")
    yield replace(words_alone, question=question, answer=answer)


def _say_notice(event: Event) -> None:
    if isinstance(event, Notice):
        _say(event.message)


def _say(sentence: str) -> None:
    print(visible(sentence), file=sys.stderr)
