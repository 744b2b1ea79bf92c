"""Refreshes pairs, facts and times after files, sidecars, corrections or decisions have changed."""

from __future__ import annotations

from collections.abc import Callable

from photoindex.geo.gazetteer import Gazetteer
from photoindex.library.handle import Library
from photoindex.library.originals.roots import Roots
from photoindex.pipeline.resolve.photo import PlaceResolver, Resolver
from photoindex.pipeline.resolve.run import Refresh
from photoindex.progress import EventSink, Notice
from photoindex.store.engine.database import Session


def resolver_of(library: Library, roots: Roots, emit: EventSink) -> Resolver:
    """Return the resolver of a library's photos; it builds the table of place names at the first position."""
    gazetteer = Gazetteer(progress=lambda text: emit(Notice(text)))
    return Resolver(root_of=roots.searchable, places=PlaceResolver(gazetteer), home_zone=library.config.time.home_zone)


def refresh(
    library: Library, session: Session, roots: Roots, emit: EventSink, stop: Callable[[], bool] = lambda: False
) -> None:
    """Pair files, resolve facts and infer times from neighbours where stale; after `stop` the rest stays stale.

    The caller must hold the library's lock. Raises StorageFull.
    """
    Refresh(session, resolver_of(library, roots, emit), emit, stop).run()
