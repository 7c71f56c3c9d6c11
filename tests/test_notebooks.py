"""Notebooks: committed without outputs, and their code runs."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import matplotlib
import pytest

NOTEBOOKS = sorted((Path(__file__).resolve().parents[1] / "notebooks").glob("*.ipynb"))


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def code_cells(path):
    return ["".join(c["source"]) for c in read(path)["cells"] if c["cell_type"] == "code"]


def run(path):
    """Run the code cells in order; return the names they leave and the value of each last line."""
    import matplotlib.pyplot as plt

    names, shown = {"__name__": "__main__"}, []
    for number, code in enumerate(code_cells(path)):
        tree = ast.parse(code)
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        where = f"{path.name}, code cell {number}"
        exec(compile(tree, where, "exec"), names)
        if last is not None:
            shown.append(eval(compile(ast.Expression(last.value), where, "eval"), names))
        plt.close("all")  # a figure belongs to its cell
    return names, shown


@pytest.fixture(autouse=True)
def _no_windows():
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    plt.close("all")
    yield
    plt.close("all")


def test_there_are_notebooks():
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
class TestEveryNotebook:
    def test_is_committed_without_outputs(self, path):
        notebook = read(path)
        assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
        cells = notebook["cells"]
        assert len({cell["id"] for cell in cells}) == len(cells)
        for cell in cells:
            if cell["cell_type"] == "code":
                assert cell["outputs"] == []
                assert cell["execution_count"] is None

    def test_runs_to_its_end_and_shows_something(self, path):
        names, shown = run(path)
        assert len(names["cdb"]) > 0
        assert shown


def test_the_tutorial_says_what_is_true():
    """The claims in its text hold for its results."""
    names, shown = run(next(path for path in NOTEBOOKS if path.stem == "01_tutorial"))
    assert len(names["cdb"]) == 508
    assert len(names["stats"]) == 508
    # One piece: no more columns than the region is wide, with slack for the meridians' convergence.
    assert names["seam"]["rim"].shape[1] < 100
    larger, small = shown[-2]
    assert small > larger
    assert shown[-1]["mean"] == pytest.approx(1, abs=1e-3)


def test_the_time_series_notebook_answers_its_question():
    names, _ = run(next(path for path in NOTEBOOKS if path.stem == "04_time_series"))
    assert names["series"].shape == (52, 250)
    assert names["by_area"]["area"].nunique() == 13
    truth = names["truth"]
    assert names["fitted"]["mean"].to_numpy() == pytest.approx(truth["Mean (K)"], abs=0.3)
    assert names["fitted"]["amplitude"].to_numpy() == pytest.approx(truth["Amplitude (K)"], abs=0.4)
    # The text says that the rims have the season of the ground between the areas.
    assert list(names["rim_seasons"].index) == ["Tycho", "Wilhelm"]
    assert names["rim_seasons"]["amplitude"].to_numpy() == pytest.approx(6, abs=0.1)
