"""Renders statistics as one page for a browser, or as one SVG picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from importlib.resources import files

from photoindex.library.export.output_files import PICTURE_MARK
from photoindex.library.export.pages import rendered
from photoindex.library.export.photo_cards import one_line
from photoindex.library.statistics.charts import WIDTH, Chart, Mark, bars, columns
from photoindex.library.statistics.count import WEEKDAYS, Bar, Group, Order, Statistics

_PACKAGE = "photoindex.library.statistics"
SHOWN = 12
"""Bars of a chart, where nothing else is asked for; an axis of time has more."""
_YEARS_MOST, _MONTHS_MOST = 100, 480
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
           "December")  # fmt: skip
_MARGIN, _TITLE, _GAP = 24, 26, 34
_ABOVE = 70
"""Height of the title of a picture."""


@dataclass(frozen=True, slots=True)
class Plot:
    """One chart with its title, the numbers that it shows, and what it leaves out."""

    title: str
    chart: Chart
    bars: Sequence[Bar]
    note: str


def statistics_page(
    found: Statistics, title: str, *, limit: int | None = None, made_at: datetime | None = None
) -> Iterator[bytes]:
    """Yield a page as UTF-8 HTML in chunks; it loads nothing and has no script.

    title: the query. limit: the most values of a chart. made_at: local time, default now.
    """
    return rendered(
        _PACKAGE,
        "page.html.j2",
        {"one_line": one_line},
        title=one_line(title) or "All photos",
        counted=_counted(found),
        plots=_plots(found, limit),
        width=WIDTH,
        chart_style=_style("charts.css"),
        made_at=made_at or datetime.now().astimezone(),
    )


def statistics_picture(found: Statistics, title: str, *, limit: int | None = None) -> bytes:
    """Return an SVG picture of the charts, two beside each other, as UTF-8."""
    plots = _plots(found, limit)
    heights = [_ABOVE, _ABOVE]
    parts = []
    for plot in plots:
        column = heights.index(min(heights))
        x, y = _MARGIN + column * (WIDTH + _GAP), heights[column]
        note = f'<text x="0" y="{_TITLE + plot.chart.height + 14}">{escape(plot.note)}</text>' if plot.note else ""
        parts.append(
            f'<g transform="translate({x} {y})"><text class="heading" x="0" y="14">{escape(plot.title)}</text>'
            f'<g transform="translate(0 {_TITLE})">{plot.chart.body}</g>{note}</g>'
        )
        heights[column] += _TITLE + plot.chart.height + (16 if plot.note else 0) + _GAP
    width = 2 * _MARGIN + WIDTH + (WIDTH + _GAP if len(plots) > 1 else 0)
    height = max(heights)
    style = _style("charts.css") + _style("picture.css")
    shown = one_line(title) or "All photos"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
        f"<!-- {PICTURE_MARK} -->"
        f'<style>{style}</style><rect class="ground" width="{width}" height="{height}"/>'
        f'<text class="title" x="{_MARGIN}" y="34">{escape(shown)}</text>'
        f'<text x="{_MARGIN}" y="52">{_counted(found)}</text>{"".join(parts)}</svg>\n'
    ).encode()


def _style(name: str) -> str:
    return files(_PACKAGE).joinpath(name).read_text("utf-8")


def _plots(found: Statistics, limit: int | None) -> list[Plot]:
    """Return a chart of each group with values."""
    return [_plot(group, limit) for group in found.groups if group.bars]


def _plot(group: Group, limit: int | None) -> Plot:
    name = group.dimension.name
    on_axis = _AXES.get(name)
    if on_axis is None:
        shown = group.shortened(limit or SHOWN)
        return Plot(
            group.dimension.title, bars([Mark(bar.label, bar.photos) for bar in shown.bars]), shown.bars, _note(shown)
        )
    shown = group.shortened(limit) if limit else group
    if group.dimension.order is Order.TIME:
        shown = _recent(shown, {"year": _YEARS_MOST, "month": _MONTHS_MOST}[name])
    return Plot(group.dimension.title, columns(on_axis(shown.bars)), shown.bars, _note(shown))


def _recent(group: Group, most: int) -> Group:
    """Return the group without times so early that the axis would have more than `most` columns: a wrong clock says 1970."""
    last = _place(group.bars[-1])
    kept = sum(1 for bar in group.bars if last - _place(bar) < most)
    return group.shortened(kept)


def _place(bar: Bar) -> int:
    """Return a year, or a month as a number, counted from the year 0."""
    year, _, month = str(bar.value).partition("-")
    return int(year) * 12 + int(month) - 1 if month else int(year)


def _of_years(shown: Sequence[Bar]) -> list[Mark]:
    photos = {_place(bar): bar.photos for bar in shown}
    return [Mark(str(year), photos.get(year, 0), str(year)) for year in range(min(photos), max(photos) + 1)]


def _of_months(shown: Sequence[Bar]) -> list[Mark]:
    photos = {_place(bar): bar.photos for bar in shown}
    within = range(min(photos), max(photos) + 1)
    few = len(within) <= 24
    return [
        Mark(
            f"{_MONTHS[month % 12]} {month // 12}",
            photos.get(month, 0),
            f"{month // 12}-{month % 12 + 1:02}" if few else str(month // 12) if month % 12 == 0 else "",
        )
        for month in within
    ]


def _of_hours(shown: Sequence[Bar]) -> list[Mark]:
    photos = {bar.value: bar.photos for bar in shown}
    return [
        Mark(f"{hour:02}:00 to {hour:02}:59", photos.get(hour, 0), str(hour) if hour % 3 == 0 else "")
        for hour in range(24)
    ]


def _of_weekdays(shown: Sequence[Bar]) -> list[Mark]:
    photos = {bar.value: bar.photos for bar in shown}
    return [Mark(day, photos.get(number, 0), day[:3]) for number, day in enumerate(WEEKDAYS, 1)]


_AXES: Mapping[str, Callable[[Sequence[Bar]], list[Mark]]] = {
    "year": _of_years,
    "month": _of_months,
    "hour": _of_hours,
    "weekday": _of_weekdays,
}
"""Groups that are plotted as columns along an axis, where what is between two values is shown too."""


def _note(group: Group) -> str:
    parts = []
    if group.others:
        what = "earlier" if group.dimension.order is Order.TIME else "others"
        parts.append(f"{group.other_values:,} {what} with {_photos(group.others)}")
    if group.unknown:
        parts.append(f"unknown for {_photos(group.unknown)}")
    return "; ".join(parts)


def _counted(found: Statistics) -> str:
    return f"{_photos(found.photos)}{found.without_time}"


def _photos(number: int) -> str:
    return "1 photo" if number == 1 else f"{number:,} photos"
