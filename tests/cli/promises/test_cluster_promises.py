"""What messages promise about groups of faces."""

from __future__ import annotations

import json

from photoindex.domain.people.values import How
from tests.cli.promises.house import House, promises
from tests.face_rows import FaceRows
from tests.rows import library_in

LIST = "see who they are: photoindex people list"
SHOW = "photoindex people show {}"
MERGE = "photoindex people merge {}"
MORE = "{} more {}; all are in: photoindex cluster stats --json"


@promises(LIST)
def test_a_grouping_says_how_to_see_the_people(house: House) -> None:
    with library_in(house.library) as library:
        rows = FaceRows(library, house.photos)
        for person in range(4):
            rows.add_photos_of(person, 5)
    listed = house.follow(LIST, house.run("cluster"))
    assert [line.split("\t")[0] for line in listed.splitlines() if line[:1].isdigit()] == ["1", "2", "3", "4"]


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
