"""The tutorial of craterpy's `get_arrays`, with craterpy and with craterkit."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measuring import Settings
from benchmarks.results import Part, Row
from craterkit import sample_data

__all__ = ["incumbent_version", "measure_tutorial"]

#: planetarypy is pinned because craterpy does not say which of its versions fit.
_PACKAGES = ("craterpy==0.11.2", "planetarypy==0.76")
_STEPS = Path(__file__).with_name("tutorial_steps.py")


def measure_tutorial(settings: Settings) -> Part:
    """Time polygons, statistics and arrays together."""
    folder = settings.tutorial_data
    table, raster = (
        folder / name if folder else sample_data[name]
        for name in ("moon_craters_km.csv", "moon.tif")
    )
    python = _incumbent(settings)
    theirs = None if isinstance(python, str) else _run(python, "craterpy", table, raster, settings)
    rows = [Row("craterpy", note=str(python))] if theirs is None else [_row("craterpy", theirs)]
    for name, nvert in (("craterkit, geodesic circles", ""), ("craterkit, `nvert=32`", "32")):
        own = _run(Path(sys.executable), "craterkit", table, raster, settings, nvert)
        rows.append(_row(name, own, theirs))
    count = own["length"]
    return Part(
        f"the tutorial: polygons, statistics and arrays of {count:,} annuli; "
        f"best of {settings.repeat} after a first round",
        tuple(rows),
    )


def incumbent_version(settings: Settings) -> str:
    """Return the version of craterpy that is installed beside."""
    return _PACKAGES[0].partition("==")[2] if _python(settings).exists() else "not installed"


def _python(settings: Settings) -> Path:
    return (
        settings.data / "incumbent" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    )


def _incumbent(settings: Settings) -> Path | str:
    """The Python of an environment with craterpy, made if need be; or why there is none."""
    python = _python(settings)
    installed = python.parent.parent / "installed"
    if installed.exists():
        return python
    if settings.quick:
        return "not installed; a full run installs it"
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(python.parent.parent)],
        [str(python), "-m", "pip", "install", "--quiet", *_PACKAGES],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            reason = done.stderr.strip().splitlines()
            return f"could not be installed: {reason[-1] if reason else done.returncode}"
    installed.touch()
    return python


def _run(
    python: Path, package: str, table: Path, raster: Path, settings: Settings, nvert: str = ""
) -> dict[str, Any]:
    command = [python, _STEPS, package, table, raster, settings.repeat, *([nvert] if nvert else [])]
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"the tutorial with {package} failed:\n{done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _row(name: str, found: dict[str, Any], theirs: dict[str, Any] | None = None) -> Row:
    steps = ", ".join(
        f"{step} {1000 * seconds:,.1f} ms" for step, seconds in found["steps"].items()
    )
    note = f"{steps}; first round {found['first']:.2f} s; import {found['import']:.2f} s"
    ratios = {}
    if theirs is not None:
        ratios["the speed of craterpy"] = theirs["together"] / found["together"]
        shift = np.abs(np.subtract(found["means"], theirs["means"]))
        note += f"; means differ by {np.nanmedian(shift):.2g} in the median, {np.nanmax(shift):.2g} at most"
    return Row(
        name, found["together"], found["length"] / found["together"], ratios=ratios, note=note
    )
