"""Decides for each file of a group of copies whether to keep, remove or review it, and explains why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from photoindex.domain.same_picture.orientations import ORIENTATIONS
from photoindex.domain.words.carried import Words, carried, carried_text
from photoindex.library.duplicates.files import state_text
from photoindex.library.duplicates.ranking import RankingRules, rank_files, reason_for_file, reason_to_keep
from photoindex.paths import display
from photoindex.pipeline.duplicates.comparison import WHOLE_SHARE, Compared
from photoindex.store.photos.duplicates import CopyContent, CopyFile, CopyPhoto

KEEP, REMOVE, REVIEW = "keep", "remove", "review"
GO_ALONG = ("companion", "backup")
"""Roles of contents that go where their photo goes: thumbnails of a camera, backups by ExifTool."""


@dataclass(frozen=True, slots=True)
class CopiedFile:
    """One file of a group.

    action: keep, remove (nothing is lost) or review (it differs in more than size, or it or the kept file is not present and
    unchanged). reason: explains the action. state: see `files.FileStatus`. likeness, share: 0 to 1, see `Compared`; None if
    the bytes are the same as a kept file's, or nothing was compared. kept_asset_id: the kept content that makes this file
    redundant.
    """

    path: bytes
    action: str
    reason: str
    photo_id: int
    asset_id: int
    digest: bytes
    size_bytes: int
    mtime_ns: int
    format: str
    width: int
    height: int
    volume: str
    state: str
    likeness: float | None = None
    share: float | None = None
    kept_asset_id: int | None = None


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    """Copies of one photo. kind: exact (the same bytes), or same picture. keep_reason: why the first photo is kept.

    files: all present files, kept ones first; `keep_reason` applies to the first. photo_ids: the kept one first.
    """

    kind: str
    photo_ids: tuple[int, ...]
    keep_reason: str
    files: tuple[CopiedFile, ...]

    def bytes_of(self, action: str) -> int:
        """Return the total size of the files with this action."""
        return sum(one.size_bytes for one in self.files if one.action == action)


Relations = Mapping[tuple[int, int], Compared]
"""Comparisons that found the same picture, by the asset ids of the pair in both orders."""


def group_of(photos: Sequence[CopyPhoto], relations: Relations, rules: RankingRules) -> DuplicateGroup | None:
    """Decide what to do with the files of photos that show the same, the one to keep first; None if there is no duplicate."""
    best = photos[0]
    files = list(_files_of_kept(best, rules))
    for other in photos[1:]:
        files += _files_of_copy(other, best, relations, rules)
    if len(files) < 2 or all(one.action == KEEP for one in files):
        return None
    files.sort(key=lambda one: (one.action != KEEP, len(photos) == 1 and not _is_copied(one, best)))
    if len(photos) > 1:
        reason, kind = reason_to_keep(best, photos[1], rules), "same picture"
    else:
        ranked = next(rank_files(one.files, rules) for one in best.contents if len(one.files) > 1)
        reason, kind = reason_for_file(ranked[0], ranked[1], rules), "exact"
    return DuplicateGroup(kind, tuple(one.photo_id for one in photos), reason, tuple(files))


def _is_copied(file: CopiedFile, photo: CopyPhoto) -> bool:
    return any(one.asset_id == file.asset_id and len(one.files) > 1 for one in photo.contents)


def _files_of_kept(photo: CopyPhoto, rules: RankingRules) -> Iterator[CopiedFile]:
    for content in photo.contents:
        for rank, file in enumerate(rank_files(content.files, rules)):
            if rank == 0:
                kept = file
                reason = (
                    "" if content.asset_id == photo.primary_asset_id else f"part of the kept photo ({content.role})"
                )
                yield _copied(file, content, photo, rules, action=KEEP, reason=reason)
                continue
            doubts = _doubts(file, kept, rules)
            if doubts and rules.preference(file.path) > rules.preference(kept.path):
                doubts.append("it is in a --prefer folder")
            reason = "; ".join([f"the same bytes as {display(kept.path)}", *doubts])
            made = _copied(file, content, photo, rules, action=REVIEW if doubts else REMOVE, reason=reason)
            yield replace(made, kept_asset_id=content.asset_id)


def _doubts(file: CopyFile, kept: CopyFile | None, rules: RankingRules) -> list[str]:
    """Return why a copy should be reviewed although the kept file has the same content: one of them is not available."""
    doubts = []
    if not rules.is_present(file):
        doubts.append(f"it is {state_text(rules.state(file))}")
    if kept is None:
        doubts.append("the kept photo has no file")
    elif not rules.is_present(kept):
        doubts.append(f"the kept file is {state_text(rules.state(kept))}")
    return doubts


def _files_of_copy(
    photo: CopyPhoto, best: CopyPhoto, relations: Relations, rules: RankingRules
) -> Iterator[CopiedFile]:
    """Yield the files of a photo with their actions: one file of a RAW + JPEG or Live Photo never goes alone."""
    files = list(_files_with_own_action(photo, best, relations, rules))
    removed = any(one.action == REMOVE for one in files)
    roles = {one.asset_id: one.role for one in photo.contents}
    staying = [one for one in files if one.action == REVIEW and roles[one.asset_id] not in GO_ALONG]
    for one in files:
        if one.action == REMOVE and staying:
            name = display(staying[0].path.rpartition(b"/")[2])
            yield replace(one, action=REVIEW, reason=f"{one.reason}; {name} belongs to it, and would have to go too")
        elif one.action == REVIEW and roles[one.asset_id] in GO_ALONG and removed and not staying:
            yield replace(one, action=REMOVE, reason=f"goes with the photo that it is a {roles[one.asset_id]} of")
        else:
            yield one


def _files_with_own_action(
    photo: CopyPhoto, best: CopyPhoto, relations: Relations, rules: RankingRules
) -> Iterator[CopiedFile]:
    carries = _carried(photo, best, rules)
    for content in photo.contents:
        found = [
            (relation, kept)
            for kept in best.contents
            if (relation := relations.get((kept.asset_id, content.asset_id))) is not None
        ]
        if not found:
            for file in content.files:
                reason = f"part of photo {photo.photo_id} ({content.role}), not compared"
                yield _copied(file, content, photo, rules, action=REVIEW, reason=reason)
            continue
        relation, kept = max(
            found,
            key=lambda pair: (_is_whole(pair[0]), _is_present(pair[1], rules), pair[0].comparison.score),
        )
        action, reason = _relation_words(relation, content, kept)
        losses = _losses(photo, best) if content.files else []
        if action == REMOVE and content.files:
            losses += _further_pictures(content, kept, rules)
        kept_file = next(iter(rank_files(kept.files, rules)), None)
        for file in content.files:
            doubts = losses + _doubts(file, kept_file, rules)
            made = _copied(
                file,
                content,
                photo,
                rules,
                action=REVIEW if doubts else action,
                reason="; ".join([reason, *doubts, *carries]),
            )
            yield replace(
                made,
                likeness=round(relation.comparison.score, 3),
                share=round(relation.comparison.share, 3),
                kept_asset_id=kept.asset_id,
            )


def _carried(photo: CopyPhoto, best: CopyPhoto, rules: RankingRules) -> list[str]:
    """Return what `duplicates apply` carries over from a photo to the kept one."""
    words, kept = (rules.words.get(one.photo_id, Words()) for one in (photo, best))
    text = carried_text(carried(words, kept))
    return [f"carries over: {text}"] if text else []


def _losses(photo: CopyPhoto, best: CopyPhoto) -> list[str]:
    """Return what would be lost with a photo because the kept one does not have it."""
    losses = []
    if photo.moving and not best.moving:
        losses.append("it has a short video, the kept one does not")
    return losses


def _further_pictures(copy: CopyContent, kept: CopyContent, rules: RankingRules) -> list[str]:
    """Describe what the files show besides the one picture that was compared."""
    further = rules.further_pictures(copy)
    if further is not None:
        return [further]
    further = rules.further_pictures(kept)
    return [] if further is None else [f"the kept file differs: {further}"]


def _is_present(content: CopyContent, rules: RankingRules) -> bool:
    return any(map(rules.is_present, content.files))


def _is_whole(relation: Compared) -> bool:
    return relation.comparison.orientation == 0 and relation.comparison.share >= WHOLE_SHARE and relation.same_colours


def _relation_words(relation: Compared, copy: CopyContent, kept: CopyContent) -> tuple[str, str]:
    """Return the action for a copy of a kept content, and its reason."""
    found = relation.comparison
    differences = []
    if found.share < WHOLE_SHARE and found.agreement is not None:
        copy_is_smaller = found.agreement.second_is_smaller == (relation.task.second == copy.asset_id)
        part = f"{found.share:.0%}"
        differences.append(
            f"shows {part} of it" if copy_is_smaller else f"shows more (the kept file shows {part} of it)"
        )
    if found.orientation:
        differences.append(ORIENTATIONS[found.orientation])
    elif not relation.same_colours and found.share >= WHOLE_SHARE:
        differences.append("different colours, brightness or detail")
    size = _size_words(copy, kept)
    if differences:
        differing = f"an edit: {', '.join(differences)}; {size}"
        return REVIEW, differing if relation.doubt is None else f"{differing}; {relation.doubt}"
    if relation.doubt is not None:
        return REVIEW, f"the same picture, {size}; {relation.doubt}"
    return REMOVE, f"the same picture, {size}"


def _size_words(copy: CopyContent, kept: CopyContent) -> str:
    if (copy.width, copy.height) != (kept.width, kept.height):
        return f"{copy.width} x {copy.height} against {kept.width} x {kept.height}"
    if copy.format != kept.format:
        return f"{copy.format} against {kept.format}, {copy.width} x {copy.height} both"
    return f"{copy.size_bytes:,} against {kept.size_bytes:,} bytes, {copy.width} x {copy.height} both"


def _copied(
    file: CopyFile, content: CopyContent, photo: CopyPhoto, rules: RankingRules, *, action: str, reason: str
) -> CopiedFile:
    return CopiedFile(
        path=file.path,
        action=action,
        reason=reason,
        photo_id=photo.photo_id,
        asset_id=content.asset_id,
        digest=content.digest,
        size_bytes=file.size_bytes,
        mtime_ns=file.mtime_ns,
        format=content.format,
        width=content.width,
        height=content.height,
        volume=file.volume_label,
        state=rules.state(file),
    )
