"""A Sphinx extension that brings in the notebooks, which live beside this folder.

They are copied to ``docs/notebooks``, which git ignores. Pages link to them as ``../notebooks/…``, so that
the links also hold where the pages are shown as they are.
"""

from pathlib import Path

FOLDER = "notebooks"


def copy_notebooks(docs):
    """Bring the notebooks beside `docs` into it, and remove those that are no more."""
    target = docs / FOLDER
    target.mkdir(exist_ok=True)
    given = {path.name: path.read_bytes() for path in (docs.parent / FOLDER).glob("*.ipynb")}
    for path in target.glob("*.ipynb"):
        if path.name not in given:
            path.unlink()
    for name, content in given.items():
        path = target / name
        if not path.exists() or path.read_bytes() != content:
            path.write_bytes(content)


def lead_to_copies(app, docname, source):
    source[0] = source[0].replace(f"](../{FOLDER}/", f"]({FOLDER}/")


def setup(app):
    copy_notebooks(Path(app.confdir))
    app.connect("source-read", lead_to_copies)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
