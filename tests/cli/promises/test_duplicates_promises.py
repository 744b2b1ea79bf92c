"""What `duplicates --plan` and `duplicates apply` promise."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.cli.promises.house import House, promises

PLAN = "when you have read it: photoindex duplicates apply {} --trash FOLDER"
UNDO = "; undo with: photoindex undo {}"
OTHER = "{} has another digest in the library; run photoindex scan, and make a new plan"
SIDECAR = "its sidecar {} changed since the last scan; run photoindex scan first"


def copied(house: House) -> tuple[Path, Path]:
    """Copy a photo into another folder, with a sidecar, and scan; return copy and sidecar."""
    copy = house.photos / "more" / "a 0.jpg"
    copy.parent.mkdir()
    shutil.copy(house.photos / "a 0.jpg", copy)
    sidecar = copy.with_name("a 0.jpg.xmp")
    sidecar.write_text('<x:xmpmeta xmlns:x="adobe:ns:meta/"/>')
    house.run("scan")
    return copy, sidecar


@promises(PLAN, UNDO)
def test_a_plan_is_applied_and_undone_as_the_commands_say(scanned: House) -> None:
    copy, sidecar = copied(scanned)
    plan, trash = scanned.folder / "my plan.tsv", scanned.folder / "my trash"
    said = scanned.run("duplicates", "--exact", "--plan", plan)
    (command,) = scanned.commands(PLAN, said, FOLDER=trash)
    moved = scanned.run(*command, "--yes")
    assert not copy.exists()
    assert not sidecar.exists()
    scanned.follow(UNDO, moved)
    assert copy.exists()
    assert sidecar.exists()


@promises(SIDECAR)
def test_a_sidecar_that_was_edited_is_scanned_before_its_photo_goes(scanned: House) -> None:
    copy, sidecar = copied(scanned)
    plan, trash = scanned.folder / "plan.tsv", scanned.folder / "trash"
    scanned.run("duplicates", "--exact", "--plan", plan)
    sidecar.write_text('<x:xmpmeta xmlns:x="adobe:ns:meta/"> </x:xmpmeta>')
    said = scanned.run("duplicates", "apply", plan, "--trash", trash, "--yes", code=19)
    scanned.follow(SIDECAR, said)
    scanned.run("duplicates", "apply", plan, "--trash", trash, "--yes")
    assert not copy.exists()


@promises(OTHER)
def test_a_plan_of_other_bytes_is_made_anew_after_a_scan(scanned: House) -> None:
    copy, _ = copied(scanned)
    plan, trash = scanned.folder / "plan.tsv", scanned.folder / "trash"
    scanned.run("duplicates", "--exact", "--plan", plan)
    shutil.copy(scanned.photos / "a 1.jpg", scanned.photos / "a 0.jpg")
    shutil.copy(scanned.photos / "a 1.jpg", copy)
    os.utime(copy)
    scanned.run("scan")
    said = scanned.run("duplicates", "apply", plan, "--trash", trash, "--yes", code=19)
    scanned.follow(OTHER, said)
    plan.unlink()
    scanned.run("duplicates", "--exact", "--plan", plan)
    scanned.run("duplicates", "apply", plan, "--trash", trash, "--yes")
    assert len(list(scanned.photos.rglob("*.jpg"))) == 2
