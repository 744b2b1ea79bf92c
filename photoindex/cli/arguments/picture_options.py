"""The options --gallery, --contact-sheet and --preview, and writing and showing the pictures they ask for."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from photoindex.cli.output.progress_text import amount, size_text
from photoindex.cli.output.render import visible
from photoindex.errors import UsageError
from photoindex.file_access import as_named

if TYPE_CHECKING:
    from photoindex.library.export.photo_cards import GalleryGroup, GallerySection
    from photoindex.library.handle import Library
    from photoindex.library.photos.show import Shown
    from photoindex.library.search.hits import Hit

DEFAULT_LIMIT = 500
"""A page of so many photos is some 10 MB; more of them come with --limit."""
PREVIEW_LIMIT = 60
_NO_PAGES = frozenset({".pdf", ".jpg", ".jpeg", ".png", ".webp", ".gif", ".svg", ".zip", ".json", ".csv"})
_STDOUT = "-"
_SHEET_SUFFIXES = (".jpg", ".jpeg", ".png")

GalleryOption = Annotated[
    Path | None,
    typer.Option(
        "--gallery",
        metavar="FILE",
        help="Also write one page that shows the photos in any browser, without the library; - is stdout.",
        show_default=False,
    ),
]
ContactSheetOption = Annotated[
    Path | None,
    typer.Option(
        "--contact-sheet",
        metavar="FILE",
        help="Also write a sheet of captioned thumbnails, .jpg or .png; further pages have -2, -3 and so on in their names.",
        show_default=False,
    ),
]
PreviewOption = Annotated[bool, typer.Option("--preview", help="Also show the photos in this terminal.")]
HiddenOption = Annotated[
    bool, typer.Option("--hidden", help="Show photos of hidden persons, too; lists of paths always have them.")
]

SensitiveOption = Annotated[
    bool, typer.Option("--sensitive", help="Show sensitive photos, too; lists of paths always have them.")
]
PrivateOption = Annotated[
    bool,
    typer.Option(
        "--private",
        help="Pages and sheets say nothing of where photos were taken and which files they are: no names, paths, places, "
        "titles, descriptions, keywords and query.",
    ),
]


@dataclass(frozen=True, slots=True)
class PictureOptions:
    """How photos are shown; `picture_options` makes it from a command's options.

    gallery, contact_sheet: files to write, `-` for stdout. limit: photos at most; None: as many as suit each form.
    hidden: also those of hidden persons. sensitive: also sensitive ones. private: without what tells places and files.
    """

    gallery: Path | None = None
    contact_sheet: Path | None = None
    preview: bool = False
    limit: int | None = None
    hidden: bool = False
    sensitive: bool = False
    private: bool = False

    @property
    def wanted(self) -> bool:
        """Whether photos are shown at all."""
        return self.preview or self.gallery is not None or self.contact_sheet is not None

    @property
    def takes_stdout(self) -> bool:
        """Whether a picture or page goes to stdout, so that nothing else can."""
        return _STDOUT in (str(self.gallery), str(self.contact_sheet))


def picture_options(
    *,
    gallery: Path | None = None,
    contact_sheet: Path | None = None,
    preview: bool = False,
    limit: int | None = None,
    hidden: bool,
    sensitive: bool,
    private: bool = False,
) -> PictureOptions:
    """Return a command's options, checked before anything is searched for; `limit` is its own --limit, None where not given.

    Raises UsageError. A command calls it before its search, and prints no list where the result `takes_stdout`.
    """
    gallery, contact_sheet = (one if one is None else as_named(one) for one in (gallery, contact_sheet))
    options = PictureOptions(gallery, contact_sheet, preview, limit, hidden, sensitive, private)
    if private and gallery is None and contact_sheet is None:
        raise UsageError("--private is for a page or a sheet; add --gallery OUT.html or --contact-sheet OUT.jpg")
    if preview and not sys.stdout.isatty():
        raise UsageError("--preview shows photos on a terminal, and this is none; --gallery OUT.html writes a page")
    if options.takes_stdout:
        if str(gallery) == str(contact_sheet):
            raise UsageError("--gallery and --contact-sheet cannot both go to stdout; name a file for one of them")
        if sys.stdout.isatty():
            raise UsageError("'-' writes to stdout, which is a terminal; name a file or redirect it")
    if (
        contact_sheet is not None
        and str(contact_sheet) != _STDOUT
        and (contact_sheet.suffix.lower() not in _SHEET_SUFFIXES)
    ):
        raise UsageError(f"--contact-sheet {visible(str(contact_sheet))}: name a file that ends in .jpg or .png")
    return options


def show_pictures(
    library: Library, hits: Sequence[Hit], options: PictureOptions, title: str, *, by_date: bool = False
) -> None:
    """Show the photos that were found in every form that the options ask for.

    title: the query as it was asked. by_date: they are in the order of their dates, so that a page has headings for these.
    """
    from photoindex.library.export.photo_cards import GalleryEntry, GalleryGroup

    groups = [GalleryGroup([GalleryEntry(hit) for hit in hits])]
    show_groups(library, groups, options, title, by_date=by_date)


def show_groups(
    library: Library,
    groups: Sequence[GalleryGroup],
    options: PictureOptions,
    title: str,
    *,
    by_date: bool = False,
) -> None:
    """Show groups of photos, each with its heading, the ones to keep marked; see `show_pictures`.

    Where there is no photo, a page that says so takes the place of an earlier one, and there is no sheet. Photos of hidden persons, and sensitive ones, are left out unless the options say otherwise. Raises UsageError where a file cannot be written
    or the terminal shows no pictures, StorageFull.
    """
    shown = _without_left_out(library, groups, options)
    title = "Photos" if options.private else title
    is_empty = not any(group.entries for group in shown)
    if is_empty and any(group.entries for group in groups):
        print("no photo is left to show", file=sys.stderr)
    if options.gallery is not None:
        _write_gallery(library, shown, options, title, by_date=by_date)
    if options.contact_sheet is not None and is_empty:
        print("no sheet is written, as it would be empty", file=sys.stderr)
    elif options.contact_sheet is not None:
        _write_contact_sheet(library, shown, options, title)
    if options.preview and not is_empty:
        _preview(library, shown, options)


def show_one(library: Library, shown: Shown, *, hidden: bool, sensitive: bool) -> None:
    """Show the picture of one photo in the terminal, unless it shows a hidden person or is sensitive."""
    from photoindex.cli.terminal.thumbnails import show_thumbnail
    from photoindex.library.people.hidden import left_out

    if shown.photo is None:
        return
    of_hidden, of_sensitive = left_out(library, [shown.photo.id])
    if of_hidden and not hidden:
        print("a photo of a hidden person; --hidden shows it")
    elif of_sensitive and not sensitive:
        print("a sensitive photo; --sensitive shows it")
    else:
        show_thumbnail(shown.preview, shown.thumbnail)


def _without_left_out(
    library: Library, groups: Sequence[GalleryGroup], options: PictureOptions
) -> Sequence[GalleryGroup]:
    """Return the groups without the photos that the options do not ask for, and say how many were left out."""
    from photoindex.library.people.hidden import without_hidden, without_sensitive

    if not options.hidden:
        groups, left_out = without_hidden(library, groups)
        if left_out:
            print(f"{amount(left_out, 'photos')} of hidden persons left out; --hidden shows them", file=sys.stderr)
    if not options.sensitive:
        groups, left_out = without_sensitive(library, groups)
        if left_out:
            print(f"{amount(left_out, 'sensitive photos')} left out; --sensitive shows them", file=sys.stderr)
    return groups


def _write_gallery(
    library: Library, groups: Sequence[GalleryGroup], options: PictureOptions, title: str, *, by_date: bool
) -> None:
    from photoindex.library.export.date_headings import dated
    from photoindex.library.export.gallery import gallery_page

    assert options.gallery is not None
    sections, total = _sections(library, groups, options, options.limit or DEFAULT_LIMIT, "--gallery")
    shown = sum(len(section.items) for section in sections)
    if by_date:
        sections = dated(sections)
    write_page(
        library, options.gallery, gallery_page(sections, title, total=total), f"a page of {amount(shown, 'photos')}"
    )


def _write_contact_sheet(library: Library, groups: Sequence[GalleryGroup], options: PictureOptions, title: str) -> None:
    from photoindex.library.export.contact_sheet import contact_sheets, encoded

    assert options.contact_sheet is not None
    sections, total = _sections(library, groups, options, options.limit or DEFAULT_LIMIT, "--contact-sheet")
    target = options.contact_sheet
    for number, (sheet, photos) in enumerate(contact_sheets(sections, title, total=total), 1):
        form = "PNG" if target.suffix.lower() == ".png" else "JPEG"
        page = target if number == 1 else target.with_stem(f"{target.stem}-{number}")
        if number > 1 and str(target) == _STDOUT:
            print("stdout got the first page alone; --contact-sheet OUT.jpg writes them all", file=sys.stderr)
            break
        write_page(library, page, [encoded(sheet, form)], f"a sheet of {amount(photos, 'photos')}")


def _preview(library: Library, groups: Sequence[GalleryGroup], options: PictureOptions) -> None:
    from photoindex.cli.terminal.thumbnails import show_on_terminal

    limit = min(options.limit or PREVIEW_LIMIT, DEFAULT_LIMIT)
    sections, _ = _sections(library, groups, options, limit, "--preview")
    show_on_terminal(sections)


def _sections(
    library: Library, groups: Sequence[GalleryGroup], options: PictureOptions, limit: int, option: str
) -> tuple[list[GallerySection], int]:
    """Return the sections to show, cut to `limit`, and how many photos there are in all."""
    from photoindex.library.export.photo_cards import private, sections_of, shortened

    total = sum(len(group.entries) for group in groups)
    if total > limit:
        print(f"{option} shows the first {limit:,} of {total:,}; -n {total} shows all", file=sys.stderr)
    sections = sections_of(library, shortened(groups, limit))
    return (private(sections) if options.private else sections), total


def check_pages(library: Library, options: PictureOptions) -> None:
    """Raise UsageError for a gallery or sheet that cannot be written, before anything is printed."""
    from photoindex.library.export.output_files import check_replaceable, check_target

    for target in (options.gallery, options.contact_sheet):
        if target is not None and str(target) != _STDOUT:
            check_target(library, target.expanduser())
            check_replaceable(target.expanduser())
    suffix = "" if options.gallery is None else options.gallery.suffix.lower()
    if suffix in _NO_PAGES:
        raise UsageError(
            f"--gallery writes a page in HTML; {options.gallery} would be no {suffix[1:].upper()}; name it .html"
        )


def write_page(library: Library, target: Path, parts: Iterable[bytes], what: str) -> None:
    """Write a page or sheet, or stdout for `-`, and say so; `what` describes it.

    Raises UsageError, also where it would replace a file that photoindex did not make; StorageFull.
    """
    from photoindex.library.export.output_files import check_replaceable, check_target, write_whole

    if str(target) == _STDOUT:
        for part in parts:
            sys.stdout.buffer.write(part)
        return
    target = target.expanduser()
    check_target(library, target)
    check_replaceable(target)
    size_bytes = write_whole(target, parts)
    print(f"wrote {visible(str(target))}: {what}, {size_text(size_bytes)}", file=sys.stderr)
