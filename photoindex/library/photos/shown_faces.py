"""The faces of a photo as `show` lists them: where each is, who it is, and how that is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from photoindex.domain.people.marks import Mark
from photoindex.domain.people.values import How
from photoindex.library.people.arguments import face_text
from photoindex.pipeline.resolve.evidence import Evidence
from photoindex.store.people import faces, individuals, marks
from photoindex.store.people.faces import FaceRow
from photoindex.store.people.individuals import IndividualRow

_XMP_SCHEMAS = frozenset({"mwg", "mp", "acdsee", "iptc"})


@dataclass(frozen=True, slots=True)
class ShownFace:
    """One face of the content that represents a photo.

    person: None for a face of nobody. mark: how a file marks it, None if none does. pixels: left, top, width and height in
    the upright photo, None if its size is unknown.
    """

    row: FaceRow
    person: IndividualRow | None
    mark: Mark | None
    pixels: tuple[int, int, int, int] | None


def faces_of(connection: Connection, evidence: Evidence) -> list[ShownFace]:
    """Return the faces of a photo from left to right."""
    content = evidence.content
    rows = faces.of_assets(connection, [content.asset_id])
    marked = marks.by_face(connection, content.asset_id, evidence.marks)
    people = individuals.by_ids(connection, [row.individual_id for row in rows if row.individual_id is not None])
    width, height = content.values["width"], content.values["height"]
    return [
        ShownFace(
            row=row,
            person=None if row.individual_id is None else people.get(row.individual_id),
            mark=marked.get(row.id),
            pixels=_pixels(row, width, height) if width and height else None,
        )
        for row in sorted(rows, key=lambda row: (row.x, row.y, row.id))
    ]


def _pixels(row: FaceRow, width: int, height: int) -> tuple[int, int, int, int]:
    return round(row.x * width), round(row.y * height), round(row.width * width), round(row.height * height)


def whose(face: ShownFace) -> str:
    """Return the name of a person, or the number of a group, in words."""
    if face.person is None:
        return "nobody yet"
    return face.person.name or f"person {face.person.id}"


def how_known(face: ShownFace) -> str:
    """Return in words how it is known who a face is, or that there is a face."""
    marked = "" if face.mark is None else " and ".join(_where(*source) for source in face.mark.sources)
    if face.row.how == How.CONFIRMED:
        return "confirmed by you"
    if face.row.how == How.METADATA:
        return f"named in {marked}" if marked else "named in a file"
    if face.row.how == How.CLUSTER:
        return "grouped" if face.row.certainty is None else f"grouped, score {face.row.certainty:.2f}"
    return f"marked in {marked}" if marked else "found by a model"


def _where(file: str, schema: str) -> str:
    return f"xmp {schema} of {file}" if schema in _XMP_SCHEMAS else file


def how_turned(face: ShownFace) -> str:
    """Return in words whether the box in the file was turned with the photo, "" if no file marks the face."""
    if face.mark is None or face.mark.turned_by == 1:
        return ""
    return f"turned with the photo (orientation {face.mark.turned_by})"


def as_json(shown: Sequence[ShownFace]) -> list[dict[str, object]]:
    """Return the documented JSON objects of faces."""
    return [_face_as_json(face) for face in shown]


def _face_as_json(face: ShownFace) -> dict[str, object]:
    row, mark = face.row, face.mark
    pixels = None if face.pixels is None else dict(zip(("left", "top", "width", "height"), face.pixels, strict=True))
    return {
        "face": face_text(row.id),
        "person": None if face.person is None else {"id": face.person.id, "name": face.person.name},
        "how": row.how,
        "why": how_known(face),
        "certainty": row.certainty,
        "x": row.x,
        "y": row.y,
        "width": row.width,
        "height": row.height,
        "pixels": pixels,
        "size_px": row.size_px,
        "score": row.score,
        "marked_in": [] if mark is None else [{"file": file, "schema": schema} for file, schema in mark.sources],
        "turned_by": None if mark is None else mark.turned_by,
    }
