"""The providers that settings may name."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from photoindex.errors import ConfigError
from photoindex.providers.registry import PROVIDERS, provider_named

_PACKAGE = """
from photoindex.providers.base import Price

class Mine:
    name = "mine"
    sends = True
    code_version = 1
    features = {"tags": ("LOOK",)}
    price = Price(2_000_000, 5, "EUR")

    def open(self, connection):
        raise NotImplementedError

MINE = Mine()
"""


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, named: str, code: str = _PACKAGE) -> None:
    """Put a package with an entry point into the path of this process."""
    (folder / "my_provider.py").write_text(code)
    information = folder / "my_provider-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: my-provider\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(f"[photoindex.providers]\n{named} = my_provider:MINE\n")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "my_provider", raising=False)


def test_each_provider_is_found_by_its_name() -> None:
    assert [one.name for one in PROVIDERS] == ["dummy", "google_vision", "aws_rekognition"]
    assert all(provider_named(one.name, "tags.providers") is one for one in PROVIDERS)


def test_a_provider_of_another_package_is_found_by_its_entry_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, "mine")
    found = provider_named("mine", "tags.providers")
    assert (found.name, found.sends, found.price.currency) == ("mine", True, "EUR")


def test_an_unknown_name_is_refused_with_the_known_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "mine")
    with pytest.raises(ConfigError, match=r"known are: local, dummy, google_vision, aws_rekognition, mine$"):
        provider_named("yours", "tags.providers")


@pytest.mark.parametrize(
    ("named", "code", "said"),
    [
        ("other", _PACKAGE, "calls itself 'mine'"),
        ("mine", "raise OSError('no such card')", "cannot be loaded from my_provider:MINE: no such card"),
        ("mine", "MINE = object()", "cannot be loaded"),
    ],
)
def test_a_faulty_package_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str, code: str, said: str
) -> None:
    install(tmp_path, monkeypatch, named, code)
    with pytest.raises(ConfigError, match=said):
        provider_named(named, "tags.providers")


def test_no_package_can_take_the_place_of_a_provider_of_photoindex(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, "dummy")
    assert provider_named("dummy", "tags.providers") in PROVIDERS
