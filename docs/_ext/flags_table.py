"""A Sphinx extension that writes the table of quality flags into a page.

The table comes from `craterkit.Flag` itself. It replaces the line ``<!-- table of flags -->``.
"""

from craterkit import Flag

MARKER = "<!-- table of flags -->"


def flags_table():
    """Return a Markdown table of every flag, its bit and its meaning."""
    lines = ["| bit | flag | meaning |", "| --- | --- | --- |"]
    lines += [f"| {flag.value} | `{flag.name}` | {flag.meaning} |" for flag in Flag]
    return "\n".join(lines)


def _insert(app, docname, source):
    source[0] = source[0].replace(MARKER, flags_table())


def setup(app):
    app.connect("source-read", _insert)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
