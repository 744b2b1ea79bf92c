"""What messages promise about tags by machine."""

from __future__ import annotations

import pytest

from tests.cli.promises.house import House, promises

NOTHING_EMBEDDED = "no pictures are embedded, and tags are found in their vectors; run: photoindex embed"


@pytest.fixture(autouse=True)
def tag_file(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A vocabulary of few terms, which are encoded at once."""
    terms = house.folder / "my tags.txt"
    terms.write_text("red\ncircle\ndog\n")
    monkeypatch.setenv("PHOTOINDEX_TAGS__VOCABULARY", str(terms))


@promises(NOTHING_EMBEDDED)
def test_tags_need_vectors(installed: House) -> None:
    said = installed.run("tag", "auto", "--only", "tags", code=7)
    (command,) = installed.commands(NOTHING_EMBEDDED, said)
    installed.run(*command, "--model", "tiny-clip")
    installed.run("tag", "auto", "--only", "tags", "--dry-run")


@promises("photoindex tag auto --only {}")
def test_a_run_with_a_limit_names_the_command_that_continues(embedded: House) -> None:
    said = embedded.run("tag", "auto", "--limit", "1")
    assert "2 pictures left; continue with: photoindex tag auto --only tags" in said
    embedded.follow("photoindex tag auto --only {}", said)
    assert "nothing to do" in embedded.run("tag", "auto")
