"""`photoindex search QUERY…`: find photos."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from photoindex.cli.arguments.common import JsonOption, LibraryOption, opened
from photoindex.cli.arguments.copy_options import (
    CopyToOption,
    DryRunOption,
    HardOption,
    LayoutOption,
    LinkToOption,
    copy_found,
    copy_options,
)
from photoindex.cli.arguments.field_options import with_query_options
from photoindex.cli.arguments.person_completion import QueryCommand, complete_term
from photoindex.cli.arguments.picture_options import (
    ContactSheetOption,
    GalleryOption,
    HiddenOption,
    PictureOptions,
    PreviewOption,
    PrivateOption,
    SensitiveOption,
    check_pages,
    picture_options,
    show_pictures,
)
from photoindex.cli.arguments.semantic_options import (
    AllOption,
    GivenOptions,
    LikeOption,
    MinScoreOption,
    NotOption,
    RerankOption,
    WeightOption,
    semantic_options,
)
from photoindex.cli.arguments.sentences import LiteralOption, understood
from photoindex.cli.arguments.value_completion import complete_names, complete_sort
from photoindex.cli.output.geojson import GeoJsonOption
from photoindex.cli.output.progress_text import size_text
from photoindex.cli.output.render import (
    Column,
    CsvOption,
    CsvSafeOption,
    FormatOption,
    NullOption,
    Row,
    choose_output,
    render,
    visible,
)
from photoindex.errors import NothingFound, UsageError
from photoindex.progress import Event, Notice
from photoindex.query.syntax import OptionTerm

if TYPE_CHECKING:
    from photoindex.cli.output.render import Output
    from photoindex.library.handle import Library
    from photoindex.library.search.find import SearchResult
    from photoindex.library.search.hits import Hit

# Lines of 76 characters: Typer keeps the line breaks and wraps longer lines once more.
HELP = r"""Find photos by what they show, words, fields and dates; without QUERY, all.

WORDS are searched in file names, folders, camera, keywords, titles,
descriptions, places, people, tags, captions and the text in pictures,
whatever their case and accents: beach sunset (both words), sun* (begins
with), '"golden gate"' (a phrase; two kinds of quotes because the shell
removes one).

WHAT PHOTOS SHOW: once photos are embedded (photoindex embed), words are also
searched by meaning, in the order they are written: a dog on a beach. A photo
is found if it reaches the cut-off of the embedding space, or if its texts
have all words; the most relevant come first. beach OR lake takes the better
match; beach^0.5 and '"golden retriever"^2' are weights; text:beach and beach*
search texts only, and so do words in an OR with fields and words after a '-':
-term filters, --not WORDS subtracts a meaning. like:12 and
like:2019/IMG_1.jpg find photos that look like one in the library, --like FILE
like any picture. Commands that change something search words in texts only.

SENTENCES: what is plainly a date, a place, a camera or a kind in bare words
(English, German, French, Spanish) becomes a field: videos of the beach last
summer in Portugal. The line "understood as:" shows the query, to be edited;
--literal, or quotes, take the words as words.

