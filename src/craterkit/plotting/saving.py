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
    figure : matplotlib.figure.Figure
        The figure.
    path : pathlib.Path or None
        As `picture_path` gives it; nothing is written for None.
    options : mapping, optional
        For `matplotlib.figure.Figure.savefig`.

    Raises
    ------
    OutputError
        If it cannot be written; a file that was there before stays.
    """
    if path is None:
        return
    given = {"format": path.suffix[1:].lower(), "bbox_inches": "tight"} | dict(options or {})
    try:
        write_whole(path, lambda file: figure.savefig(file, **given))
    except OSError as error:
        raise OutputError(f"{path} was not written: {error}") from error
