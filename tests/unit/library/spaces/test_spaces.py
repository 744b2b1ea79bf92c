"""Several spaces: which one is active, how complete each is, switching and dropping."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from photoindex.errors import LibraryLocked, NothingFound, UsageError
from photoindex.library.embed.embed import EmbedRequest, embed
from photoindex.library.index.maintain import LOCK_NAME as INDEX_LOCK_NAME
from photoindex.library.index.maintain import rebuild
from photoindex.library.lock import exclusive
from photoindex.library.spaces.spaces import SpaceStatus, drop_space, list_spaces, use_space
from photoindex.store.vectors import spaces
from tests.fault import faulty_encoder
from tests.harness import LibraryRunner
from tests.originals import write_photos

PHOTOS = 6


@pytest.fixture
def runner(tmp_path: Path) -> LibraryRunner:
    """A library of PHOTOS photos with the spaces `first` (active) and `second` (without vectors for two photos)."""
    write_photos(tmp_path / "photos", PHOTOS)
    runner = LibraryRunner(tmp_path / "library", settings={"embed.batch_size": 4})
    runner.scan(tmp_path / "photos")
    for model, limit in (("first", None), ("second", 4)):
        faulty_encoder.install(runner.folder / "models", model)
        embed_with(runner, model, limit)
    return runner


def embed_with(runner: LibraryRunner, model: str, limit: int | None = None) -> None:
    runner.settings["embed.model"] = model
    with runner.open() as library:
        embed(library, EmbedRequest(limit=limit, open=faulty_encoder.OPENER), runner.events.append)


def listed(runner: LibraryRunner) -> dict[str, SpaceStatus]:
    with runner.open() as library:
        return {one.space.name: one for one in list_spaces(library)}


def use(runner: LibraryRunner, name: str, *, force: bool = False) -> None:
    with runner.open() as library:
        use_space(library, name, force=force)


def in_use(runner: LibraryRunner) -> list[str]:
    return [row[0] for row in runner.rows("SELECT name FROM space WHERE active = 1")]


def test_each_space_shows_how_complete_it_is(runner: LibraryRunner) -> None:
    found = listed(runner)
    assert {name: (one.vectors, one.lacking, one.space.active) for name, one in found.items()} == {
        "first": (6, 0, True),
        "second": (4, 2, False),
    }
    assert all(one.installed for one in found.values())


def test_a_space_whose_model_now_has_other_weights_counts_as_not_installed(runner: LibraryRunner) -> None:
    faulty_encoder.install(runner.folder / "models", "first", weights="2" * 64)
    assert {name: one.installed for name, one in listed(runner).items()} == {"first": False, "second": True}


def test_an_incomplete_space_is_activated_only_with_force(runner: LibraryRunner) -> None:
    with pytest.raises(UsageError, match=r"2 pictures are not embedded.*photoindex embed --model second.*--force"):
        use(runner, "second")
    assert in_use(runner) == ["first"]
    use(runner, "second", force=True)
    assert in_use(runner) == ["second"]


def test_switching_to_a_complete_space_is_atomic(runner: LibraryRunner) -> None:
    embed_with(runner, "second")
    seen: set[tuple[str, ...]] = set()
    ended = threading.Event()

    def watch() -> None:
        with runner.open() as library:
            while not ended.is_set():
                with library.database.read() as connection:
                    seen.add(tuple(one.name for one in spaces.all_spaces(connection) if one.active))

    watcher = threading.Thread(target=watch)
    watcher.start()
    for name in ("second", "first") * 5:
        use(runner, name)
    ended.set()
    watcher.join()
    assert seen <= {("first",), ("second",)}
    assert in_use(runner) == ["first"]


def test_pictures_that_cannot_be_embedded_do_not_prevent_activating_a_space(runner: LibraryRunner) -> None:
    faulty_encoder.install(
        runner.folder / "models", "second", no_numbers_at=[len(faulty_encoder.calls(runner.folder / "models")) + 1]
    )
    embed_with(runner, "second")
    found = listed(runner)["second"]
    assert (found.vectors, found.lacking, found.given_up) == (5, 0, 1)
    use(runner, "second")
    assert in_use(runner) == ["second"]


def test_dropping_a_space_removes_its_vectors_tasks_and_index_only(runner: LibraryRunner) -> None:
    number = runner.value("SELECT id FROM space WHERE name = 'first'")
    folder = runner.folder / "indices" / str(number)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "CURRENT").write_text("gen-000001")
    with runner.open() as library:
        assert drop_space(library, "first") == PHOTOS
    assert not folder.exists()
    assert runner.rows("SELECT name, active FROM space") == [("second", 0)]
    assert runner.value("SELECT count(*) FROM vector") == 4
    assert runner.value("SELECT count(*) FROM task WHERE stage = 'embed'") == PHOTOS
    embed_with(runner, "first")
    assert listed(runner)["first"].vectors == PHOTOS
    assert in_use(runner) == ["first"]


def test_an_interrupted_drop_is_finished_by_dropping_again(
    runner: LibraryRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spaces, "_VECTORS_PER_DELETE", 2)
    real, calls = spaces.drop_some, []

    def cut_short(connection: object, space: object) -> int:
        calls.append(space)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(connection, space)  # type: ignore[arg-type]

    monkeypatch.setattr(spaces, "drop_some", cut_short)
    with runner.open() as library:
        with pytest.raises(KeyboardInterrupt):
            drop_space(library, "first")
        assert in_use(runner) == []
        assert listed(runner)["first"].vectors == PHOTOS - 2
        assert drop_space(library, "first") == PHOTOS - 2


def test_no_space_is_dropped_while_embed_runs(runner: LibraryRunner) -> None:
    with (
        runner.open() as library,
        exclusive(runner.folder, "embed", name="embed.lock"),
        pytest.raises(LibraryLocked, match="`embed`"),
    ):
        drop_space(library, "second")


def test_no_space_is_dropped_while_an_index_is_written(runner: LibraryRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("photoindex.library.spaces.spaces._WAIT_FOR_INDEX_SECONDS", 0.1)
    with runner.open() as library:
        with (
            exclusive(runner.folder, "index rebuild", name=INDEX_LOCK_NAME),
            pytest.raises(LibraryLocked, match="rebuild"),
        ):
            drop_space(library, "second")
        assert listed(runner)["second"].vectors == 4
        with library.database.read() as connection:
            folder = library.indices_folder / str(spaces.space_named(connection, "second").id)  # type: ignore[union-attr]
        list(rebuild(library, ["second"]))
        assert folder.is_dir()
        drop_space(library, "second")
        assert not folder.exists()


def test_an_unknown_space_is_refused_with_the_known_names(runner: LibraryRunner) -> None:
    with pytest.raises(NothingFound, match="there is no space 'third'; spaces: first, second"):
        use(runner, "third")
