"""Legends that do not hide what they explain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend

__all__ = ["legend_beside"]

#: A legend with more entries, or with longer ones, stands beside the axes.
MOST_INSIDE, LONGEST_INSIDE = 6, 30

#: Entries that stand one above the other, per inch of the axes' height.
PER_INCH = 5.6


def legend_beside(
    ax: Axes,
    handles: Sequence[Any] | None = None,
    *,
    figure: Figure | None = None,
    always: bool = False,
    title: str | None = None,
) -> Legend:
    """Draw a legend within the axes, or beside them if it is large and there can be room for it.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        The axes.
    handles : sequence of Artist, optional
        What has an entry; by default what has a label.
    figure : matplotlib.figure.Figure, optional
        What a large legend makes wider: a new figure of these axes alone.
    always : bool, default False
        Whether a small legend stands beside the axes, too.
    title : str, optional
        Title of the legend.

    Returns
    -------
    matplotlib.legend.Legend
        Its texts are shown as they are: a dollar sign is one.
    """
    if handles is None:
        handles, _ = ax.get_legend_handles_labels()
    texts = [str(handle.get_label()) for handle in handles]
    large = always or len(texts) > MOST_INSIDE or max(map(len, texts), default=0) > LONGEST_INSIDE
    # Without a layout nothing makes room for it between axes.
    room = ax.figure.get_layout_engine() is not None or len(ax.figure.axes) == 1
    beside = large and room
    options: dict[str, Any] = {"handles": handles, "labels": texts, "title": title}
    if large:
        options["fontsize"] = "small" if beside else "x-small"
    if beside:
        rows = max(int(PER_INCH * ax.get_window_extent().height / ax.figure.dpi), 1)
        columns = -(-len(texts) // rows)
        options |= {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0), "borderaxespad": 0.5}
        options["ncols"] = columns
    legend = ax.legend(**options)
    for text in (*legend.get_texts(), legend.get_title()):
        text.set_parse_math(False)
    if beside and figure is not None:
        width = legend.get_window_extent().width / figure.dpi
        figure.set_figwidth(figure.get_figwidth() + width)
    return legend
