"""What messages promise about groups of faces."""

from __future__ import annotations

import json

from photoindex.domain.people.values import How
from tests.cli.promises.house import House, promises
from tests.face_rows import FaceRows
from tests.rows import library_in
from tests.tiny_faces import install_tiny_faces, write_faces

NO_FACES = "no faces were found yet; run: photoindex faces"
REVIEW = "name them: photoindex people review"
LIST = "see who they are: photoindex people list"
SHOW = "photoindex people show {}"
MERGE = "photoindex people merge {} {}"
MORE = "{} more {}; all are in: photoindex cluster stats --json"


@promises(NO_FACES)
def test_a_library_without_faces_says_what_finds_them(house: House) -> None:
    write_faces(house.photos / "a.jpg", {(60, 60, 160, 160): 2}, seed=2)
    house.run("scan", house.photos)
    install_tiny_faces(house.library)
    for command in (["cluster"], ["cluster", "stats"], ["cluster", "calibrate"]):
        (found,) = house.commands(NO_FACES, house.run(*command, code=11))
        assert found == ["faces"]
    house.follow(NO_FACES, house.run("cluster", code=11))
    assert "1 waiting" in house.run("cluster")


@promises(REVIEW, LIST)
def test_a_grouping_says_how_to_name_and_see_the_people(house: House) -> None:
    with library_in(house.library) as library:
        rows = FaceRows(library, house.photos)
        for person in range(4):
            rows.add_photos_of(person, 5)
    said = house.run("cluster")
    house.follow(REVIEW, said)
    for person in ("1", "2", "3", "4"):
        house.run("people", "name", person, f"P{person}")
    listed = house.follow(LIST, house.run("cluster"))
    assert [line.split("\t")[1] for line in listed.splitlines() if "\t" in line] == ["P1", "P2", "P3", "P4"]


@promises(SHOW, MERGE, MORE)
def test_stats_say_how_to_look_at_a_group_and_how_to_merge_two(house: House) -> None:
    with library_in(house.library) as library:
        rows = FaceRows(library, house.photos)
        mixed = rows.add_person("Mix", rows.add_photos_of("a", 6) + rows.add_photos_of("b", 9), how=How.CLUSTER)
        for person in range(22):
            rows.add_person(None, rows.add_photos_of(person, 5), how=How.CLUSTER)
            rows.add_person(None, rows.add_photos_of(person, 3), how=How.CLUSTER)
    said = house.run("cluster", "stats")
    (shown,) = house.commands(SHOW, said)
    assert shown == ["people", "show", str(mixed)]
    house.run(*shown)
    (merge,) = house.commands(MERGE, said)
    house.run(*merge)
    more = house.follow(MORE, said)
    lines = [json.loads(line) for line in more.splitlines() if line.startswith("{")]
    assert sum(line["what"] == "likely_merge" for line in lines) == 21
    assert int(merge[-1]) not in {line["person"] for line in lines if line["what"] == "person"}
