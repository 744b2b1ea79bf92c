"""The documented views of people and faces; see `views`."""

# ruff: noqa: S608  the statements are built only from constants of this module

from __future__ import annotations

from photoindex.store.schema.view import View

# The faces of an individual in the contents that represent photos.
_FACES = """assignment JOIN region ON region.id = assignment.region_id
        JOIN photo ON photo.primary_asset_id = region.asset_id WHERE assignment.individual_id = individual.id"""


def _counted(column: str, sql: str) -> str:
    """Return a column of the summary, or what it would be where the summary is still to be made."""
    return f"""CASE WHEN individual_summary.individual_id IS NOT NULL THEN individual_summary.{column}
        ELSE (SELECT {sql} FROM {_FACES}) END AS {column}"""


PEOPLE_VIEWS: tuple[View, ...] = (
    View(
        name="v_person",
        help="one row per person: a named one, or a group of faces without a name",
        columns={
            "id": "number of the person, as in `photoindex people show PERSON`",
            "name": "null for a group without one",
            "born": "YYYY, YYYY-MM or YYYY-MM-DD",
            "died": "like born",
            "is_ignored": "1 for a stranger",
            "is_hidden": "1 if left out of galleries, sheets, previews and suggestions",
            "faces": "faces in the contents that represent photos",
            "confirmed": "those that a person confirmed, or named in metadata",
            "photos": "photos with these faces",
            "first_at": "taken_at of the first of these photos; the times of files count only where there are no others",
            "last_at": "taken_at of the last one",
            "cover_face_id": "the face that was chosen to show the person; null: the best one",
        },
        sql=f"""SELECT individual.id AS id, individual.name AS name, individual.born AS born, individual.died AS died,
    individual.ignored AS is_ignored, individual.hidden AS is_hidden,
    {_counted("faces", "count(*)")},
    {_counted("confirmed", "count(CASE WHEN assignment.how <> 'cluster' THEN 1 END)")},
    {_counted("photos", "count(DISTINCT photo.id)")},
    {_counted("first_at", "coalesce(min(CASE WHEN photo.taken_at_source <> 'mtime' THEN photo.taken_at END), min(photo.taken_at))")},
    {_counted("last_at", "coalesce(max(CASE WHEN photo.taken_at_source <> 'mtime' THEN photo.taken_at END), max(photo.taken_at))")},
    individual.cover_id AS cover_face_id
FROM individual LEFT JOIN individual_summary ON individual_summary.individual_id = individual.id
WHERE individual.kind = 'person'""",
    ),
    View(
        name="v_face",
        help="one row per face in a content, found by a model or marked in metadata",
        columns={
            "id": "number of the face; commands write it with an f: f12",
            "photo_id": "its photo",
            "content_id": "its content, as in v_content",
            "is_counted": "1 if this content represents the photo; only these faces are counted, searched and grouped",
            "person_id": "the person it shows, as in v_person; null if unknown",
            "person": "the name",
            "how": "cluster (grouped by the program), metadata (named in a file or sidecar) or confirmed (by a person)",
            "certainty": "of the grouping, 0 to 1",
            "x": "left edge, as a fraction of the upright picture",
            "y": "upper edge",
            "width": "as a fraction of the upright picture",
            "height": "as a fraction of the upright picture",
            "score": "of the detector, 0 to 1; null if it was only marked in metadata",
            "size_px": "shorter side, in pixels of the original",
            "sharpness": "variance of the Laplacian of the aligned face",
            "yaw": "degrees, 0 from the front",
            "roll": "degrees, 0 upright",
            "frame": "of a video; 0 is the poster frame",
            "seconds": "position of the frame in the video",
            "marked_by": "the metadata schema that marked it: mwg, mp, picasa, ...; null: found by a model alone",
            "model": "the model that described it",
        },
        sql="""SELECT region.id AS id, asset.photo_id AS photo_id, region.asset_id AS content_id,
    coalesce(photo.primary_asset_id = region.asset_id, 0) AS is_counted, assignment.individual_id AS person_id,
    individual.name AS person, assignment.how AS how, assignment.score AS certainty, region.x AS x, region.y AS y,
    region.width AS width, region.height AS height, region.score AS score, region.size_px AS size_px,
    region.sharpness AS sharpness, region.yaw AS yaw, region.roll AS roll, region.frame AS frame,
    region.seconds AS seconds, region.schema AS marked_by, region_space.model AS model
FROM region JOIN asset ON asset.id = region.asset_id JOIN photo ON photo.id = asset.photo_id
LEFT JOIN assignment ON assignment.region_id = region.id LEFT JOIN individual ON individual.id = assignment.individual_id
LEFT JOIN region_space ON region_space.id = region.space_id WHERE region.kind = 'face'""",
    ),
)
