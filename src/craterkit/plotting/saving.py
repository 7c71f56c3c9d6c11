"""Pictures written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from craterkit.errors import ArgumentError, OutputError
from craterkit.results.whole_files import write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["picture_path", "save_figure"]


def picture_path(savefig: object, figure_class: Any) -> Path | None:  # noqa: ANN401
    """The argument `savefig` as the path of a picture; None for None.

    Parameters
    ----------
    savefig : str, os.PathLike or None
        The argument. Its ending says the format.
    figure_class : type
        `matplotlib.figure.Figure`.

    Raises
    ------
    ArgumentError
        If it is no path, its folder does not exist, or matplotlib has no format of its ending.
    """
    if savefig is None:
        return None
    if not isinstance(savefig, str | os.PathLike):
        raise ArgumentError(f"savefig must be the path of a picture, not {savefig!r}")
    path = Path(os.fspath(savefig))
    if not path.parent.is_dir():
        raise ArgumentError(f"savefig: there is no folder {str(path.parent)!r} for {path.name}")
    formats = figure_class().canvas.get_supported_filetypes()
    if path.suffix[1:].lower() not in formats:
        raise ArgumentError(
            f"savefig: {path.name!r} must end in one of {', '.join('.' + name for name in formats)}"
        )
    return path


def save_figure(figure: Any, path: Path | None, options: Mapping[str, Any] | None) -> None:  # noqa: ANN401
    """Write a figure to a file that bears its name only once it is whole.

    Parameters
    ----------
    figure : matplotlib.figure.Figure or SubFigure
        The figure, or one within it.
    path : pathlib.Path or None
        As `picture_path` gives it; nothing is written for None.
    options : mapping, optional
        For `matplotlib.figure.Figure.savefig`.

    Raises
    ------
    ArgumentError
        If `options` are none, or say another format than the file's name.
    OutputError
        If it cannot be written; a file that was there before stays.
    """
    if path is None:
        return
    own = dict(options or {})
    written = path.suffix[1:].lower()
    if str(own.get("format") or written).lower() != written:
        raise ArgumentError(
            f"savefig_kwargs: the format {own['format']!r} is not that of {path.name!r}"
        )
    given = {"bbox_inches": "tight"} | own | {"format": written}
    try:
        # A figure within a figure is saved with the whole.
        write_whole(path, lambda file: figure.figure.savefig(file, **given))
    except OSError as error:
        raise OutputError(f"{path} was not written: {error}") from error
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        if not own:
            raise
        raise ArgumentError(f"savefig_kwargs {own}: {path} was not written: {error}") from error
    except RuntimeError as error:
        # A program that the format needs is missing.
        raise OutputError(f"{path} was not written: {error}") from error
