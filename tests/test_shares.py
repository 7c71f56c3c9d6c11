"""Covered shares of pixels, against shapely on ellipses and a fine sum on the sphere."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from craterkit.bodies import Body
from craterkit.coordinates import CoordinateSystem
from craterkit.footprints.coverage import CoverageSums
from craterkit.footprints.ellipse_pieces import EllipsePieces
from craterkit.footprints.parallels import ParallelAnnuli
from craterkit.footprints.rules import Rules
from craterkit.footprints.spans import Spans
from craterkit.grids.cylindrical import CylindricalGrid
from craterkit.tables.features import Features
from fields import MOON, lonlat_transform

SIDE = 30

INSIDE = st.floats(0.0, 1.0)


def shares_of_ellipse(x, y, stretch, radius):
    """Covered shares of a square of pixels, from pieces of every row that the ellipse reaches."""
    row = np.arange(int(np.floor(y - radius)), int(np.ceil(y + radius)))
    first, last = np.maximum(row, y - radius), np.minimum(row + 1.0, y + radius)

    def squared(at):
        return np.maximum(stretch**2 * (radius**2 - (at - y) ** 2), 0.0)

    pieces = EllipsePieces.through(
        last - first, squared(first), squared((first + last) / 2), squared(last)
    )
    every = np.zeros(row.size, dtype=int)
    sums = CoverageSums(Spans(every, row, every, every + SIDE))
    for side in (-1.0, 1.0):
        column = np.full(pieces.slice.size, x)
        mean = pieces.area / pieces.height
        sums.step(pieces.slice, x + side * mean, -side * pieces.height)
        piece, line, excess = pieces.lines(column, side)
        sums.bend(pieces.slice[piece], line, -side * excess)
    out = np.zeros((SIDE, SIDE))
    out[row] = sums.over(sums.spans).reshape(-1, SIDE)
    return out


@given(INSIDE, INSIDE, st.floats(0.2, 4.0), st.floats(0.01, 3.0))
def test_pieces_of_an_ellipse_cover_what_shapely_says(x, y, stretch, radius):
    x, y = SIDE / 2 + x, SIDE / 2 + y
    angle = np.linspace(0.0, 2 * np.pi, 4001)
    ellipse = shapely.polygons(
        np.column_stack([x + stretch * radius * np.cos(angle), y + radius * np.sin(angle)])
    )
    row, column = np.indices((SIDE, SIDE))
    boxes = shapely.box(column, row, column + 1, row + 1)
    expected = shapely.area(shapely.intersection(boxes, ellipse))
    found = shares_of_ellipse(x, y, stretch, radius)
    # The polygon falls short by 4e-7 of the ellipse; slices thinner than 1e-3 rows are blurred.
    np.testing.assert_allclose(found, expected, atol=1e-3)
    assert found.sum() == pytest.approx(np.pi * stretch * radius**2, rel=1e-3)


def share_sum(shape, pixel, lon, lat, inner, outer, samples=2000):
    """Covered shares by the cosine rule on many parallels a row; degrees, pixels from (-180, 90)."""
    out = np.zeros(shape)
    y = (np.arange(samples) + 0.5) / samples
    column = np.arange(shape[1])
    x = (lon + 180.0) / pixel
    for row in range(shape[0]):
        phi = np.radians(90.0 - (row + y) * pixel)
        for radius, sign in ((outer, 1.0), (inner, -1.0)):
            cosine = np.cos(np.radians(radius)) - np.sin(phi) * np.sin(np.radians(lat))
            cosine /= np.cos(phi) * np.cos(np.radians(lat))
            half = np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))) / pixel
            if half.max() == 0:
                continue
            low, high = (x - half)[:, None], (x + half)[:, None]
            overlap = np.minimum(column + 1, high) - np.maximum(column, low)
            out[row] += sign * np.clip(overlap, 0.0, None).mean(axis=0)
    return out


@pytest.mark.parametrize("lat", [0.0, 47.3, -71.1, 84.2])
@pytest.mark.parametrize("radius", [0.4, 1.3, 4.7])
def test_shares_on_the_sphere_are_those_of_a_fine_sum(lat, radius):
    pixel, shape = 0.5, (360, 720)
    body = Body(MOON.name, MOON.a, MOON.b)
    system = CoordinateSystem.from_user_input("planetocentric_east", body, what="raster")
    grid = CylindricalGrid(shape, lonlat_transform(-180.0, 90.0, pixel), system)
    metres = np.radians(radius * pixel) * MOON.a
    some = Features(np.array([3.21]), np.array([lat]), np.array([metres]))
    engine = ParallelAnnuli(grid, some, 0.6, 1.0, Rules("fraction"))
    found = engine.footprints(np.array([0]), 0, shape[0])
    image = np.zeros(shape)
    spans = found.spans
    for row, columns, own in zip(
        spans.row,
        map(slice, spans.start, spans.stop),
        np.split(found.weights, np.cumsum(spans.length)[:-1]),
        strict=True,
    ):
        image[row, columns] = own
    expected = share_sum(shape, pixel, 3.21, lat, 0.6 * radius * pixel, radius * pixel)
    np.testing.assert_allclose(image, expected, atol=2e-3)
    edge = (expected > 0) & (expected < 1)
    assert np.abs(image - expected)[edge].mean() < 3e-4
