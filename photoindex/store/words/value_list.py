"""The values of fields that a library has, for completion in a shell; light on imports."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from photoindex.store.engine.quick_read import quick_rows

# Nothing is sorted here: a reading that is cut off for time has then found something.
_VALUES: Mapping[str, str] = {
    # A step from camera to camera in the index, not a look at every photo.
    "camera": """WITH RECURSIVE camera (make, model) AS (
        SELECT NULL, (SELECT min(camera_model) FROM photo)
        UNION ALL SELECT NULL, (SELECT min(camera_model) FROM photo WHERE camera_model > camera.model) FROM camera
            WHERE camera.model IS NOT NULL)
        SELECT (SELECT max(camera_make) FROM photo WHERE camera_model = camera.model), model FROM camera WHERE model IS NOT NULL""",
    "lens": "SELECT DISTINCT lens FROM photo WHERE lens IS NOT NULL",
    "place": """SELECT city, region, country FROM place
        WHERE EXISTS (SELECT 1 FROM photo WHERE photo.place_id = place.id)""",
    "keyword": "SELECT name FROM tag WHERE EXISTS (SELECT 1 FROM photo_keyword WHERE photo_keyword.tag_id = tag.id)",
    "event": "SELECT key FROM event",
    "volume": "SELECT label FROM volume",
    "type": """WITH RECURSIVE kind (format) AS (SELECT min(format) FROM photo
        UNION ALL SELECT (SELECT min(format) FROM photo WHERE format > kind.format) FROM kind WHERE kind.format IS NOT NULL)
        SELECT format FROM kind""",
    "saved": "SELECT name FROM saved_query",
    "space": "SELECT name FROM space",
    "error": "SELECT DISTINCT error_class FROM task WHERE state IN ('failed', 'quarantined')",
}


def quick_values(database: Path, subject: str) -> list[str]:
    """Return the different values of a field, or names of another subject, in a database file, in no order.

    The makers and models of cameras are names of their own, and so are cities, regions and countries.
    """
    rows = quick_rows(database, _VALUES[subject])
    return list(dict.fromkeys(str(one) for row in rows for one in row if one))
