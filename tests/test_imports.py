"""What importing and using craterkit loads, in fresh interpreters."""

from __future__ import annotations

import subprocess
import sys

import pytest

import craterkit
from craterkit import sample_data

HEAVY = ("geopandas", "matplotlib", "rasterio")


def loaded_after(code: str) -> set[str]:
    """Run `code` in a new interpreter; which heavy packages it has loaded in the end."""
    report = f"import sys; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", f"{code}\n{report}"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


USE = f"""
from craterkit import CraterDatabase
cdb = CraterDatabase({str(sample_data["moon_craters_km.csv"])!r}, "moon")
cdb.add_annuli("rim", 1, 1.5)
repr(cdb)
"""
RASTER = repr(str(sample_data["moon.tif"]))


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import craterkit", set()),
        ("from craterkit import *", set()),
        ("from craterkit.cli import main; main([])", None),
        (USE, set()),
        (f"{USE}cdb.get_stats({RASTER}, 'rim', ['mean', 'median'], progress=False)", {"rasterio"}),
        (f"{USE}cdb.get_arrays({RASTER}, 'rim', progress=False)", {"rasterio"}),
    ],
    ids=["import", "star", "command line", "a table", "get_stats", "get_arrays"],
)
def test_heavy_packages_wait_until_they_are_needed(code, expected):
    if expected is None:  # the help is printed, too
        code, expected = (
            f"import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()):\n    {code}",
            set(),
        )
    assert loaded_after(code) == expected


@pytest.mark.parametrize("name", craterkit.__all__)
def test_public_names_exist(name):
    assert getattr(craterkit, name) is not None
    assert name in dir(craterkit)


def test_all_is_sorted_and_unique():
    assert sorted(set(craterkit.__all__)) == craterkit.__all__


def test_unknown_names_are_attribute_errors():
    with pytest.raises(AttributeError, match="has no attribute 'Craters'"):
        _ = craterkit.Craters


def test_the_version_is_that_of_the_package():
    from importlib.metadata import version

    assert version("craterkit") == craterkit.__version__
