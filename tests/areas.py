"""Areas of drawn polygons on a body, and what every drawn polygon must be."""

from __future__ import annotations

import numpy as np
import shapely


def ring_area(vertices, figure):
    """∬ dA over a ring with edges straight in lon/lat: ∮ −A(φ) dλ, by Gauss–Legendre on each edge."""
    lam = np.radians(vertices[:, 0])
    lat = vertices[:, 1]
    nodes, weights = np.polynomial.legendre.leggauss(24)
    at = (nodes + 1) / 2
    between = lat[:-1, None] + (lat[1:] - lat[:-1])[:, None] * at
    sine = np.sin(np.radians(figure.ographic(between)))
    if figure.is_sphere:
        northing = figure.a**2 * sine
    else:
        e = np.sqrt(1.0 - (figure.b / figure.a) ** 2)
        northing = sine / (1.0 - (e * sine) ** 2) + np.arctanh(e * sine) / e
        northing *= figure.b**2 / 2.0
    mean = (northing * weights).sum(axis=1) / 2.0
    return abs((mean * np.diff(lam)).sum())


def area_on(figure, shape):
    """Area of (multi)polygons with holes on the ellipsoid, m²."""
    total = 0.0
    for part in shapely.get_parts(shape):
        total += ring_area(shapely.get_coordinates(part.exterior), figure)
        for hole in part.interiors:
            total -= ring_area(shapely.get_coordinates(hole), figure)
    return total


def check_shape(shape):
    assert shapely.is_valid(shape)
    assert shape.geom_type in ("Polygon", "MultiPolygon")
    west, south, east, north = shape.bounds
    assert west >= -180.0
    assert east <= 180.0
    assert south >= -90.0
    assert north <= 90.0
