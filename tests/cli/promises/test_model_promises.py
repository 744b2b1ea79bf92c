"""What messages promise about models, spaces, embedding and indices."""

from __future__ import annotations

import functools
import hashlib
import json
import shutil
import tarfile
from pathlib import Path

import pytest

from photoindex.errors import ModelUnavailable
from photoindex.library.embed import embed
from photoindex.library.models import languages
from photoindex.library.search import second_look
from photoindex.models.description import read_description
from photoindex.models.encoders import open_text_encoder
from photoindex.models.ocr import rapidocr_models
from photoindex.models.weights import ModelStore
from tests.cli.promises.house import House, promises, split_line
from tests.command_line import run_on_terminal
from tests.conftest import REPOSITORY
from tests.fault import faulty_encoder
from tests.hub_server import Hub
from tests.model_folders import TINY_CLIP, write_catalog
from tests.tiny_model import MODEL_ID, install_tiny
from tests.unit.models.clip_models import write_model

VECTORS = "SELECT count(*) FROM vector"
OPTIONS = ("--progress", "none")


def terminal(*argv: str | Path) -> str:
    """Run a command on a terminal and return what it shows."""
    return run_on_terminal(*argv).out.decode().replace("\r\n", "\n")


RUN_EMBED = "run: photoindex embed"
NAMED_EMBED = "run: photoindex embed --model {} (installed: {})"
PULL_EMBED = "run: {}, then: photoindex embed"
PULL = "photoindex models pull {}"
INSTALL = "photoindex models install PATH --id {}"
EMBED = "photoindex embed"


