"""The documented views of tags and albums; see `views`."""

from __future__ import annotations

from photoindex.store.schema.view import View

WORDS_VIEWS: tuple[View, ...] = (
    View(
        name="v_tag",
        help="one row per photo, tag and source; without tags that a person rejected",
        columns={
            "photo_id": "its photo",
            "tag": "the name; slashes separate levels",
            "tag_id": "id of the tag",
            "source": "person, file (a keyword of the files), or the stage of the model: tags, objects, labels, sensitive",
            "confidence": "of the model, 0 to 1; null for a person and a file",
            "is_calibrated": "1 where the confidence was measured on your verdicts, 0 where it is the model's own; null without one",
            "is_shown": "1 unless the model is less confident than the settings ask for",
        },
        sql="""SELECT given.photo_id AS photo_id, tag.name AS tag, given.tag_id AS tag_id, given.source AS source,
    given.confidence AS confidence, given.is_calibrated AS is_calibrated, given.is_shown AS is_shown
FROM (
    SELECT DISTINCT asset.photo_id AS photo_id, asset_tag.tag_id AS tag_id, 'person' AS source, NULL AS confidence,
        NULL AS is_calibrated, 1 AS is_shown
        FROM asset_tag JOIN asset ON asset.id = asset_tag.asset_id
    UNION ALL SELECT photo_keyword.photo_id, photo_keyword.tag_id, 'file', NULL, NULL, 1 FROM photo_keyword
    UNION ALL SELECT photo.id, label.tag_id, variant.stage, max(label.confidence),
        coalesce(max(CASE WHEN label.calibrated THEN label.confidence END) >= max(label.confidence), 0), max(label.shown)
        FROM label JOIN photo ON photo.primary_asset_id = label.asset_id JOIN variant ON variant.id = label.variant_id
        GROUP BY photo.id, label.tag_id, variant.stage
) AS given JOIN tag ON tag.id = given.tag_id
WHERE given.source = 'person' OR NOT EXISTS (
    SELECT 1 FROM tag_rejection JOIN asset ON asset.id = tag_rejection.asset_id
    WHERE asset.photo_id = given.photo_id AND tag_rejection.tag_id = given.tag_id)""",
    ),
    View(
        name="v_album",
        help="one row per album and photo in it; smart albums are saved queries and have none",
        columns={
            "album_id": "id of the album",
            "album": "the name",
            "kind": "own, takeout, apple or folder",
            "origin": "where it was read from: number of the volume and path on it; empty for own albums",
            "photo_id": "its photo",
            "place": "the order in the album, ascending",
            "is_cover": "1 for the photo that was chosen to show the album",
        },
        sql="""SELECT album.id AS album_id, album.name AS album, album.kind AS kind, album.origin AS origin,
    asset.photo_id AS photo_id, min(album_asset.position) AS place,
    coalesce((SELECT cover.photo_id FROM asset AS cover WHERE cover.id = album.cover_id) = asset.photo_id, 0) AS is_cover
FROM album JOIN album_asset ON album_asset.album_id = album.id JOIN asset ON asset.id = album_asset.asset_id
GROUP BY album.id, asset.photo_id""",
    ),
)
