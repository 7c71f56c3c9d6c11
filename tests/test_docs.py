"""The documentation: complete, and its code does what it shows."""

from __future__ import annotations

import ast
import contextlib
import doctest
import importlib.util
import inspect
import io
import re
import shlex
from pathlib import Path

import matplotlib
import pandas as pd
import pytest

import craterkit
from craterkit import cli
from craterkit.statistics.registry import STATISTICS

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))]
LOOSELY = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def text_of(page):
    return page.read_text(encoding="utf-8")


def blocks(page):
    """The fenced blocks of a page: language and text."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", text_of(page), flags=re.MULTILINE | re.DOTALL)


def show(code, names):
    """Run code as a notebook does; return what it prints, and the value of its last line."""
    tree = ast.parse(code)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(compile(tree, "page", "exec"), names)
        value = last and eval(compile(ast.Expression(last.value), "page", "eval"), names)
        if value is not None:
            print(repr(value))
    return out.getvalue()


@every_page
def test_code_runs_and_shows_what_the_page_says(page, tmp_path, monkeypatch):
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(plt, "show", lambda: None)
    names, shown = {}, ""
    try:
        with pd.option_context("display.width", 200, "display.max_columns", 20):
            for language, text in blocks(page):
                if language == "python":
                    shown = show(text, names)
                elif language == "text":  # what the block before it shows
                    same = doctest.OutputChecker().check_output(text, shown, LOOSELY)
                    assert same, f"{page.name}: expected\n{text}\nbut got\n{shown}"
    finally:
        plt.close("all")


@every_page
def test_commands_parse(page):
    for language, text in blocks(page):
        for line in text.splitlines() if language == "sh" else []:
            if line.startswith("craterkit "):
                assert cli._parser().parse_args(shlex.split(line)[1:]).run is not None


@every_page
def test_links_to_files_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text_of(page)):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def anchors(page):
    """The anchors of a page's headings, as hosting sites make them."""
    headings = re.findall(r"^#+ (.+)$", text_of(page), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@every_page
def test_links_to_headings_lead_somewhere(page):
    for target, anchor in re.findall(r"\]\(([^)#:]*\.md|)#([^)]+)\)", text_of(page)):
        assert anchor in anchors(page.parent / target if target else page), (target, anchor)


@every_page
def test_make_targets_exist(page):
    targets = set(re.findall(r"^([a-z]+):", text_of(ROOT / "Makefile"), flags=re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z]+)\b(?=[`\s]*(?:\||#|`|$))", text_of(page))) <= targets


def extension(name):
    """A module of docs/_ext."""
    spec = importlib.util.spec_from_file_location(name, DOCS / "_ext" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_statistic_is_documented_with_its_formula():
    module = extension("statistics_table")
    assert module.MARKER in text_of(DOCS / "statistics.md")
    table = module.statistics_table().splitlines()[2:]
    cells = (re.fullmatch(r"\| `(\w+)` \| (.+) \|", line).groups() for line in table)
    rows = {name: formula.replace("\\|", "|") for name, formula in cells}
    assert rows.pop("percentile_N")
    assert rows.pop("frac_N")
    assert rows == {name: statistic.formula for name, statistic in STATISTICS.items()}


def test_every_flag_is_documented_with_its_meaning():
    module = extension("flags_table")
    assert module.MARKER in text_of(DOCS / "statistics.md")
    table = module.flags_table().splitlines()[2:]
    assert table == [f"| {f.value} | `{f.name}` | {f.meaning} |" for f in craterkit.Flag]


def test_the_docstring_of_get_stats_names_every_statistic():
    text = craterkit.CraterDatabase.get_stats.__doc__
    assert [name for name in (*STATISTICS, "percentile_N") if name not in text] == []


def test_every_public_name_is_in_the_reference():
    text = text_of(DOCS / "api.md")
    names = set(craterkit.__all__) - {"__version__"}
    assert [name for name in names if not re.search(rf":: (craterkit\.)?{name}$", text, re.M)] == []


def test_the_reference_shows_methods_wherever_they_are_defined():
    entry = text_of(DOCS / "api.md").split("autoclass:: CraterDatabase")[1].split("```")[0]
    assert {":members:", ":inherited-members:"} <= set(entry.split())


def test_the_layout_names_every_module():
    layout = text_of(ROOT / "CONTRIBUTING.md").split("## Layout")[1].split("\n## ")[0]
    source = ROOT / "src" / "craterkit"
    modules = {path.name for path in source.glob("*.py") if not path.name.startswith("__")}
    packages = {f"{path.parent.name}/" for path in source.glob("*/__init__.py")}
    assert set(re.findall(r"`(\w+\.py|\w+/)`", layout)) == modules | packages


def test_versions_agree():
    version = craterkit.__version__
    assert f"version: {version}\n" in text_of(ROOT / "CITATION.cff")
    assert f"[Unreleased] {version.split('.dev')[0]}" in text_of(ROOT / "CHANGELOG.md")


PICTURES = sorted((DOCS / "images").glob("*.png"))


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_pictures_are_small_and_shown(picture):
    assert picture.stat().st_size < 400_000
    assert any(f"images/{picture.name})" in text_of(page) for page in PAGES)


@every_page
def test_pictures_say_what_they_show(page):
    for description in re.findall(r"!\[([^\]]*)\]", text_of(page)):
        assert len(description.split()) > 5, description


def test_every_page_is_in_one_table_of_contents():
    tables = re.findall(r"^```{toctree}\n(.*?)^```$", text_of(DOCS / "index.md"), re.M | re.S)
    entries = [line for table in tables for line in re.findall(r"^[\w*/-]+$", table, re.M)]
    pages = [page.stem for page in DOCS.glob("*.md") if page.stem != "index"]
    assert sorted(entries) == sorted([*pages, "notebooks/*"])


@pytest.mark.parametrize("face", [craterkit.CraterDatabase, craterkit.PixelSelection])
def test_every_method_is_in_the_table_by_theme(face):
    themes = text_of(DOCS / "api.md").split("## By theme")[1].split("\n## ")[0]
    named = set(re.findall(rf"\b{face.__name__}\.(\w+)", themes))
    methods = {name for name, value in inspect.getmembers(face) if callable(value)}
    assert sorted(name for name in methods - named if not name.startswith("_")) == []
    assert sorted(name for name in named if not hasattr(face, name)) == []


def test_files_of_tests_that_are_named_exist():
    for name in re.findall(r"`(test_\w+\.py)`", text_of(DOCS / "how-we-test.md")):
        assert (ROOT / "tests" / name).exists(), name


def test_notebooks_are_brought_in_as_they_are(tmp_path):
    given, copies = tmp_path / "notebooks", tmp_path / "docs" / "notebooks"
    given.mkdir()
    copies.mkdir(parents=True)
    (given / "new.ipynb").write_text("new")
    (given / "changed.ipynb").write_text("after")
    (copies / "changed.ipynb").write_text("before")
    (copies / "gone.ipynb").write_text("gone")
    brought, page = extension("notebooks"), ["see [it](../notebooks/new.ipynb)"]
    brought.copy_notebooks(tmp_path / "docs")
    assert {path.name: path.read_text() for path in copies.iterdir()} == {
        "new.ipynb": "new",
        "changed.ipynb": "after",
    }
    brought.lead_to_copies(None, "page", page)
    assert page == ["see [it](notebooks/new.ipynb)"]