@promises(PULL_EMBED, PULL, RUN_EMBED, EMBED)
def test_a_library_without_vectors_says_what_makes_them(
    scanned: House, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHOTOINDEX_EMBED__MODEL", "tiny")
    without_model = scanned.run("spaces", "drop", "any", code=11)
    (first, second) = scanned.commands(PULL_EMBED, without_model)
    assert scanned.commands(PULL, without_model)[0] == first
    pulled = scanned.run(*first)
    assert scanned.commands(EMBED, pulled) == [second]
    assert scanned.commands(EMBED, scanned.run("status"))[0] == second
    for command in (["spaces", "drop", "any"], ["search", "a dog"], ["spaces", "eval", _queries(scanned)]):
        assert scanned.commands(RUN_EMBED, scanned.run(*command, code=None)) == [second]
    for command in (["spaces", "list"], ["index", "status"]):
        assert scanned.commands(RUN_EMBED, terminal(*command)) == [second]
    scanned.run(*second)
    assert scanned.rows.value(VECTORS) == 3
    for command in (["spaces", "drop", "any"], ["search", "a dog"], ["status"]):
        assert EMBED not in scanned.run(*command, code=None)


@promises("next: photoindex search WORDS")
def test_after_embedding_words_find_what_photos_show(installed: House) -> None:
    said = installed.run("embed")
    assert "photo" in installed.follow("next: photoindex search WORDS", said, WORDS="red")
    assert "next:" not in installed.run("embed")


@promises("photoindex models list")
def test_a_library_with_nothing_else_to_do_says_where_models_are_listed(
    scanned: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rapidocr_models, "is_installed", lambda: False)
    assert "yunet-sface" in scanned.follow("photoindex models list", scanned.run("status"))


def _queries(house: House) -> Path:
    path = house.folder / "queries.json"
    path.write_text(json.dumps({"query": "a dog", "relevant": "id:1"}))
    return path


@promises(NAMED_EMBED, INSTALL, "photoindex embed --model {}")
def test_with_several_models_the_command_names_one(installed: House) -> None:
    said = install_second(installed)
    assert installed.commands("photoindex embed --model {}", said) == [["embed", "--model", "second"]]
    said = installed.run("search", "a dog")
    (command,) = installed.commands(NAMED_EMBED, said)
    installed.run(*command)
    assert installed.rows.value(VECTORS) == 3
    said = installed.run("embed", "--model", "own", code=7)
    installed.follow(INSTALL, said, PATH=TINY_CLIP)
    installed.run("embed", "--model", "own", "--dry-run")


def install_second(house: House) -> str:
    """Install a second model and return what was printed."""
    return house.run("models", "install", TINY_CLIP, "--id", "second")


TIME_UP = "{}: {} left; the next {} continues"
LEFT = "{} left; continue with: {}"
USE = "search uses {}{}"
USE_NEW = "; to use this one: photoindex spaces use {}"
FIRST_EMBED = (
    "{} {} not embedded in the space '{}'; embed them first: photoindex embed --model {}, or use it anyway with --force"
)


@promises("photoindex embed --model {}", USE_NEW, FIRST_EMBED)
def test_embedding_goes_on_with_the_model_that_was_named(embedded: House) -> None:
    install_second(embedded)
    said = embedded.run("embed", "--model", "second", "--for", "1ms", code=75)
    assert "the next photoindex embed --model second continues" in said
    said = embedded.run("embed", "--model", "second", "--limit", "1")
    assert "to use this one" not in said
    refused = embedded.run("spaces", "use", "second", code=2)
    (command,) = embedded.commands("photoindex embed --model {}", said)
    assert embedded.commands(FIRST_EMBED, refused) == [command]
    embedded.run("spaces", "use", "second", "--force")
    embedded.run("spaces", "use", MODEL_ID)
    embedded.follow(USE_NEW, embedded.run(*command))
    assert embedded.rows.value("SELECT name FROM space WHERE active = 1") == "second"


def test_tasks_that_were_queued_again_name_the_command_of_their_model(two_spaces: House) -> None:
    said = two_spaces.run("redo", "embed")
    both = [["embed"], ["embed", "--model", "second"]]
    assert "process with: photoindex embed, photoindex embed --model second" in said
    for command in both:
        two_spaces.run(*command)
    assert two_spaces.rows.value("SELECT count(*) FROM task WHERE state = 'pending'") == 0


GIVEN_UP = "{} given up; to see why: photoindex tasks --stage {} --state quarantined"
NEW_PREVIEW = "; the next photoindex scan makes a new one, then run: photoindex {}"
RETRY = "photoindex retry --stage embed {}, then: photoindex embed"
NO_VECTOR = (
    "like:{}: photo {} has no vector in the space '{}' yet; run: {}; to see whether it was given up: photoindex show {}"
)


@promises(GIVEN_UP, NEW_PREVIEW, NO_VECTOR, RETRY)
def test_a_photo_whose_preview_is_damaged_is_embedded_in_the_end(embedded: House) -> None:
    new = embedded.photos / "it's new.jpg"
    embedded.write_photos(new.name, first=20)
    embedded.run("scan")
    previews = sorted((embedded.library / "derived").rglob("*.preview.jpg"), key=lambda path: path.stat().st_mtime_ns)
    previews[-1].write_bytes(b"damaged")
    said = embedded.run("embed", code=100)
    listed = embedded.follow(GIVEN_UP, said)
    scan, embed = embedded.commands(NEW_PREVIEW, listed)
    photo_id = embedded.rows.value("SELECT max(id) FROM photo")
    shown = embedded.follow(NO_VECTOR, embedded.run("search", f"like:{photo_id}", code=2))
    assert "quarantined" in shown
    assert embedded.commands(RETRY, embedded.run("why", new)) == [["retry", "--stage", "embed", str(new)], ["embed"]]
    embedded.run(*scan)
    embedded.run(*embed)
    assert embedded.rows.value(VECTORS) == 4
    assert "new.jpg" in embedded.run("search", f"like:{photo_id}")


LOCALE = "for texts in {}: photoindex models pull {}"
NEW_MODEL = "for one that does: {}photoindex embed --model {}, then: photoindex spaces use {}"
PULL_FIRST = "photoindex models pull {}, then: "
OTHER_SPACE = "to search with one that does: photoindex spaces use {}"
GERMAN = ("Hund mit Ball auf der Wiese", "eine Katze auf dem Sofa", "zwei Kinder mit einem Drachen")


@promises(LOCALE, NEW_MODEL, PULL_FIRST, OTHER_SPACE)
def test_a_query_in_another_language_names_a_model_that_knows_it(
    embedded: House, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog = embedded.library / "models" / "catalog.toml"
    tiny = catalog.read_text()
    known = tiny.replace('"tiny"', f'"{MODEL_ID}"') + tiny.replace(
        'id = "tiny"', 'id = "multilingual"\nlanguages = ["de"]'
    )
    catalog.write_text(known)
    monkeypatch.setattr(languages, "recommended", lambda *_: "multilingual")
    said = embedded.run("search", GERMAN[0])
    assert f"the query looks German, which the model {MODEL_ID} does not know; " in said
    assert "the query looks" not in embedded.run("search", GERMAN[0])
    assert "the query looks" not in embedded.run("search", "a dog with a ball")
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    (pull,) = embedded.commands(LOCALE, embedded.run("models", "list"))
    assert embedded.commands(PULL_FIRST, said) == [pull]
    embedded.follow(NEW_MODEL, said)
    assert embedded.rows.value("SELECT name FROM space WHERE active = 1") == "multilingual"
    assert "the query looks" not in embedded.run("search", GERMAN[1])
    embedded.run("spaces", "use", MODEL_ID)
    embedded.follow(OTHER_SPACE, embedded.run("search", GERMAN[2]))
    assert embedded.rows.value("SELECT name FROM space WHERE active = 1") == "multilingual"


STRONGER = "; run: photoindex models pull {}"


@promises(STRONGER)
def test_a_second_look_without_a_stronger_model_names_one(
    embedded: House, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(second_look, "_WORTH_PULLING", ("tiny",))
    said = embedded.run("search", "a dog", "--rerank", "2", "--all", code=7)
    assert f"no installed model is stronger than '{MODEL_ID}', which searches here" in said
    embedded.follow(STRONGER, said)
    monkeypatch.setattr(second_look, "closeness", lambda installed: 2 if installed.id == "tiny" else 1)
    assert "a 0.jpg" in embedded.run("search", "a dog", "--rerank", "2", "--all")


DAMAGED_VECTOR = "like:{}: the vector of photo {} is damaged; make it again: photoindex redo embed id:{}, then: {}"


@promises(DAMAGED_VECTOR)
def test_a_damaged_vector_is_made_again(embedded: House) -> None:
    with embedded.rows.open() as library, library.database.write() as connection:
        connection.exec_driver_sql("UPDATE vector SET data = zeroblob(length(data)) WHERE asset_id = 1")
    embedded.follow(DAMAGED_VECTOR, embedded.run("search", "like:1", code=2))
    embedded.run("search", "like:1")


NOT_A_PHOTO = "like:{}: the file is in the library, but it is not a photo; for any picture file, use: --like {}"
NOT_IN_LIBRARY = "like:{}: the file is not in the library; for any picture file, use: --like {}"
SUBTRACT = "-{}: photos that look like another cannot be filtered out; --not TEXT subtracts a meaning"
NEED_PICTURE = "{} is for words, like:PHOTO and --like FILE; the query has none of them"
NEAREST = "nothing looks enough like this; --all shows the nearest"
BEST = "these are the best {}; -n N gives more, --all ranks every photo"
ONLY_SEARCH = "{}:{} ranks photos by similarity and does not filter them: use it only in `photoindex search`"
NEEDS_TEXT = "--not needs a text, such as --not people"


@promises(NOT_A_PHOTO, NOT_IN_LIBRARY, SUBTRACT, NEED_PICTURE, NEAREST, ONLY_SEARCH, NEEDS_TEXT)
def test_a_refused_query_by_picture_names_what_is_taken(embedded: House) -> None:
    outside, note = embedded.folder / "it's outside.jpg", embedded.photos / "note.txt"
    shutil.copy(embedded.photos / "a 0.jpg", outside)
    said = embedded.run("search", f"like:{outside}", code=11)
    found = embedded.run("search", *_shell(embedded.excerpt(NOT_IN_LIBRARY, said)))
    assert "a 0.jpg" in found
    note.write_text("not a photo")
    embedded.run("scan")
    embedded.excerpt(NOT_A_PHOTO, embedded.run("search", f"like:{note}", code=11))
    embedded.excerpt(SUBTRACT, embedded.run("search", "-like:1", code=2))
    embedded.run("search", "like:1", "--not", "TEXT")
    embedded.excerpt(NEEDS_TEXT, embedded.run("search", "like:1", "--not", "", code=2))
    embedded.run("search", "like:1", "--not", "people")
    embedded.excerpt(NEED_PICTURE, embedded.run("search", "name:0", "--all", code=2))
    embedded.run("search", "--like", outside, "--all")
    embedded.excerpt(ONLY_SEARCH, embedded.run("events", "like:1", code=2))
    embedded.run("search", "like:1")
    said = embedded.run("search", "a dog", "--min-score", "0.99")
    embedded.excerpt(NEAREST, said)
    assert "a 0.jpg" in embedded.run("search", "a dog", "--all")


def _shell(text: str) -> list[str]:
    return split_line(text[text.index("--like") :])


INDEX_REBUILD = "photoindex: damaged: {}; search still works from the database. Rebuild with: photoindex index rebuild"
SPACES = "there is no space '{}'; see: photoindex spaces list"


@promises(INDEX_REBUILD, SPACES)
def test_a_damaged_index_is_rebuilt(embedded: House) -> None:
    embedded.run("index", "rebuild")
    for path in (embedded.library / "indices").rglob("*"):
        if path.is_file() and path.stat().st_size > 100 and path.name != "CURRENT":
            path.write_bytes(b"damaged")
    said = embedded.run("index", "status", code=None)
    embedded.follow(INDEX_REBUILD, said)
    assert "damaged" not in embedded.run("index", "status", "--verify")
    assert MODEL_ID in embedded.follow(SPACES, embedded.run("index", "status", "--space", "other", code=11))


CHOOSE = "photoindex spaces use {}"
KEPT = "kept the space '{}' with {} vectors; remove it with: photoindex spaces drop {}"
PREVIEW = "photoindex spaces list"


@promises(CHOOSE, KEPT, PREVIEW)
def test_without_a_space_in_use_another_is_chosen_or_made(two_spaces: House, monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("/dev/null").open() as nobody:
        monkeypatch.setattr("sys.stdin", nobody)
        assert "second" in two_spaces.follow(PREVIEW, two_spaces.run("spaces", "drop", MODEL_ID, code=2))
    kept = two_spaces.run("models", "remove", MODEL_ID)
    (drop,) = two_spaces.commands(KEPT, kept)
    said = two_spaces.run(*drop, "--yes")
    (use,) = two_spaces.commands(CHOOSE, said)
    assert two_spaces.commands(CHOOSE, two_spaces.run("search", "a dog")) == [use]
    assert two_spaces.commands(CHOOSE, two_spaces.run("status")) == [use]
    two_spaces.run(*use)
    assert "no embedding space" not in two_spaces.run("search", "a dog")
    last = two_spaces.run("spaces", "drop", "second", "--yes")
    assert "no space is active now; run: photoindex embed" in last


VERIFY = "photoindex: damaged: {}; see: photoindex models verify"
CHANGED = "{} {} since the model '{}' was installed; see: photoindex models verify {}, then: {}"
GONE_FILE = "the model '{}' has no file {}; install it again: {}"
BUNDLE_CHANGED = "{} has changed since it was installed; run: photoindex models verify {}"
LIST = "there is no model '{}'; see: photoindex models list"
NOT_INSTALLED = "the model '{}' is not installed; see: photoindex models list"
NO_ARCHIVE = "{} is not a model archive; `photoindex models bundle MODEL OUT` makes one"
NEITHER = "the model '{}' is neither installed nor in the catalogue (photoindex models list)"
REMEDY = "photoindex models {} {}"


@promises(VERIFY, CHANGED, BUNDLE_CHANGED, LIST, NOT_INSTALLED, NO_ARCHIVE, NEITHER, REMEDY, "install PATH --id")
def test_a_damaged_model_is_found_and_installed_again(embedded: House) -> None:
    for pattern, command in (
        (LIST, ["models", "show", "other"]),
        (NOT_INSTALLED, ["models", "remove", "other"]),
        (NEITHER, ["models", "verify", "other"]),
    ):
        assert MODEL_ID in embedded.follow(pattern, embedded.run(*command, code=7))
    (embedded.library / "models" / MODEL_ID / "onnx" / "text.onnx").write_bytes(b"other")
    archive = embedded.folder / "OUT.tar"
    bundled = embedded.run("models", "bundle", MODEL_ID, archive, code=7)
    found = embedded.follow(BUNDLE_CHANGED, bundled, code=7)
    assert "text.onnx" in found
    assert "text.onnx" in embedded.follow(VERIFY, embedded.run("models", "list"), code=7)
    said = embedded.run("search", "a dog at the sea", code=None)
    embedded.excerpt(CHANGED, said)
    embedded.excerpt("install PATH --id", said)
    verify, install = embedded.commands(CHANGED, said, PATH=TINY_CLIP)
    embedded.excerpt(REMEDY, said)
    assert "text.onnx" in embedded.run(*verify, code=7)
    embedded.run(*install)
    embedded.run(*verify)
    assert "installed" not in embedded.run("search", "a dog at the sea")
    fake = embedded.folder / "fake.tar"
    with tarfile.open(fake, "w") as written:
        written.add(embedded.photos / "a 0.jpg", "a 0.jpg")
    embedded.follow(NO_ARCHIVE, embedded.run("models", "install", fake, code=2), MODEL=MODEL_ID, OUT=archive)
    embedded.run("models", "install", archive)


SAME = "; for a newer version: photoindex models pull {} --update"
LICENCE = "the licence of '{}' restricts its use and must be accepted first, with --accept-licence: {}. {}"
NOT_IN_CATALOGUE = (
    "the catalogue has no model '{}'; see: photoindex models list, or install one from this computer: "
    "photoindex models install PATH --id NAME"
)
NAME_IT = "name the model in {} with --id NAME (from the catalogue, or a name of your choice)"
OMIT = "{} contains the model '{}'; omit --id"
DESCRIBE = "{} contains only weights; describe them with --architecture NAME (one of open_clip's) or --config FILE ({})"
ARCHITECTURE = "open_clip has no architecture '{}'; name one such as ViT-B-32, or give --config FILE"


@promises(SAME, LICENCE, NOT_IN_CATALOGUE, NAME_IT, OMIT)
def test_a_refused_installation_names_what_is_taken(house: House, hub: Hub) -> None:
    house.run("models", "pull", "tiny")
    again = house.run("models", "pull", "tiny")
    house.follow(SAME, again)
    assert "newer version" not in house.run("models", "install", TINY_CLIP, "--id", "second")
    assert "newer version" not in house.run("models", "install", TINY_CLIP, "--id", "second")
    said = house.run("models", "pull", "other", code=None)
    house.follow(NOT_IN_CATALOGUE, said, PATH=TINY_CLIP, NAME="other")
    said = house.run("models", "install", TINY_CLIP, code=2)
    house.excerpt(NAME_IT, said)
    house.run("models", "bundle", "tiny", house.folder / "tiny.tar")
    house.excerpt(OMIT, house.run("models", "install", house.folder / "tiny.tar", "--id", "third", code=2))
    house.run("models", "install", house.folder / "tiny.tar")
    write_catalog(house.library / "models", restricted=True, terms="Not for sale.")
    house.run("models", "remove", "tiny")
    house.excerpt(LICENCE, house.run("models", "pull", "tiny", code=2))
    house.run("models", "pull", "tiny", "--accept-licence")


RESUME = "a model could not be downloaded; run `photoindex models pull MODEL` again to resume"
ARRIVED = "{} of {} arrived {}; it was deleted and nothing was installed. Run the command again"
PINNED = "; that is the installed commit; use --update for the current one"


@promises(ARRIVED)
def test_a_download_that_arrived_damaged_is_fetched_again(house: House, hub: Hub) -> None:
    sent = hub.repositories["someone/tiny"].sent
    sent["open_clip_model.safetensors"] = bytes((TINY_CLIP / "open_clip_model.safetensors").stat().st_size)
    said = house.run("models", "pull", "tiny", code=17)
    house.excerpt(ARRIVED, said)
    sent.clear()
    house.run("models", "pull", "tiny")
    house.run("models", "verify", "tiny")


OTHER_WEIGHTS = (
    "the vectors of the space '{}' were made with other weights of the model '{}' than those installed; make a space with "
    "these: {}, then use it: photoindex spaces use NAME"
)


@promises(OTHER_WEIGHTS)
def test_after_another_version_of_a_model_a_new_space_is_made_and_used(embedded: House) -> None:
    with embedded.rows.open() as library, library.database.write() as connection:
        key = json.loads(
            connection.exec_driver_sql("SELECT key FROM variant WHERE stage = 'embed'").scalar_one()  # type: ignore[arg-type]
        )
        key["weights"] = "0" * 64
        connection.exec_driver_sql("UPDATE variant SET key = ? WHERE stage = 'embed'", (json.dumps(key),))
    said = embedded.run("search", "a dog at the sea")
    embedded.excerpt(OTHER_WEIGHTS, said)
    made = embedded.run("embed")
    name = embedded.rows.value("SELECT name FROM space WHERE active = 0")
    assert f"photoindex spaces use {name}" in made
    embedded.run(*embedded.commands(OTHER_WEIGHTS, said, NAME=name)[-1])
    assert "other weights" not in embedded.run("search", "a dog at the sea")


WRONG_DIM = (
    "the space '{}' has vectors with a dimension other than {}; drop it and embed again: photoindex spaces drop {}"
)


@promises(WRONG_DIM)
def test_a_space_with_vectors_of_another_size_is_dropped_and_made_again(embedded: House) -> None:
    with embedded.rows.open() as library, library.database.write() as connection:
        connection.exec_driver_sql("UPDATE vector SET data = zeroblob(10)")
    (drop,) = embedded.commands(WRONG_DIM, embedded.run("index", "rebuild", code=15))
    embedded.run(*drop, "--yes")
    embedded.run("embed")
    embedded.run("index", "rebuild")


LOCK = "the lock file of the models cannot be read: {}: {}. Move it away and install the models again"


@promises(LOCK)
def test_models_are_installed_again_where_their_lock_file_is_lost(installed: House) -> None:
    (lock,) = (installed.library / "models").glob("lock.*")
    lock.write_text("not json")
    installed.excerpt(LOCK, installed.run("embed", "--dry-run", code=7))
    lock.rename(installed.folder / "lock.away")
    install_tiny(installed.library)
    installed.run("embed", "--dry-run")


NO_TOWERS = "the model in {} has no exported towers ({} is missing); install it again"
NO_DESCRIPTION = "{} cannot be used: {}: {}; install the model again"
NO_SESSION = "{} cannot be run: {}; install the model again"
NO_TOKENIZER = "the model's tokenizer cannot be used: {}; install the model again"
OTHER_DIM = "the model '{}' was installed with vectors of dimension {}, not {} as in its {}; install it again: {}"
TOWER_DIM = "the model's tower gives vectors of dimension {}, but its description says {}; install it again"


@promises(GONE_FILE, NO_DESCRIPTION, NO_SESSION, NO_TOKENIZER, OTHER_DIM, TOWER_DIM, NO_TOWERS)
def test_a_model_that_cannot_be_used_is_installed_again(embedded: House) -> None:
    folder = embedded.library / "models" / MODEL_ID
    other_dim = json.dumps(json.loads((folder / "onnx" / "model.json").read_text()) | {"dim": 32}).encode()
    for number, (pattern, name, data) in enumerate(
        (
            (GONE_FILE, "onnx/text.onnx", None),
            (NO_DESCRIPTION, "onnx/model.json", b"{}"),
            (NO_SESSION, "onnx/text.onnx", b"junk"),
            (NO_TOKENIZER, "onnx/tokenizer.json", b"junk"),
            (OTHER_DIM, "onnx/model.json", other_dim),
        )
    ):
        _replace(folder, name, data)
        embedded.excerpt(pattern, embedded.run("search", f"words {number}"))
        embedded.run("models", "install", TINY_CLIP, "--id", MODEL_ID)
        assert "install" not in embedded.run("search", f"words {number}")
    _replace(folder, "onnx/model.json", other_dim, dim=32)
    with pytest.raises(ModelUnavailable) as error:
        open_text_encoder(ModelStore(folder.parent).get(MODEL_ID))
    embedded.excerpt(TOWER_DIM, str(error.value))
    (folder / "onnx" / "model.json").unlink()
    with pytest.raises(ModelUnavailable) as error:
        read_description(folder)
    embedded.excerpt(NO_TOWERS, str(error.value))
    embedded.run("models", "install", TINY_CLIP, "--id", MODEL_ID)
    open_text_encoder(ModelStore(folder.parent).get(MODEL_ID))


def _replace(folder: Path, name: str, data: bytes | None, *, dim: int | None = None) -> None:
    """Replace a file of a model as if it had been installed so; None leaves it out."""
    lock_file = folder.parent / "lock.json"
    lock = json.loads(lock_file.read_text())
    model = lock["models"][folder.name]
    if data is None:
        del model["files"][name]
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(data)
        model["files"][name] |= {"sha256": hashlib.sha256(data).hexdigest(), "size_bytes": len(data)}
    if dim is not None:
        model["found"]["dim"] = dim
    lock_file.write_text(json.dumps(lock))


KINDS = "models of the architecture '{}' use {} kinds of preprocessing; give --config FILE, the {} of the checkpoint"
EXPORT = (
    "these weights must be exported to ONNX once, which needs {}; run: pip install 'photoindex[ml]', or make a bundle on a "
    "computer that has it: photoindex models bundle MODEL OUT"
)


@promises(EXPORT)
def test_weights_that_cannot_be_exported_here_come_in_a_bundle(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = house.folder / "weights"
    shutil.copytree(TINY_CLIP, weights)
    shutil.rmtree(weights / "onnx")
    archive, other = house.folder / "OUT.tar", house.folder / "other"
    with monkeypatch.context() as faults:
        faults.setattr("photoindex.models.sources.install.find_spec", lambda _name: None)
        said = house.run("models", "install", weights, "--id", "tiny", code=7)
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("PHOTOINDEX_LIBRARY", str(other))
        install_tiny(other, model_id="tiny")
        house.follow(EXPORT, said, MODEL="tiny", OUT=archive)
    house.run("models", "install", archive)


@promises(DESCRIBE, ARCHITECTURE, KINDS)
def test_bare_weights_are_described(house: House) -> None:
    torch = pytest.importorskip("torch", reason="the extra `ml` is not installed")
    from safetensors.torch import load_file

    made = write_model(house.folder / "made", text={"vocab_size": 49408})
    (made / "bpe_simple_vocab.txt.gz").unlink()
    weights = house.folder / "epoch_7.pt"
    torch.save(load_file(made / "open_clip_model.safetensors"), weights)
    house.excerpt(DESCRIBE, house.run("models", "install", weights, "--id", "tiny", code=2))
    said = house.run("models", "install", weights, "--id", "tiny", "--architecture", "tiny", code=None)
    house.excerpt(ARCHITECTURE, said)
    said = house.run("models", "install", weights, "--id", "tiny", "--architecture", "ViT-S-32-alt", code=2)
    house.excerpt(KINDS, said)
    house.run("models", "install", weights, "--id", "tiny", "--config", made / "open_clip_config.json")
    (shown,) = house.result("models", "show", "tiny", "--json").json
    assert shown["dim"] == 24
    assert "open_clip_pytorch_model.bin" in str(shown["files"])


AGAIN = "run it again to resume"


@promises(PINNED, RESUME, AGAIN)
def test_a_commit_that_is_gone_is_updated(house: House, hub: Hub) -> None:
    hub.failing["safetensors"] = 500
    house.excerpt(AGAIN, house.run("models", "pull", "tiny", code=17))
    hub.failing.clear()
    exit_codes = (REPOSITORY / "docs" / "exit-codes.md").read_text()
    house.follow(RESUME, exit_codes, MODEL="tiny")
    hub.repositories["someone/tiny"].commit = "1" * 40
    (house.library / "models" / "tiny" / "onnx" / "text.onnx").unlink()
    house.excerpt(PINNED, house.run("models", "pull", "tiny", code=17))
    house.run("models", "pull", "tiny", "--update")
    house.run("models", "verify", "tiny")


CRASHED = "; to make a new one: photoindex redo ingest id:{} (or a query for many), then: photoindex scan, then: photoindex {}"
LOST = "{} was lost {} times, most recently because {}; finished work is kept. See: photoindex {} --help (--device, --batch-size)"
NO_MEMORY = "the device has too little free memory for even one picture ({}); use --device cpu"
REPLACED = "the model '{}' was replaced in the meantime; run the command again"
OTHER_VECTORS = (
    "the model '{}' returns vectors of {} dimensions, but its space '{}' has {}; see: photoindex models verify {}"
)


@pytest.fixture
def faulty(scanned: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """A library whose installed model fails on demand."""
    request = functools.partial(embed.EmbedRequest, open=faulty_encoder.OPENER)
    monkeypatch.setattr(embed, "EmbedRequest", request)
    return scanned


@promises(CRASHED, LOST, NO_MEMORY)
def test_embedding_goes_on_after_a_model_that_failed(faulty: House, monkeypatch: pytest.MonkeyPatch) -> None:
    models = faulty.library / "models"
    faulty_encoder.install(models, room=0)
    faulty.excerpt(NO_MEMORY, faulty.run("embed", *OPTIONS, code=8))
    faulty_encoder.install(models, lose_at=list(range(1, 40)))
    with monkeypatch.context() as faults:
        faults.setattr("photoindex.pipeline.run.runner.RESTARTS_ALLOWED", 0)
        (command,) = faulty.commands(LOST, faulty.run("embed", *OPTIONS, code=8))
    helped = faulty.run(*command)
    assert "--device" in helped
    assert "--batch-size" in helped
    faulty_encoder.install(models, kill_over=0)
    (models / "calls").unlink()
    faulty.run("embed", *OPTIONS, "--limit", "1", code=None)
    said = faulty.run("tasks", "--stage", "embed", "--state", "quarantined")
    faulty_encoder.install(models)
    redo, scan, again = faulty.commands(CRASHED, said)
    for one in (redo, scan):
        faulty.run(*one)
    faulty.run(*again, "--device", "cpu")
    assert faulty.rows.value(VECTORS) == 3
