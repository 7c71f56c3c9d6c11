"""Published tables of craters, known by the names of their columns."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CATALOGUES", "Catalogue"]


@dataclass(frozen=True)
class Catalogue:
    """A published table: what proves that it is the one (any will do), and its columns.

    Hints tell as much where nothing else says the unit.
    """

    title: str
    evidence: tuple[str, ...]
    lat: str
    lon: str
    size: str  # the diameter
    # Axes of an ellipse, in kilometres too, and its angle; only taken when asked for.
    major: str = ""
    minor: str = ""
    angle: str = ""
    hints: tuple[str, ...] = ()

    def recognises(self, keys: set[str], *, by_hints: bool) -> bool:
        """Whether the names of a table's columns tell that it is this one."""
        proofs = (*self.evidence, *self.hints) if by_hints else self.evidence
        return any(keys.issuperset(proof.split()) for proof in proofs)


# A shapefile cuts names after ten characters: hence LAT_CIRC_I with DIAM_CIRC_, and so on.
CATALOGUES = (
    Catalogue(
        "the lunar catalogue of Robbins (2018)",
        ("lat_circ_img", "lon_circ_img", "diam_circ_img", "lat_circ_i diam_circ"),
        "lat_circ_img lat_circ_i",
        "lon_circ_img lon_circ_i",
        "diam_circ_img diam_circ",
        "diam_elli_major_img",
        "diam_elli_minor_img",
        "diam_elli_angle_img",
    ),
    Catalogue(
        "the Mars catalogue of Robbins and Hynek (2012)",
        ("latitude_circle_image", "diam_circle_image", "latitude_c diam_circl"),
        "latitude_circle_image latitude_c",
        "longitude_circle_image longitude",
        "diam_circle_image diam_circl",
        "diam_ellipse_major_image",
        "diam_ellipse_minor_image",
        "diam_ellipse_angle_image",
    ),
    Catalogue(
        "the IAU gazetteer",
        tuple(
            f"{center} {name}"
            for center in ("center_latitude", "center_lat")
            for name in ("feature_name", "clean_feature_name", "clean_name", "feature_id target")
        ),
        "center_latitude center_lat",
        "center_longitude center_lon",
        "diameter",
        hints=("center_latitude center_longitude diameter", "center_lat center_lon diameter"),
    ),
)
