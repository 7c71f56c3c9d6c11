"""The command line: ``craterkit demo`` and ``craterkit stats``.

It only turns words into calls of the library. Results go to a file or to standard output, messages
to standard error. Exit codes: 0 success, 1 failure, 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from craterkit import __version__
from craterkit.errors import (
    ArgumentError,
    BodyError,
    ColumnError,
    CraterkitError,
    CraterkitWarning,
    OutputError,
    RegionError,
    StatisticError,
)
from craterkit.footprints.rules import COVERAGES, WEIGHTS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    import pandas as pd

__all__ = ["main"]

PROGRAM = "craterkit"
FAILED, WRONG, INTERRUPTED = 1, 2, 130
PARQUET = (".parquet", ".pq")

#: Errors of who called it.
USAGE = (ArgumentError, BodyError, ColumnError, RegionError, StatisticError)

#: Options that arguments of the library, and some of their values, have here.
OPTIONS = {
    name: f"--{name.replace('_', '-')}"
    for name in (
        "units",
        "input_crs",
        "raster_crs",
        "nodata",
        "coverage",
        "weights",
        "nvert",
        "stats",
    )
} | {"n_jobs": "--jobs", "max_memory": "--memory", "out": "--out"}
FLAGS = {'errors="drop"': "--drop", 'errors="flag"': "--flag-unreadable"}

_ARGUMENT = re.compile(rf"""(?<![\w-])({"|".join(OPTIONS)})(?:="(\w+)"|=|(?=:| must\b))""")

STATS_EPILOG = """\
example:
  craterkit stats craters.csv moon image.tif dem.tif --annulus 1 1.5 \\
      --stats mean,std,percentile_90 --out rims.csv
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        What follows the program's name; ``sys.argv[1:]`` by default.

    Returns
    -------
    int
        The exit code. Wrong usage, ``--help`` and ``--version`` end in SystemExit instead.
    """
    parser = _parser()
    parsed = parser.parse_args(arguments)
    if parsed.run is None:
        parser.print_help()
        return 0
    with warnings.catch_warnings():
        warnings.simplefilter("always", CraterkitWarning)
        warnings.showwarning = _show_warning
        try:
            parsed.run(parsed)
            sys.stdout.flush()
        except BrokenPipeError:
            # The reader (head, less) has seen enough; keep the interpreter's exit quiet, too.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except (CraterkitError, OSError, MemoryError) as error:
            _tell(f"error: {str(error) or type(error).__name__}", error)
            return WRONG if isinstance(error, USAGE) else FAILED
        except KeyboardInterrupt as error:
            _tell("interrupted", error)
            return INTERRUPTED
    return 0


def _tell(what: str, error: BaseException) -> None:
    """Say in one line why it ends, and in another what the library adds to that."""
    for line in (what, *getattr(error, "__notes__", ())):
        print(f"{PROGRAM}: {_in_shell(' '.join(line.split()))}", file=sys.stderr)


def _in_shell(text: str) -> str:
    """A message of the library with the options of the command line for its arguments.

    Examples
    --------
    >>> _in_shell('pass units="km", or raster_crs=; n_jobs must not be 0')
    'pass --units km, or --raster-crs; --jobs must not be 0'
    """
    for words, option in FLAGS.items():
        text = text.replace(words, option)

    def named(found: re.Match[str]) -> str:
        return " ".join(part for part in (OPTIONS[found[1]], found[2]) if part)

    return _ARGUMENT.sub(named, text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Statistics and pixels of planetary rasters around craters.",
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    parser.set_defaults(run=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _add_demo(commands)
    _add_stats(commands)
    return parser


def _add_demo(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    text = "Run the tutorial on the sample data: a table and a picture."
    demo = commands.add_parser("demo", help=text, description=text)
    demo.add_argument(
        "--out", metavar="FOLDER", default="demo", help="where to write (default: %(default)s)"
    )
    demo.set_defaults(run=_demo)


def _add_stats(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    text = "Statistics of rasters in a circle or annulus around every feature of a table."
    stats = commands.add_parser(
        "stats",
        help=text,
        description=text,
        epilog=STATS_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = stats.add_argument
    add("table", metavar="TABLE", help="table of features: .csv, .parquet, .gpkg, ...")
    add("body", metavar="BODY", help="name or NAIF id of the body, such as moon")
    add("rasters", metavar="RASTER", nargs="+", help="rasters of this body")
    region = stats.add_mutually_exclusive_group(required=True)
    region.add_argument("--circle", metavar="SIZE", type=float, help="its radius in feature radii")
    region.add_argument(
        "--annulus",
        metavar=("INNER", "OUTER"),
        nargs=2,
        type=float,
        help="its edges in feature radii",
    )
    add("--name", help="of the region, in the names of columns (default: circle or annulus)")
    add("--stats", default="mean,count,std", help="separated by commas (default: %(default)s)")
    add("--units", help="of radius or diameter: m or km (default: what the table says, else m)")
    add("--input-crs", metavar="CRS", default="default", help="of the table, as planetographic")
    add("--raster-crs", metavar="CRS", help="of the rasters, instead of their own")
    add("--nodata", metavar="NUMBER", type=float, help="raw value that means no data")
    add("--coverage", choices=COVERAGES, default=COVERAGES[0], help="(default: %(default)s)")
    add("--weights", choices=WEIGHTS, help="area: pixels count for their true area")
    add("--nvert", metavar="N", type=int, help="use polygons of N vertices, not true circles")
    add("--jobs", metavar="N", type=int, help="threads (default: all cores)")
    add("--drop", action="store_true", help="leave out rows with impossible values")
    add("--memory", metavar="SIZE", help="that pixels may take, such as 2GB (default: 512MiB)")
    add(
        "--flag-unreadable",
        action="store_true",
        help="go on where a raster cannot be read, and flag the features concerned",
    )
    add(
        "--out",
        metavar="FILE",
        help=".csv or .parquet (default: CSV to standard output); a run to .parquet that was cut short "
        "goes on where it stopped",
    )
    stats.set_defaults(run=_stats)


def _demo(parsed: argparse.Namespace) -> None:
    import pandas as pd

    from craterkit.demo import run_demo

    paths = run_demo(parsed.out)
    table = pd.read_csv(paths["stats"])
    print(f"{len(table)} rims of the sample Moon, 1 to 1.5 radii; the first five:\n")
    columns = ["Name", "Diameter (km)", *table.columns[table.columns.str.endswith("_rim")]]
    print(table[columns].head().round(2).to_string(index=False))
    print(f"\nstatistics of all rims: {paths['stats']}")
    print(f"map of all rims: {paths['map']}")
    print(f"the nine largest: {paths['rois']}")
    print(f"histograms of the first five: {paths['histograms']}")


def _stats(parsed: argparse.Namespace) -> None:
    out = None if parsed.out is None else _check_out(Path(parsed.out))
    if (
        out is not None
        and os.path.exists(parsed.table)
        and out.exists()
        and out.samefile(parsed.table)
    ):
        raise ArgumentError(f"--out: {str(out)!r} is the table itself; choose another name")

    from craterkit.database import CraterDatabase

    cdb = CraterDatabase(
        parsed.table,
        int(parsed.body) if parsed.body.isdecimal() else parsed.body,
        parsed.input_crs,
        parsed.units,
        errors="drop" if parsed.drop else "raise",
    )
    region = parsed.name or ("circle" if parsed.annulus is None else "annulus")
    if parsed.annulus is None:
        cdb.add_circles(region, parsed.circle, nvert=parsed.nvert)
    else:
        cdb.add_annuli(region, *parsed.annulus, nvert=parsed.nvert)
    rasters = parsed.rasters
    resumable = out is not None and not _is_csv(out)
    stats = cdb.get_stats(
        rasters[0] if len(rasters) == 1 else rasters,
        region,
        [name.strip() for name in parsed.stats.split(",")],
        nodata=parsed.nodata,
        n_jobs=parsed.jobs,
        coverage=parsed.coverage,
        weights=parsed.weights,
        raster_crs=parsed.raster_crs,
        errors="flag" if parsed.flag_unreadable else "raise",
        max_memory=parsed.memory,
        out=out if resumable else None,
    )
    if isinstance(stats, Path):
        return
    if out is None:
        stats.to_csv(sys.stdout, index=False)
    else:
        _write_csv(stats, out)


def _is_csv(path: Path) -> bool:
    return path.suffix.lower() == ".csv"


def _check_out(path: Path) -> Path:
    """Refuse, before any work, a file that could not be written after it."""
    if not (_is_csv(path) or path.suffix in PARQUET):
        raise ArgumentError(f"--out must end in .csv or .parquet, not {str(path)!r}")
    if not path.parent.is_dir():
        raise ArgumentError(f"--out: there is no folder {str(path.parent)!r}")
    if path.is_dir():
        raise ArgumentError(f"--out: {str(path)!r} is a folder")
    if not _is_csv(path):
        from craterkit.results.parquet import parquet_path

        parquet_path(path)
    return path


def _write_csv(stats: pd.DataFrame, path: Path) -> None:
    """Write a table whole or not at all."""
    from craterkit.results.whole_files import write_whole

    try:
        write_whole(path, lambda file: stats.to_csv(file, index=False))
    except OSError as error:
        raise OutputError(f"--out: {str(path)!r} cannot be written: {error}") from error


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Show a warning as one line; where in the library it arose is of no use here."""
    print(
        f"{PROGRAM}: warning: {_in_shell(str(message))}", file=sys.stderr if file is None else file
    )
