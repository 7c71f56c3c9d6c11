"""Make the pictures of the README and the documentation from the sample data.

Run with ``python docs/make_images.py``. Colours are those of Okabe and Ito, which colour-blind readers
can tell apart.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import rasterio
import shapely
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Curve

from craterkit import CraterDatabase, sample_data

IMAGES = Path(__file__).parent / "images"

BLUE, ORANGE, GREEN, RED, PINK, SKY = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#d55e00",
    "#cc79a7",
    "#56b4e9",
)
# From a tint that tells the least share from none.
SHARES = LinearSegmentedColormap.from_list("shares", ["#e6f0f8", "#8dbfe3", BLUE])

RULES = {
    "all_touched": "every pixel that the region touches",
    "center": "pixels whose centre lies in it",
    "fraction": "pixels that it touches, by their share",
}

#: Pixels around the annulus: left, top, right, bottom.
MARGIN = np.array([-1.5, -1.5, 1.5, 1.5])

#: The bright ejecta of Copernicus, traced by eye: azimuths and distances in radii.
EJECTA = (
    [0, 20, 38, 62, 85, 105, 125, 150, 172, 187, 200, 222, 250, 268, 292, 318, 340],
    [2.2, 2.3, 1.8, 2.3, 2.5, 2.1, 1.6, 1.5, 1.5, 2.4, 1.5, 1.3, 1.8, 1.7, 1.6, 2.0, 2.4],
)


def main():
    IMAGES.mkdir(exist_ok=True)
    for name, draw in (("coverage.png", draw_coverage), ("shapes.png", draw_shapes)):
        figure = draw()
        figure.savefig(IMAGES / name, dpi=130, pil_kwargs={"optimize": True})
        plt.close(figure)
    draw_front_page()
    for path in sorted(IMAGES.glob("*.png")):
        print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


def crater(name):
    """A database of one crater of the sample Moon."""
    cdb = CraterDatabase(sample_data["moon_craters_km.csv"], "moon")
    return cdb[cdb.data["Name"] == name]


def draw_coverage(name="Taruntius"):
    """The pixels of one annulus under each rule, with their shares."""
    cdb = crater(name)
    cdb.add_annuli("rim", 1, 1.5)
    with rasterio.open(sample_data["moon_dem.tif"]) as dem:
        heights = dem.read(1) * dem.scales[0] / 1000
        corner, size = np.array([dem.bounds.left, dem.bounds.top]), np.array(dem.res) * [1, -1]
    outline = shapely.transform(cdb.rim.iloc[0], lambda lonlat: (lonlat - corner) / size)
    left, top, right, bottom = np.rint(shapely.bounds(outline) + MARGIN).astype(int)
    seen = heights[top:bottom, left:right]
    radius = cdb.rad.iloc[0] / np.radians(size[0]) / cdb.body.a

    figure, axes = plt.subplots(2, 2, figsize=(7.6, 8.6), layout="constrained")
    ground, *others = axes.flat
    extent = (0, heights.shape[1], heights.shape[0], 0)
    image = ground.imshow(
        heights,
        extent=extent,
        cmap="gray",
        vmin=seen.min(),
        vmax=seen.max(),
        interpolation="nearest",
    )
    ground.set_title(f"moon_dem.tif, crater {name}\nand the annulus from 1 to 1.5 radii")
    ground.set_xlabel(f"radius {radius:.1f} pixels")
    for axis, (rule, meaning) in zip(others, RULES.items(), strict=True):
        pixels = cdb.get_pixels(
            sample_data["moon_dem.tif"],
            "rim",
            columns=["row", "col", "value", "weight"],
            coverage=rule,
        )
        share = np.full(heights.shape, np.nan)
        share[pixels["row"], pixels["col"]] = pixels["weight"]
        shares = axis.imshow(
            share, extent=extent, cmap=SHARES, vmin=0, vmax=1, interpolation="nearest"
        )
        mean = np.average(pixels["value"], weights=pixels["weight"])
        axis.set_title(f'coverage="{rule}"\n{meaning}')
        axis.set_xlabel(f"{len(pixels)} pixels, mean {mean:.0f} m".replace("-", "−"))
        if rule == "center":
            axis.plot(pixels["col"] + 0.5, pixels["row"] + 0.5, ".", color="white", markersize=3.5)
    edges = [[(left, y), (right, y)] for y in range(top, bottom + 1)]
    edges += [[(x, top), (x, bottom)] for x in range(left, right + 1)]
    for axis in axes.flat:
        axis.add_collection(LineCollection(edges, color="#8c8c8c", linewidth=0.4, zorder=1.5))
        draw_outline(axis, outline, RED, linewidth=1.8)
        axis.set(xlim=(left, right), ylim=(bottom, top), aspect="equal", xticks=[], yticks=[])
    bar = {"location": "bottom", "shrink": 0.75, "aspect": 32, "pad": 0.02}
    figure.colorbar(image, ax=axes[:, 0], label="Elevation (km)", **bar)
    figure.colorbar(shares, ax=axes[:, 1], label="What a pixel counts for", **bar)
    return figure


def draw_front_page():
    """The two pictures of docs/index.md, by the code shown there."""
    front = (IMAGES.parent / "index.md").read_text(encoding="utf-8")
    code = front.split("```python\n")[1].split("```")[0]
    names = {}
    exec(compile(code, "index.md", "exec"), names)
    for name, figure in (
        ("map.png", names["ax"].figure),
        ("sheet.png", names["panels"].flat[0].figure),
    ):
        figure.savefig(IMAGES / name, dpi=120, bbox_inches="tight", pil_kwargs={"optimize": True})
    plt.close("all")


def draw_outline(axis, polygon, colour, fill=None, **style):
    """A polygon's edge, and its inside if `fill` is its opacity."""
    parts = (shapely.geometry.polygon.orient(part) for part in shapely.get_parts(polygon))
    rings = [ring for part in parts for ring in (part.exterior, *part.interiors)]
    curve = Curve.make_compound_path(*(Curve(ring.coords, closed=True) for ring in rings))
    if fill:
        axis.add_collection(
            PatchCollection([PathPatch(curve)], color=colour, alpha=fill, linewidth=0)
        )
    axis.add_patch(PathPatch(curve, facecolor="none", edgecolor=colour, **style))


