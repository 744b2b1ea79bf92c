"""`photoindex caption` and `caption list`, with a server on loopback that says which colour a picture has, and a tiny model."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from photoindex.library.words import caption, captions_listed
from tests.caption_server import CaptionServer, Handler, Request, caption_server, colour_of, says_always
from tests.command_line import CommandResult, run
from tests.harness import LibraryRunner
from tests.tiny_captioner.wording import sentence_of
from tests.tiny_clip.scenes import Scene
from tests.tiny_model import write_scenes

TINY_CAPTIONER = Path(__file__).resolve().parents[1] / "fixtures" / "tiny-captioner"
SCENES = [
    Scene("red", "circle", 3, "grass", "left"),
    Scene("blue", "square", 2, "sand", "right"),
    Scene("yellow", "triangle", 1, "black", "middle"),
]
COLOURS = {"red": (200, 30, 30), "green": (30, 160, 40), "blue": (30, 40, 200)}


@dataclass
class Album(LibraryRunner):
    """A library with a red, a green and a blue photo, and a server that describes them."""

    capture: pytest.CaptureFixture[bytes] | None = None
    server: CaptionServer | None = None

    def run(self, *words: str) -> CommandResult:
        assert self.capture is not None
        return run(self.capture, *words)

    def caption(self, *options: str) -> CommandResult:
        return self.run("caption", "--progress", "none", *options)

    def captions(self) -> dict[str, list[tuple[str, str]]]:
        listed = self.run("caption", "list", "type:photo", "--json").json
        return {Path(one["path"]).stem: [(each["model"], each["text"]) for each in one["captions"]] for one in listed}

    def found(self, *words: str) -> list[str]:
        return sorted(Path(line.decode()).stem for line in self.run("search", *words).out.splitlines())


@pytest.fixture
def album(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> Iterator[Album]:
    photos = tmp_path / "photos"
    photos.mkdir()
    for number, colour in enumerate(COLOURS.values()):
        Image.new("RGB", (320, 240), colour).save(photos / f"{number}.jpg")
    with caption_server() as server:
        album = Album(tmp_path / "library", capture=capsysbinary, server=server)
        album.scan(photos)
        monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(album.folder))
        monkeypatch.setenv("PHOTOINDEX_CAPTION__ENDPOINT", server.url)
        monkeypatch.setenv("PHOTOINDEX_CAPTION__MODEL", "moondream")
        yield album


def said(name: str, model: str = "moondream") -> list[tuple[str, str]]:
    return [(model, f"A picture that is mostly {name}.")]


def test_photos_are_described_found_listed_and_shown_at_once(album: Album) -> None:
    done = album.caption()
    assert done.code == 0
    assert b"captions: 3 pictures described with moondream in " in done.err
    assert b"the last one: A picture that is mostly " in done.err
    assert album.captions() == {str(number): said(name) for number, name in enumerate(COLOURS)}
    assert album.found("caption:mostly", "caption:blue") == album.found('caption:"mostly blue"') == ["2"]
    assert album.found("text:mostly blue") == ["2"]
    assert album.found("-caption:red") == ["1", "2"]
    shown = album.run("show", "1")
    assert b"captions\n  moondream  A picture that is mostly " in shown.out
    (as_json,) = album.run("show", "1", "--json").json
    (one,) = as_json["captions"]
    assert (one["model"], one["language"], one["prompt"]) == ("moondream", "en", "Describe this photo in one sentence.")
    assert one["raw"] == one["text"]
    again = album.caption()
    assert (again.code, again.err) == (0, b"nothing to do: moondream has described every preview\n")


def test_a_dry_run_asks_nobody(album: Album) -> None:
    done = album.caption("--dry-run")
    assert (done.code, done.err) == (0, b"would describe 3 pictures with moondream\n")
    assert album.server is not None
    assert album.server.requests == []


def test_captions_of_two_models_stand_side_by_side_and_another_prompt_replaces_its_own(
    album: Album, monkeypatch: pytest.MonkeyPatch
) -> None:
    album.caption()
    album.caption("--model", "other")
    assert album.captions()["0"] == said("red", "other") + said("red")
    assert album.server is not None
    album.server.behave = lambda handler, request: handler.say(f"Look! {colour_of(request)}")
    monkeypatch.setenv("PHOTOINDEX_CAPTION__PROMPT", "What is this?")
    assert album.caption("--limit", "2", "--batch-size", "1").code == 0
    changed = [
        name
        for name, captions in album.captions().items()
        if ("moondream", "Look!") in [(m, t[:5]) for m, t in captions]
    ]
    assert len(changed) == 2
    assert all(len(captions) == 2 for captions in album.captions().values())
    monkeypatch.delenv("PHOTOINDEX_CAPTION__PROMPT")
    assert b"would describe 2 pictures" in album.caption("--dry-run").err


@pytest.mark.parametrize(("batch_size", "kept"), [("1", 1), ("3", 0)])
def test_a_server_that_goes_away_between_batches_or_in_one_costs_no_picture_an_attempt(
    album: Album, batch_size: str, kept: int
) -> None:
    server = album.server
    assert server is not None
    answered: list[Request] = []

    def one_and_no_more(handler: Handler, request: Request) -> None:
        if len(server.requests) <= 3:
            answered.append(request)
            handler.say(colour_of(request))
        else:
            handler.cut_off()

    server.behave = one_and_no_more
    stopped = album.caption("--batch-size", batch_size)
    assert stopped.code == 10
    assert b"broke off" in stopped.err
    assert len(answered) == 3, "two test pictures and a photo"
    assert len(album.captions()) == kept, "batches that were answered are kept"
    assert album.value("SELECT sum(attempts) FROM task WHERE stage = 'caption' AND state = 'pending'") == 0
    assert album.value("SELECT count(*) FROM task WHERE stage = 'caption' AND state = 'pending'") == 3 - kept
    server.behave = None
    assert album.caption().code == 0
    assert album.captions() == {str(number): said(name) for number, name in enumerate(COLOURS)}


def test_answers_that_are_no_captions_are_given_up_with_their_reason_and_the_others_kept(album: Album) -> None:
    server = album.server
    assert server is not None

    def badly(handler: Handler, request: Request) -> None:
        red, green, blue = request.picture
        if (red > 150) != (blue > 150) and green < 100:
            handler.say("<think>What do they want?" if red > 150 else " \n", finish="stop")
        else:
            handler.say(colour_of(request))

    server.behave = badly
    done = album.caption()
    assert done.code == 100
    assert set(album.captions()) == {"1"}
    reasons = album.run("tasks", "--stage", "caption", "--state", "quarantined").out
    assert b"the model answered with its thoughts" in reasons
    assert b"the model answered with nothing" in reasons


def test_an_answer_that_was_cut_off_is_not_stored_in_half(album: Album) -> None:
    server = album.server
    assert server is not None
    server.behave = lambda handler, request: handler.say(
        colour_of(request), finish="length" if len(server.requests) > 2 else "stop"
    )
    assert album.caption().code == 100
    assert album.captions() == {}
    assert b"raise the setting caption.max_tokens" in album.run("tasks", "--stage", "caption").out


def test_a_new_parser_reads_stored_answers_again_and_asks_no_model(
    album: Album, monkeypatch: pytest.MonkeyPatch
) -> None:
    album.caption()
    assert album.server is not None
    asked = len(album.server.requests)
    monkeypatch.setattr(caption, "PARSER", 2)
    monkeypatch.setattr(caption, "caption_of", lambda raw: raw.removeprefix("A picture that is ").removesuffix("."))
    done = album.caption()
    assert done.err.decode().splitlines()[0] == "3 answers that were stored read again by a newer version of photoindex"
    assert len(album.server.requests) == asked
    assert album.captions()["2"] == [("moondream", "mostly blue")]
    assert album.found("picture") == []
    assert b"read again" not in album.caption().err


def test_a_new_parser_reads_stored_answers_again_where_the_model_is_not_there_any_more(
    album: Album, monkeypatch: pytest.MonkeyPatch
) -> None:
    album.caption()
    monkeypatch.delenv("PHOTOINDEX_CAPTION__ENDPOINT")
    monkeypatch.setattr(caption, "PARSER", 2)
    monkeypatch.setattr(caption, "caption_of", lambda raw: raw.removeprefix("A picture that is ").removesuffix("."))
    done = album.run("caption")
    assert done.code == 7
    assert b"3 of the stored answers read again by a newer version of photoindex" in done.err
    assert album.captions()["2"] == [("moondream", "mostly blue")]


def test_the_caption_of_a_person_is_searched_instead_of_those_of_models(album: Album) -> None:
    server = album.server
    assert server is not None
    server.behave = lambda handler, request: handler.say(f"A cat, or {colour_of(request)}")
    album.caption()
    (chosen,) = (int(one["id"]) for one in album.run("search", "caption:red", "--json").json)
    assert album.run("caption", "set", "my dog", str(chosen)).code == 0
    assert album.found("caption:cat") == album.found("cat") == ["1", "2"]
    assert album.found("caption:dog") == ["0"]
    assert album.captions()["0"] == [("moondream", "A cat, or A picture that is mostly red.")], "listed all the same"
    assert album.caption("--model", "other").code == 0
    assert album.found("caption:cat") == ["1", "2"], "a newer model is no person"
    assert album.run("undo").code == 0
    assert album.found("caption:cat") == ["0", "1", "2"]


def test_captions_are_listed_of_photos_by_number_and_by_a_list_on_stdin(
    album: Album, monkeypatch: pytest.MonkeyPatch
) -> None:
    album.caption()
    assert [one["id"] for one in album.run("caption", "list", "2", "3", "--json").json] == [2, 3]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"1\n")))
    assert [one["id"] for one in album.run("caption", "list", "-", "--json").json] == [1]


def test_captions_that_are_listed_slowly_hold_no_connection_open(album: Album, monkeypatch: pytest.MonkeyPatch) -> None:
    album.caption()
    monkeypatch.setattr(captions_listed, "_CHUNK", 1)
    with album.open() as library:
        listed = captions_listed.captions_of(library, [1, 2, 3])
        next(listed)
        album.caption("--model", "other")
        assert [len(one.by_models) for one in listed] == [2, 2]


def test_half_a_character_in_an_answer_does_not_stop_the_run(album: Album) -> None:
    server = album.server
    assert server is not None
    server.behave = lambda handler, request: handler.say(f"\ud83d {colour_of(request)}")
    assert album.caption().code == 0
    assert album.captions() == {str(number): said(name) for number, name in enumerate(COLOURS)}


def test_captions_in_another_language_are_stored_with_it_and_counted(album: Album) -> None:
    server = album.server
    assert server is not None
    server.behave = lambda handler, request: handler.say(
        f"Ein Bild mit viel {colour_of(request)[25:-1]} und ohne Hund."
    )
    (done,) = album.caption("--json").json
    assert (done["captions"], done["other_language"], done["language"]) == (3, 3, "en")
    (shown,) = album.run("show", "1", "--json").json
    assert shown["captions"][0]["language"] == "de"


def test_the_same_sentence_of_nearly_all_pictures_is_noticed(album: Album, tmp_path: Path) -> None:
    for number in range(3, 20):
        Image.new("RGB", (64, 64), (number, number, number)).save(tmp_path / "photos" / f"{number}.jpg")
    album.scan(tmp_path / "photos")
    server = album.server
    assert server is not None
    says_always(server, "A photo of a thing.")
    done = album.caption("--json", "--limit", "19")
    assert (done.json[0]["same"], b"the same caption" in done.err) == (0, False), "too few to tell"
    says_always(server, "A photo of a thing.")
    again = album.caption("--json", "--model", "another")
    assert (again.json[0]["same"], again.json[0]["same_text"]) == (20, "A photo of a thing.")
    assert b"20 of 20 pictures got the same caption, 'A photo of a thing.'" in again.err


def test_a_host_that_is_not_allowed_is_not_asked(album: Album) -> None:
    done = album.caption("--endpoint", "http://192.0.2.1/v1")
    assert done.code == 10
    assert b"caption.allow_network" in done.err
    assert album.value("SELECT count(*) FROM task WHERE stage = 'caption' AND state = 'pending'") == 3


def test_a_model_of_this_computer_describes_scenes_that_are_found_by_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    pytest.importorskip("transformers")
    album = Album(tmp_path / "library", capture=capsysbinary)
    paths = write_scenes(tmp_path / "photos", SCENES[:1]) | write_scenes(tmp_path / "photos", SCENES[1:], seed=2)
    album.scan(tmp_path / "photos")
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(album.folder))
    monkeypatch.setenv("PHOTOINDEX_CAPTION__DEVICE", "cpu")
    assert album.run("models", "install", str(TINY_CAPTIONER), "--id", "tiny-captioner").code == 0
    done = album.run("caption", "--model", "tiny-captioner")
    assert done.code == 0
    loading = [line.partition(" in ")[0] for line in done.err.decode().splitlines() if line.startswith("loading")]
    assert loading == ["loading tiny-captioner ...", "loading tiny-captioner: done"]
    assert b"captions: 3 pictures described with tiny-captioner in " in done.err
    assert album.captions() == {paths[scene].stem: [("tiny-captioner", sentence_of(scene))] for scene in SCENES}
    three, two, _one = (paths[scene].stem for scene in SCENES)
    assert album.found('caption:"three red circles"') == album.found('caption:"on the left"') == [three]
    assert album.found('caption:"blue squares"') == album.found("text:squares") == [two]
    shown = album.run("show", str(paths[SCENES[0]]))
    assert b"captions\n  tiny-captioner  three red circles on the left on grass" in shown.out
