"""The previous version's library has faces after its first scan: from marks it had read, and from files it had not."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from photoindex.types import Region
from tests.harness import LibraryRunner, counts
from tests.old_library import pictures
from tests.old_library.restore import restore


def test_faces_marked_in_an_older_library_become_people_at_the_next_scan(tmp_path: Path) -> None:
    library, photos = tmp_path / "library", tmp_path / "photos"
    restore(library, photos)
    with closing(sqlite3.connect(library / "photoindex.db")) as connection, connection:
        [(asset_id, other, folder_id, mount, folder)] = connection.execute(
            "SELECT asset.id, file.name, folder.id, mount_point, folder.path FROM asset "
            "JOIN photo ON photo.primary_asset_id = asset.id JOIN file ON file.asset_id = asset.id "
            "JOIN folder ON folder.id = file.folder_id JOIN volume ON volume.id = folder.volume_id "
            "WHERE file.state = 'present' AND asset.kind = 'image' ORDER BY asset.id LIMIT 1"
        )
        old_region = asdict(Region("face", "Anna", 0.1, 0.2, 0.2, 0.3, "mwg"))
        del old_region["drawn_width"], old_region["drawn_height"]
        connection.execute("UPDATE asset SET regions = ? WHERE id = ?", (json.dumps([old_region]), asset_id))
        ini = Path(os.path.join(mount, folder, ".picasa.ini"))
        ini.write_text(f"[Contacts2]\naa=Ben;;\n[{other}]\nfaces=rect64(9000a000b000c000),aa\n")
        os.utime(ini, ns=(pictures.MTIME_NS, pictures.MTIME_NS))
        connection.execute(
            "INSERT INTO file (folder_id, name, size_bytes, mtime_ns, state, media, reason, first_seen_at) "
            "VALUES (?, '.picasa.ini', ?, ?, 'present', 0, 'the content is not a picture', 0)",
            (folder_id, ini.stat().st_size, pictures.MTIME_NS),
        )
    runner = LibraryRunner(library)
    first = counts(runner.scan())
    assert (first["sidecars"], first.get("changed", 0), first.get("new", 0)) == (
        1 + len(list(photos.rglob("*.xmp"))), 0, 0,
    )  # fmt: skip
    rows = runner.rows(
        "SELECT individual.name, assignment.how, region.schema FROM region JOIN assignment ON region_id = region.id "
        "JOIN individual ON individual.id = individual_id WHERE asset_id = ? ORDER BY 1",
        asset_id,
    )
    assert rows == [("Anna", "metadata", "mwg"), ("Ben", "metadata", "picasa")]
    assert runner.value("SELECT faces FROM photo WHERE primary_asset_id = ?", asset_id) == 2