def draw_shapes(name="Copernicus"):
    """Each kind of region around one crater of the sample image."""
    cdb = crater(name)
    lon, lat, radius = cdb.lon.iloc[0], cdb.lat.iloc[0], np.degrees(cdb.rad.iloc[0] / cdb.body.a)
    wide = radius / np.cos(np.radians(lat))
    cdb.add_circles("circle", 1.5)
    cdb.add_annuli("annulus", 1, 2)
    cdb.add_ellipses("ellipse", 2.2, 1.2, 60)
    cdb.add_sectors("sector", 1, 2.5, 300, 30)
    cdb.add_circles("polygon", 1.5, nvert=6)
    turn, reach = np.radians(EJECTA[0]), np.array(EJECTA[1])
    mapped = shapely.polygons(
        np.column_stack([lon + wide * reach * np.sin(turn), lat + radius * reach * np.cos(turn)])
    )
    cdb.add_regions("given", [mapped])
    calls = {
        "circle": ('add_circles("near", 1.5)', BLUE),
        "annulus": ('add_annuli("ring", 1, 2)', ORANGE),
        "ellipse": ('add_ellipses("oval", 2.2, 1.2, 60)', GREEN),
        "sector": ('add_sectors("north", 1, 2.5, 300, 30)', RED),
        "given": ('add_regions("mapped", polygons)', PINK),
        "polygon": ('add_circles("six", 1.5, nvert=6)', SKY),
    }
    with rasterio.open(sample_data["moon.tif"]) as moon:
        picture, bounds = moon.read(1), moon.bounds
    extent = (bounds.left, bounds.right, bounds.bottom, bounds.top)
    figure, axes = plt.subplots(2, 3, figsize=(9, 6.4), layout="constrained")
    for axis, (region, (call, colour)) in zip(axes.flat, calls.items(), strict=True):
        axis.imshow(picture, cmap="gray", extent=extent, interpolation="bicubic")
        draw_outline(axis, cdb.data[region].iloc[0], colour, fill=0.3, linewidth=2)
        axis.plot(lon, lat, "+", color="white", markersize=7)
        axis.set_title(call, family="monospace", fontsize=9)
        axis.set(
            xlim=(lon - 2.9 * wide, lon + 2.9 * wide),
            ylim=(lat - 2.9 * radius, lat + 2.9 * radius),
            aspect=wide / radius,
            xticks=[],
            yticks=[],
        )
    return figure


if __name__ == "__main__":
    main()