FIELDS: date:2019 date:2019-06..2021 date:>2019-06-15 date:last-30d
date:last-summer date:december-2019 date:christmas month:12 month:6..8
day:12-24 weekday:sunday time:18..20:30 place:lisbon near:38.7,-9.1,30km type:raw,heic,live
camera:canon lens:50mm iso:100..400 aperture:1.4..2.8 exposure:<1/250
focal:>=200 rating:>=4 text:beach title:party description:dog keyword:rome
path:/photos/2019 path:2019/06 path:2019/*.jpg name:IMG_44* ext:jpg
volume:backup size:>20MB width:>=4000 height:>=3000 megapixels:>=20
orientation:portrait duration:>10s has:gps is:missing added:last-7d
source:taken_at=mtime event:2019-06-01-lisbon id:12 like:12
person:anna person:1 faces:>2 faces:0 age:anna<6 age:anna:3..5
face:me.jpg is:alone is:unnamed is:unreviewed tag:dog tag:animals/
album:lisbon is:favourite is:rejected is:sensitive caption:boat ocr:gate

PEOPLE: person:anna person:ben are both in the photo, person:anna,ben is
either, person:anna is:alone has one face. person: takes a whole name, or a
person's number. face:FILE finds the person whom a picture with one face
shows. age: needs a birth date: photoindex people born PERSON DATE.

RANGES a..b, a.. and ..b include their ends. A date is its whole period:
date:2019..2021 goes on to the end of 2021. Compare with :> :>= :< :<=.

VALUES: a comma means OR. Text is found anywhere in the value and takes *
for anything; keyword: (or one of its levels) and ext: are whole, place: is
whole words. path: is a folder with all below it, or a file, absolute or the
end of a path; its * goes across folders. Case and accents do not matter.
camera::REGEX and the like take a regular expression of Python, found
anywhere whatever the case. 1 MB is 1,000,000 bytes, 1 MiB is 1,048,576. A
plain number with decimals, or a size with a unit, also finds what rounds to
it. date: and added: take today, yesterday, last-30d, last-2w, last-6mo,
last-1y, and dates as people say them: last-year, last-weekend, summer-2019,
12/2019, easter-2018. date:december and date:christmas are those of any year.

TOGETHER: all terms must match, with or without AND between them; beach OR
lake; -term and NOT term filter out, as in -date:2019 or -(beach OR lake).
Quoted text is never a field, nor is 12:30 or an address; "AND" in quotes is a
word. In one argument with spaces, such as 'camera:EOS 5D', everything after
the colon is the value, unless it has a field, @NAME, -term, OR, AND or NOT.

SAVED: --saved NAME saves the query, @NAME uses it: @best -@seen.

Photos whose files are all missing are found only where the query has
is:missing (also -is:missing) or id:.

Options are spelled exactly, with a space or '=' before their value, a number
directly: -n 5, -n5; any other word that begins with one dash filters out.
"""


def register(app: typer.Typer) -> None:
    """Add the command `search`."""
    app.command("search", cls=QueryCommand, help=HELP)(with_query_options(search))


def search(
    query: Annotated[
        list[str] | None,
        typer.Argument(metavar="QUERY", autocompletion=complete_term, help="Words, fields, phrases."),
    ] = None,
    sort: Annotated[
        str | None,
        typer.Option(
            "--sort",
            metavar="KEY",
            autocompletion=complete_sort,
            help="relevance, date, name, path, size, width, rating, added or id; -KEY: descending. Without it, "
            "relevance where photos are found by what they show, else -date.",
            show_default=False,
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", "-n", metavar="N", min=0, help="Only the first N.", show_default=False)
    ] = None,
    count: Annotated[
        bool, typer.Option("--count", help="Print how many photos match in all, and nothing else.")
    ] = False,
    template: FormatOption = None,
    json: JsonOption = False,
    geojson: GeoJsonOption = False,
    csv: CsvOption = False,
    csv_safe: CsvSafeOption = False,
    null: NullOption = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Print how the query was understood and how many photos each part leaves.")
    ] = False,
    saved: Annotated[
        str | None,
        typer.Option(
            "--saved",
            metavar="NAME",
            autocompletion=complete_names("saved"),
            help="Save the query as @NAME, and run it.",
            show_default=False,
        ),
    ] = None,
    literal: LiteralOption = False,
    fail_if_empty: Annotated[bool, typer.Option("--fail-if-empty", help="Exit with 11 when nothing matches.")] = False,
    like: LikeOption = None,
    without: NotOption = None,
    weight: WeightOption = None,
    min_score: MinScoreOption = None,
    everything: AllOption = False,
    rerank: RerankOption = None,
    gallery: GalleryOption = None,
    contact_sheet: ContactSheetOption = None,
    preview: PreviewOption = False,
    hidden: HiddenOption = False,
    sensitive: SensitiveOption = False,
    private: PrivateOption = False,
    copy_to: CopyToOption = None,
    link_to: LinkToOption = None,
    layout: LayoutOption = None,
    hard: HardOption = False,
    dry_run: DryRunOption = False,
    library: LibraryOption = None,
    *,
    terms: list[OptionTerm],
) -> None:
    """Find photos and print them."""
    from photoindex.library.search.find import SearchRequest, find
    from photoindex.library.search.parse import parse_with_options

    output = choose_output(json=json, geojson=geojson, csv=csv, csv_safe=csv_safe, null=null, template=template)
    shown = picture_options(
        gallery=gallery, contact_sheet=contact_sheet, preview=preview, limit=limit, hidden=hidden, sensitive=sensitive,
        private=private,
    )  # fmt: skip
    copies = copy_options(copy_to, link_to, layout, hard=hard, dry_run=dry_run, hidden=hidden, sensitive=sensitive)
    copies.check_alone(other=count or explain or geojson or shown.wanted)
    alone = "--count" if count else "--explain" if explain else None
    if alone and (geojson or csv or csv_safe or null or template is not None or shown.wanted or (count and explain)):
        raise UsageError(f"{alone} goes with --json alone")
    if preview and (json or geojson or csv or csv_safe or null or template is not None):
        raise UsageError(
            "--preview shows photos between the lines of a table; it goes without --json, --geojson, --csv, -0 and --format"
        )
    given = GivenOptions(like or [], without or [], weight or [], min_score, everything)
    started = time.perf_counter()
    with opened(library, reading=True) as found, semantic_options(given) as options:
        meant = understood(found, query or [], literal=literal)
        parsed = parse_with_options(found, meant, terms)
        if saved is not None:
            _save(found, saved, parsed.text)
        request = SearchRequest(
            parsed.tree, options, sort, limit, complete=explain, only_count=count, rerank=rerank or 0
        )
        result = find(found, request, _print_notice)
        _print_notes(result)
        if alone:
            printed = _print_explanation(result, json=json) if explain else _print_count(result.total(), json=json)
        elif copies.target is not None:
            printed = copy_found(found, result.photo_ids(), copies, output)
        else:
            printed = _print_hits(result, output, shown, title=" ".join([parsed.text, *(like or [])]).strip())
        if not printed and limit != 0:
            _print_hints(result, meant.split() if isinstance(meant, str) else meant)
        if alone is None and not shown.wanted:
            _note(found, time.perf_counter() - started)
    if not printed and fail_if_empty:
        raise NothingFound("no photo matches")
    if not printed and alone is None and output.terminal:
        print("no photo matches", file=sys.stderr)


def _print_notes(result: SearchResult) -> None:
    for note in result.notes:
        print(visible(note.text), file=sys.stderr)


def _print_hints(result: SearchResult, words: Sequence[str]) -> None:
    for hint in result.hints(words):
        print(f"hint: {visible(hint)}", file=sys.stderr)


def _note(library: Library, seconds: float) -> None:
    """Store how long the search took, for `metrics`; the answer is printed already."""
    from photoindex.library.night.measuring import note_search

    note_search(library, seconds)


def _print_notice(event: Event) -> None:
    if isinstance(event, Notice):
        print(visible(event.message), file=sys.stderr)


def _save(library: Library, name: str, text: str) -> None:
    from photoindex.library.search.saved import save

    if not text:
        raise UsageError(
            f"--saved {name} saves a query, and there is none; to use a saved one: photoindex search @{name}"
        )
    replaced = save(library, name, text)
    shown = f"@{name.removeprefix('@').lower()}"
    if replaced is None:
        print(f"saved as {shown}", file=sys.stderr)
    elif replaced != text:
        print(f"saved as {shown} in place of: {visible(replaced)}", file=sys.stderr)


def _print_explanation(result: SearchResult, *, json: bool) -> int:
    from photoindex.cli.output.query_explanation import print_explanation

    reasons = result.reasons()
    explanation = result.explanation()
    print_explanation(explanation, reasons, as_json=json)
    return explanation.tree.alone if reasons is None else reasons.found


def _print_count(number: int, *, json: bool) -> int:
    print(f'{{"schema": 1, "count": {number}}}' if json else number)
    return number


def _print_hits(result: SearchResult, output: Output, shown: PictureOptions, *, title: str) -> int:
    from photoindex.cli.output.render import Form

    columns, row_of = _columns(result, output), _rows(output)
    if not shown.wanted and output.form in (Form.PLAIN, Form.NUL):
        return render(({"path": path} for path in result.paths()), columns, output)
    if not shown.wanted:
        return render(map(row_of, result.hits()), columns, output)
    check_pages(result.library, shown)
    hits = list(result.hits())
    printed = len(hits) if shown.takes_stdout else render(map(row_of, hits), columns, output)
    show_pictures(result.library, hits, shown, title, by_date=result.is_by_date)
    return printed


def _columns(result: SearchResult, output: Output) -> Sequence[Column]:
    """Return the columns: a table has times as people read them, and the scores, where there are some, in front."""
    from photoindex.cli.output.render import Form

    if output.form is not Form.TABLE:
        return COLUMNS
    columns = [Column("taken", column.heading) if column.name == "taken_at" else column for column in COLUMNS]
    if result.answer is None:
        return columns
    relevance = Column("relevance", "Relevance", justify="right")
    rest = [column for column in columns if column.name != relevance.name]
    return (rest[0], relevance, *rest[1:])


def _rows(output: Output) -> Callable[[Hit], Row]:
    """Return what makes the row of a hit; a table has the time as people read it, too."""
    from photoindex.cli.output.render import Form
    from photoindex.library.photos.time_text import shown
    from photoindex.library.timestamps import utc

    is_table = output.form is Form.TABLE

    def row(hit: Hit) -> Row:
        known = hit._asdict()
        known["size"] = known.pop("size_bytes")
        known["added_at"] = utc(hit.added_at)
        known["taken_at_utc"] = utc(hit.taken_at_utc)
        if is_table:
            known["taken"] = shown(hit.taken_at, hit.taken_at_precision, hit.taken_at_source)
        return known

    return row


def _size(size_bytes: object) -> str:
    return size_text(size_bytes) if isinstance(size_bytes, int) else ""


COLUMNS: tuple[Column, ...] = (
    Column("id", "ID", justify="right", style="cyan"),
    Column("taken_at", "Taken"),
    Column("format", "Type", spare=2),
    Column("size", "Size", justify="right", spare=3, show=_size),
    Column("camera", "Camera", spare=1),
    Column("path", "Path", plain=True, wide=True),
    *(
        Column(name)
        for name in (
            "name", "state", "files", "kind", "width", "height", "duration_seconds", "taken_at_source",
            "taken_at_confidence", "taken_at_precision", "taken_at_utc", "utc_offset_minutes", "zone",
            "latitude", "longitude", "altitude_m", "place", "camera_make", "camera_model", "lens", "iso", "aperture",
            "exposure_seconds", "focal_length_mm", "rating", "title", "description", "keywords", "digest", "added_at",
            "relevance", "score_rank", "words_rank", "fused",
        )
    ),
)  # fmt: skip
"""What is known of a hit: all columns in JSON, CSV and templates, those with a heading in the table.

relevance: 0 to 100, never higher than that of the photo before it. score_rank, words_rank: its rank among the photos that reach the cut-off,
and among those whose texts have all words. fused: the sum of weight / (60 + rank) over the list of meaning and those of words,
which relevance sorts by; --explain shows the weights. All are None where nothing was searched by meaning. The cosines, which
may be negative and differ from model to model, are shown by --explain alone.
"""
