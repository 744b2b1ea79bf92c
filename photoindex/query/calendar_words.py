"""The words for dates in English, German, French and Spanish, folded: in lower case and without accents."""

from __future__ import annotations

from collections.abc import Mapping

from photoindex.text import fold


def _numbered(*lists: str) -> Mapping[str, int]:
    """Return each name of several lists, one for each language, with its place from 1; spellings are separated by `/`."""
    return {
        fold(spelling): number
        for names in lists
        for number, name in enumerate(names.split(), 1)
        for spelling in name.split("/")
    }


def _numbered_by_ten(*lists: str) -> Mapping[str, int]:
    return {name: number * 10 for name, number in _numbered(*lists).items() if name != "-"}


def _words(text: str) -> frozenset[str]:
    return frozenset(map(fold, text.split()))


MONTHS = _numbered(
    "january/jan february/feb march april/apr may june/jun july/jul august/aug september/sept/sep october/oct november/nov "
    "december/dec",
    "januar/jänner februar märz/maerz april mai juni juli august september oktober/okt november dezember/dez",
    "janvier/janv février/févr mars avril/avr mai juin juillet/juil août septembre octobre novembre décembre/déc",
    "enero/ene febrero marzo abril/abr mayo junio julio agosto septiembre/setiembre octubre noviembre diciembre/dic",
)
WEEKDAYS = _numbered(
    "monday/mondays tuesday/tuesdays wednesday/wednesdays thursday/thursdays friday/fridays saturday/saturdays sunday/sundays",
    "montag/montags dienstag/dienstags mittwoch/mittwochs donnerstag/donnerstags freitag/freitags "
    "samstag/samstags/sonnabend/sonnabends sonntag/sonntags",
    "lundi/lundis mardi/mardis mercredi/mercredis jeudi/jeudis vendredi/vendredis samedi/samedis dimanche/dimanches",
    "lunes martes miércoles jueves viernes sábado/sábados domingo/domingos",
    "mon tue wed thu fri sat sun",
)
SEASONS = _numbered(
    "spring/springtime summer/summertime autumn/fall winter/wintertime",
    "frühling/frühjahr/fruehling/fruehjahr sommer herbst winter",
    "printemps été automne hiver",
    "primavera verano otoño invierno",
)
"""1 is spring."""
# As `read_said` compares them: without articles and words such as of.
FEASTS: Mapping[str, str] = {
    fold(name): feast
    for feast, names in {
        "christmas": "christmas|xmas|weihnachten|weihnacht|noël|navidad|navidades",
        "christmas eve": "christmas eve|heiligabend|heilig abend|réveillon noël|nochebuena",
        "new year": "new year|new years|new year's|nouvel an",
        "new year's day": "new year's day|new years day|neujahr|neujahrstag|jour an|año nuevo",
        "new year's eve": "new year's eve|new years eve|silvester|sylvester|saint-sylvestre|saint sylvestre|nochevieja",
        "easter": "easter|ostern|pâques|pascua",
        "holy week": "semana santa|karwoche|semaine sainte|holy week",
        "halloween": "halloween",
        "valentine's day": "valentine's day|valentines day|valentinstag|saint-valentin|saint valentin|san valentín",
    }.items()
    for name in names.split("|")
}
FIXED_FEASTS = {
    "christmas": ("12-24", "12-26"),
    "christmas eve": ("12-24", "12-24"),
    "new year": ("12-31", "01-01"),
    "new year's day": ("01-01", "01-01"),
    "new year's eve": ("12-31", "12-31"),
    "halloween": ("10-31", "10-31"),
    "valentine's day": ("02-14", "02-14"),
}
"""Feast -> first and last day, MM-DD; the last may be in the next year. Easter and Holy Week have no fixed days."""
MOVABLE_FEASTS = {"easter": (-2, 1), "holy week": (-7, 0)}
"""Feast -> first and last day, in days from Easter Sunday."""
UNITS = {
    fold(word): unit
    for unit, words in {
        "day": "day days tag tage tagen jour jours día días",
        "week": "week weeks woche wochen semaine semaines semana semanas",
        "weekend": "weekend weekends wochenende wochenenden week-end finde fin-de-semana",
        "month": "month months monat monate monaten mois mes meses",
        "year": "year years jahr jahre jahren an ans année années año años",
    }.items()
    for word in words.split()
}
LAST = _words(
    "last past previous último última pasado pasada letzte letzten letzter letztes letztem vorige vorigen voriges vergangene vergangenen vergangenes"
)
LAST_AFTER = _words("dernier dernière derniers dernières passé passée passés pasado pasada pasados pasadas")
"""Words for last that French and Spanish put behind the noun."""
LAST_BEFORE_NUMBER = LAST | _words("derniers dernières últimos últimas")
THIS = _words("this diese dieser dieses diesen diesem ce cet cette este esta")
TODAY = _words("today heute aujourd'hui hoy")
YESTERDAY = _words("yesterday gestern hier ayer")
ARTICLES = _words("the der die das den dem des le la les l' los las el un une ein eine einem einen")
OF = _words("of de del d' du von vom des")
TO = _words("to until till through bis à hasta")
AND_TO = TO | _words("and und et y a al au")
FROM = _words("from between von vom zwischen de del entre desde du")
BEFORE_YESTERDAY = (
    ("day", "before", "yesterday"),
    ("vorgestern",),
    ("avant-hier",),
    ("anteayer",),
    ("antes", "de", "ayer"),
)
DECADES = _numbered_by_ten(
    "- - - - fifties sixties seventies eighties nineties",
    "- - - - fünfziger/fünfzigern sechziger/sechzigern siebziger/siebzigern achtziger/achtzigern neunziger/neunzigern",
    "- - - - cinquante soixante soixante-dix quatre-vingt/quatre-vingts quatre-vingt-dix",
    "- - - - cincuenta sesenta setenta ochenta noventa",
)
UNTIL = _words("until till bis jusque jusqu'en jusqu'à jusqu'au hasta")
FIRST = _words("first erste erster ersten premier primero")
SINCE = _words("since seit depuis desde")
BEFORE = _words("before vor avant antes")
AFTER = _words("after nach après después")
NUMBERS = _numbered(
    "one/a/an two three four five six seven eight nine ten",
    "ein/eine/einem/einer/einen zwei drei vier fünf sechs sieben acht neun zehn",
    "un/une deux trois quatre cinq six sept huit neuf dix",
    "un/una/uno dos tres cuatro cinco seis siete ocho nueve diez",
)
