"""What a region of interest is, in units of the feature's radius.

A region is a small immutable definition; ground, polygons and pixels are derived from it
elsewhere. Adding one to a database therefore costs nothing, whatever the number of features.
"""

from craterkit.regions.annuli import Annulus
from craterkit.regions.chosen import ChosenPixels
from craterkit.regions.definitions import Outline, Region, RoundRegion
from craterkit.regions.ellipses import Ellipse
from craterkit.regions.named import Regions, as_attribute
from craterkit.regions.polygons import Polygons
from craterkit.regions.sectors import Sector

__all__ = [
    "Annulus",
    "ChosenPixels",
    "Ellipse",
    "Outline",
    "Polygons",
    "Region",
    "Regions",
    "RoundRegion",
    "Sector",
    "as_attribute",
]
