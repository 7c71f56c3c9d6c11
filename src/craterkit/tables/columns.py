"""Which column is the latitude, the longitude and the size, and in which unit.

Pure functions on lists of names: no table is read and no value looked at. A name is split into
words, and every word must be known before a column is taken: ``latitude_err``, ``plateau`` and
``long_name`` are nothing. Names are ranked in tiers, and the best tier that holds any candidate
decides:

1. columns of a known catalogue (Robbins 2018, Robbins and Hynek 2012, the IAU gazetteer);
2. the plain words: ``latitude``, ``lat``, ``longitude``, ``lon``, ``long``, ``lng``, ``radius``,
   ``rad``, ``diameter``, ``diam``, with or without a unit;
3. these words with a qualifier: ``center_lat``, ``Lon_E``, ``crater_diameter_km``;
4. the bare letters ``d`` and ``r``, with or without a unit, since ``d`` may well be a depth.

Two candidates in that tier are an error that says which argument decides.
"""

import difflib
import re
import unicodedata
from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from craterkit.errors import ColumnError
from craterkit.tables.catalogues import CATALOGUES

__all__ = ["AxisColumn", "ColumnRoles", "EllipseColumns", "recognise_columns"]

LengthUnit: TypeAlias = Literal["m", "km"]
LatitudeType: TypeAlias = Literal["planetocentric", "planetographic"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_LENGTHS: dict[str, LengthUnit] = {
    **dict.fromkeys(_words("m meter meters metre metres"), "m"),
    **dict.fromkeys(_words("km kilometer kilometers kilometre kilometres"), "km"),
}
_ANGLES = _words("deg degs degree degrees dd decimal")
_FOREIGN = _words(
    "mile miles mi nmi ft foot feet yd yard yards inch inches cm mm au px pix pixel pixels "
    "radian radians arcmin arcsec dms"
)
_UNITS = frozenset(_LENGTHS) | _ANGLES | _FOREIGN
_STATISTICS = _words("sd std stdev err error errors sigma unc uncertainty rms se min max pct")

_DIAMETERS = _words("diameter diam")
_WEST, _EAST = _words("w west"), _words("e east")
_LATITUDE_TYPES: dict[str, LatitudeType] = {
    **dict.fromkeys(_words("planetocentric ocentric areocentric"), "planetocentric"),
    **dict.fromkeys(_words("planetographic ographic areographic"), "planetographic"),
}
_THINGS = _words("crater feature basin boulder dome pit mean")
_PLACES = _words("center centre centroid") | _THINGS
_POSITION_WORDS = frozenset(_LATITUDE_TYPES) | _PLACES | _words("pos positive 0 90 180 360 to")

_CATALOGUED, _PLAIN, _COMPOUND, _LETTER = range(4)  # the tiers


@dataclass(frozen=True)
class ColumnRoles:
    """Which columns hold the position and the size of a feature, and what they mean.

    Attributes
    ----------
    lat, lon : hashable or None
        The columns of the latitude and longitude; None if the geometry gives the position.
    size : hashable or None
        The column of the radius or the diameter; None if outlines give the size.
    is_diameter : bool
        Whether `size` is a diameter.
    unit : {"m", "km"}
        The unit of `size`.
    unit_is_assumed : bool
        Whether nothing names that unit.
    longitude_sign : {1, -1}
        -1 if the name of the longitude says that it counts to the west.
    direction_is_named : bool
        Whether that name says in which direction it counts.
    latitude_type : {None, "planetocentric", "planetographic"}
        The kind of latitude, if a name says so.
    """

    lat: Hashable | None
    lon: Hashable | None
    size: Hashable | None
    is_diameter: bool
    unit: LengthUnit = "m"
    unit_is_assumed: bool = False
    longitude_sign: Literal[1, -1] = 1
    direction_is_named: bool = False
    latitude_type: LatitudeType | None = None

    @property
    def metres_per_unit(self) -> float:
        """Metres in one unit of the size."""
        return 1000.0 if self.unit == "km" else 1.0


@dataclass(frozen=True)
class AxisColumn:
    """What a column of axes of ellipses holds."""

    label: Hashable
    is_full: bool  # from end to end, not from the centre
    metres_per_unit: float | None  # None: it is in feature radii
    unit_is_assumed: bool = False


@dataclass(frozen=True, eq=False)
class _Role:
    """What a column may be wanted for: the words that name it and those it may stand with."""

    key: Literal["lat", "lon", "size"]
    what: str
    parameter: str
    cores: frozenset[str]
    others: frozenset[str]


_LAT = _Role(
    "lat", "latitude", "lat_col", _words("latitude lat"), _POSITION_WORDS | _words("n north")
)
_LON = _Role(
    "lon", "longitude", "lon_col", _words("longitude lon long lng"), _POSITION_WORDS | _WEST | _EAST
)
_SIZE_CORES = _DIAMETERS | _words("radius rad")
_SIZE = _Role(
    "size", "radius or diameter", "rad_col= or diam_col", _SIZE_CORES, _THINGS | _words("rim")
)


@dataclass(frozen=True)
class _Name:
    """The words of one column's name."""

    key: str = ""  # all words joined by "_", as catalogues have them
    words: tuple[str, ...] = ()  # outside brackets, without trailing units
    bracketed: tuple[str, ...] = ()  # inside brackets, without units
    units: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Candidate:
    """A column that may play a role."""

    label: Hashable
    tier: int = _PLAIN
    problem: str = ""  # why it cannot be used, if so
    unit: LengthUnit | None = None  # of a size, where something states it
    source: str = ""  # what states it
    is_diameter: bool = False
    sign: Literal[1, -1] | None = None
    latitude_type: LatitudeType | None = None


class _MissingColumnError(ColumnError):
    """A column that is not there, so that a list of those that are helps."""


class _Table:
    """The names of a table's columns, and the catalogue that they tell."""

    def __init__(self, labels: Sequence[Hashable], units: LengthUnit | None) -> None:
        self.labels = list(labels)
        self.units = units
        self.names = {label: _read_name(label, self.labels) for label in self.labels}
        keys = {name.key for name in self.names.values()}
        self.catalogue = next(
            (c for c in CATALOGUES if c.recognises(keys, by_hints=units is None)), None
        )

    def judge(self, label: Hashable, role: _Role) -> _Candidate | None:
        """Tell whether and how well a column suits a role."""
        name = self.names[label]
        if self.catalogue and name.key in _words(getattr(self.catalogue, role.key)):
            if role is _SIZE:
                return self.size(label, _CATALOGUED, is_diameter=True)
            return _Candidate(label, _CATALOGUED)
        return (
            self._judge_size(label, name) if role is _SIZE else _judge_position(label, name, role)
        )

    def _judge_size(self, label: Hashable, name: _Name) -> _Candidate | None:
        strange = set(name.bracketed) - _SIZE.others
        if strange and (name.units or strange & _STATISTICS):
            return None  # "Diameter (log km)", "Diameter (sd)"
        if name.words in {("d",), ("r",)}:
            return self.size(label, _LETTER, is_diameter=name.words == ("d",))
        cores = [word for word in name.words if word in _SIZE.cores]
        rest = [word for word in name.words if word not in _SIZE.cores]
        if len(cores) != 1 or not set(rest) <= _SIZE.others:
            return None
        tier = _COMPOUND if rest else _PLAIN
        return self.size(label, tier, is_diameter=cores[0] in _DIAMETERS)

    def size(self, label: Hashable, tier: int, *, is_diameter: bool) -> _Candidate:
        """Take a column as the size and read its unit."""
        name = self.names[label]
        known = self.catalogue
        if known and name.key in _words(f"{known.size} {known.major} {known.minor}"):
            return _Candidate(label, tier, "", "km", known.title, is_diameter)
        lengths = {_LENGTHS[unit] for unit in name.units if unit in _LENGTHS}
        foreign = sorted(name.units - _LENGTHS.keys())
        strange = [w for w in name.bracketed if w not in _SIZE.others | _STATISTICS]
        problem = ""
        if foreign:
            problem = f"is in {' '.join(foreign)}, which is neither m nor km; convert it"
        elif len(lengths) > 1:
            problem = "states two units, m and km; rename it"
        elif strange and not lengths and self.units is None:
            problem = f"has no known unit in its brackets ({' '.join(strange)}); pass units="
        unit = lengths.pop() if len(lengths) == 1 else None
        return _Candidate(label, tier, problem, unit, "its name", is_diameter)

    def choose(self, role: _Role, taken: Collection[Hashable]) -> _Candidate:
        """Take the one best column for a role, or say why there is none."""
        free = (label for label in self.names if label not in taken)
        candidates = [c for label in free if (c := self.judge(label, role))]
        if not candidates:
            raise _MissingColumnError(f"no column is the {role.what}; pass {role.parameter}=")
        usable = [c for c in candidates if not c.problem]
        if len(usable) < len(candidates) and (role is _SIZE or not usable):
            # "Diameter (px)" steps back for "Diameter (km)", but not for a bare "Radius".
            usable = [c for c in usable if c.unit] or candidates
        tier = min(c.tier for c in usable)
        best = [c for c in usable if c.tier == tier]
        if len(best) > 1:
            names = _list(c.label for c in best)
            raise ColumnError(
                f"ambiguous: {names} may each be the {role.what}; pass {role.parameter}="
            )
        self.check(best[0].label, role.parameter)
        return best[0]

    def take(self, label: Hashable, role: _Role, *, is_diameter: bool) -> _Candidate:
        """Take the column that the user names."""
        if role is _SIZE:
            self.check(label, "diam_col" if is_diameter else "rad_col")
            return self.size(label, _PLAIN, is_diameter=is_diameter)
        self.check(label, role.parameter)
        return self.judge(label, role) or _Candidate(label)

    def accept(self, candidate: _Candidate) -> _Candidate:
        """Refuse a column with a problem, or one in another unit than the user says."""
        if candidate.problem:
            raise ColumnError(f"column {candidate.label!r} {candidate.problem}")
        if candidate.unit and self.units and candidate.unit != self.units:
            raise ColumnError(
                f"units={self.units!r} contradicts column {candidate.label!r}, which is in "
                f"{candidate.unit} according to {candidate.source}; drop units=, or rename the "
                "column if it is wrong"
            )
        return candidate

    def check(self, label: Hashable, parameter: str) -> None:
        """Demand that a column exists, and once."""
        count = sum(bool(other == label) for other in self.labels)
        if count > 1:
            raise ColumnError(f"{count} columns are named {label!r}; rename all but one of them")
        if count == 0:
            by_text = {str(other).casefold(): other for other in self.labels}
            close = difflib.get_close_matches(str(label).casefold(), list(by_text), n=3)
            hint = f"; did you mean {_list(by_text[text] for text in close)}?" if close else ""
            raise _MissingColumnError(f"{parameter}={label!r} is not a column{hint}")


def _read_name(label: Hashable, labels: Collection[Hashable]) -> _Name:
    if not isinstance(label, str):
        return _Name()
    text = unicodedata.normalize("NFKC", re.sub("[°º˚]", " deg ", label)).strip()
    repeated = re.fullmatch(r"(.+)\.\d+", text)
    if repeated and repeated[1] in labels:
        text = repeated[1]  # pandas reads a second column "lat" of a file as "lat.1"
    brackets = r"[(\[{<](.*?)[)\]}>]"
    inside = [word for group in re.findall(brackets, text) for word in _split(group)]
    words = _split(re.sub(brackets, " ", text))
    units = {word for word in inside if word in _UNITS}
    while len(words) > 1 and words[-1] in _UNITS:
        units.add(words.pop())
    if len(words) > 1 and words[-1] == "in":  # "diameter in km"; but "diameter_in" is in inches
        words.pop()
        units = units or {"inches"}
    bracketed = tuple(word for word in inside if word not in _UNITS)
    return _Name("_".join(_split(text)), tuple(words), bracketed, frozenset(units))


def _split(text: str) -> list[str]:
    text = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", text)
    return [word.casefold() for word in re.findall(r"[^\W\d_]+|\d+", text)]


def _judge_position(label: Hashable, name: _Name, role: _Role) -> _Candidate | None:
    words = [word for word in (*name.words, *name.bracketed) if word not in _ANGLES]
    found = [i for i, word in enumerate(words) if word in role.cores]
    if len(found) != 1 or not _LENGTHS.keys().isdisjoint(name.units):
        return None
    before, core, after = words[: found[0]], words[found[0]], words[found[0] + 1 :]
    if core == "long" and not _PLACES.isdisjoint(after):
        return None  # as in "long crater", though "crater_long" is a longitude
    rest = {*before, *after}
    foreign = sorted(name.units & _FOREIGN) or [word for word in ("rad",) if word in rest]
    rest.discard("rad")
    if not rest <= role.others:
        return None
    return _Candidate(
        label,
        tier=_COMPOUND if rest else _PLAIN,
        problem=f"is in {' '.join(foreign)}, not in degrees; convert it" if foreign else "",
        sign=None if bool(rest & _WEST) == bool(rest & _EAST) else -1 if rest & _WEST else 1,
        latitude_type=next((_LATITUDE_TYPES[w] for w in words if w in _LATITUDE_TYPES), None),
    )


def _list(labels: Iterable[Hashable], limit: int = 50) -> str:
    shown = [repr(label) for label in labels]
    more = f" and {len(shown) - limit} more" if len(shown) > limit else ""
    return (", ".join(shown[:limit]) or "none") + more


def _read_units(units: object, others: str = "") -> LengthUnit | None:
    unit = _LENGTHS.get(units.strip().casefold()) if isinstance(units, str) else None
    if units is not None and unit is None:
        known = f'"m", "km", "meters", "kilometers"{others} or None'
        raise ColumnError(f"units must be {known}, not {units!r}")
    return unit


def recognise_columns(
    columns: Sequence[Hashable],
    *,
    lat_col: Hashable | None = None,
    lon_col: Hashable | None = None,
    rad_col: Hashable | None = None,
    diam_col: Hashable | None = None,
    units: str | None = None,
    has_points: bool = False,
    has_outlines: bool = False,
) -> ColumnRoles:
    """Find the columns of position and size, and the unit of the size.

    Parameters
    ----------
    columns : sequence of hashable
        The labels of the table's columns.
    lat_col, lon_col, rad_col, diam_col : hashable, optional
        Columns that are known; their names still tell the unit and the direction of longitude.
    units : {None, "m", "km"} or a spelled-out name, optional
        The unit of the size. None takes the unit that the column's name or a known catalogue
        gives, else metres.
    has_points : bool, default False
        Whether the table has a geometry of points, which then gives the position unless
        `lat_col` and `lon_col` are given.
    has_outlines : bool, default False
        Whether the table has a geometry of polygons, which gives what no column does.

    Returns
    -------
    ColumnRoles
        The columns and what they mean.

    Raises
    ------
    ColumnError
        If a column is missing, ambiguous, doubled, in an unknown unit or contradicts `units`.

    Examples
    --------
    >>> roles = recognise_columns(["latitude_err", "Latitude", "Longitude", "Diameter (km)"])
    >>> roles.lat, roles.lon, roles.size, roles.is_diameter, roles.unit
    ('Latitude', 'Longitude', 'Diameter (km)', True, 'km')
    >>> recognise_columns(["lat", "lon_W", "radius"]).longitude_sign
    -1
    >>> recognise_columns(["lat", "lon_E", "lon_W", "radius"])
    Traceback (most recent call last):
    craterkit.errors.ColumnError: ambiguous: 'lon_E', 'lon_W' may each be the longitude;
        pass lon_col=
    """
    table = _Table(columns, _read_units(units))
    given = [label for label in (lat_col, lon_col, rad_col, diam_col) if label is not None]
    if rad_col is not None and diam_col is not None:
        raise ColumnError(f"rad_col={rad_col!r} and diam_col={diam_col!r} are both given; pass one")
    if len(set(given)) < len(given):
        raise ColumnError(f"a column is given for two roles: {_list(given)}")
    wanted = {_LAT: lat_col, _LON: lon_col, _SIZE: diam_col if rad_col is None else rad_col}
    if has_points and lat_col is None and lon_col is None:
        del wanted[_LAT], wanted[_LON]
    elif has_points and (lat_col is None or lon_col is None):
        raise ColumnError("pass both lat_col= and lon_col=, or neither to use the geometry")

    chosen: dict[_Role, _Candidate] = {}
    troubles: list[ColumnError] = []
    for role, label in wanted.items():
        try:
            if label is None:
                candidate = table.choose(role, given)
            else:
                candidate = table.take(label, role, is_diameter=rad_col is None)
            chosen[role] = table.accept(candidate)
        except ColumnError as error:
            if not (has_outlines and label is None and isinstance(error, _MissingColumnError)):
                troubles.append(error)
    if troubles:
        missing = any(isinstance(trouble, _MissingColumnError) for trouble in troubles)
        seen = [f"the columns are {_list(table.labels)}"] if missing else []
        raise ColumnError("; ".join([*map(str, troubles), *seen]))
    lat, lon, size = chosen.get(_LAT), chosen.get(_LON), chosen.get(_SIZE)
    if lat is None or lon is None:
        lat = lon = None
    unit = size.unit or table.units if size else None
    return ColumnRoles(
        lat=lat.label if lat else None,
        lon=lon.label if lon else None,
        size=size.label if size else None,
        is_diameter=size.is_diameter if size else False,
        unit=unit or "m",
        unit_is_assumed=size is not None and unit is None,
        longitude_sign=(lon and lon.sign) or 1,
        direction_is_named=lon is not None and lon.sign is not None,
        latitude_type=lat.latitude_type if lat else None,
    )


class EllipseColumns:
    """What a table's columns say about ellipses.

    Parameters
    ----------
    columns : sequence of hashable
        The labels of the table's columns.
    units : {None, "m", "km", "radii"} or a spelled-out name, optional
        The unit of axes. None takes the unit that a column's name or a known catalogue gives, else
        metres.

    Raises
    ------
    ColumnError
        If the unit is unknown.
    """

    def __init__(self, columns: Sequence[Hashable], units: str | None = None) -> None:
        self._in_radii = units == "radii"
        self._table = _Table(columns, None if self._in_radii else _read_units(units, ', "radii"'))

    @property
    def metres_per_unit(self) -> float | None:
        """Metres in the unit that was given (None: it is the feature's radius)."""
        if self._in_radii:
            return None
        return 1000.0 if self._table.units == "km" else 1.0

    def known(self) -> tuple[Hashable, Hashable, Hashable]:
        """Columns of the major axis, the minor axis and the angle in a known catalogue."""
        catalogue, names = self._table.catalogue, self._table.names
        if catalogue and catalogue.major:
            wanted = (catalogue.major, catalogue.minor, catalogue.angle)
            found = [[label for label, name in names.items() if name.key == key] for key in wanted]
            if all(len(labels) == 1 for labels in found):
                return found[0][0], found[1][0], found[2][0]
        raise ColumnError(
            "no known catalogue's columns of ellipses are in the table; pass major=, minor= and "
            f"azimuth=; the columns are {_list(self._table.labels)}"
        )

    def axis(self, label: Hashable, parameter: str) -> AxisColumn:
        """What a column of axes holds: full axes, unless its name says "semi" or "radius"."""
        self._table.check(label, parameter)
        name = self._table.names[label]
        words = {*name.words, *name.bracketed}
        is_half = any(word.startswith("semi") or word in ("radius", "rad") for word in words)
        column = self._table.accept(self._table.size(label, _PLAIN, is_diameter=not is_half))
        if self._in_radii:
            if column.unit:
                raise ColumnError(
                    f"units='radii' contradicts column {label!r}, which is in {column.unit} "
                    f"according to {column.source}; drop units=, or rename the column if it is wrong"
                )
            return AxisColumn(label, not is_half, None)
        metres = {"m": 1.0, "km": 1000.0}[column.unit] if column.unit else self.metres_per_unit
        return AxisColumn(label, not is_half, metres, not (column.unit or self._table.units))

    def counts_from_east(self, label: Hashable, parameter: str) -> bool:
        """Whether a column of directions counts anticlockwise from east, as known catalogues do."""
        self._table.check(label, parameter)
        name, catalogue = self._table.names[label], self._table.catalogue
        foreign = sorted(name.units & _FOREIGN)
        if foreign:
            raise ColumnError(
                f"column {label!r} is in {' '.join(foreign)}, not in degrees; convert it"
            )
        return catalogue is not None and name.key == catalogue.angle
