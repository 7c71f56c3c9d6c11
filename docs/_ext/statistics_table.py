"""A Sphinx extension that writes the table of statistics into a page.

The table comes from the registry that `get_stats` itself uses, so it cannot drift from the code. It
replaces the line ``<!-- table of statistics -->``.
"""

from craterkit.statistics.registry import definitions

MARKER = "<!-- table of statistics -->"


def statistics_table():
    """Return a Markdown table of every statistic and its formula."""
    lines = ["| name | definition |", "| --- | --- |"]
    lines += [
        f"| `{name}` | {formula.replace('|', chr(92) + '|')} |"
        for name, formula in definitions().items()
    ]
    return "\n".join(lines)


def _insert(app, docname, source):
    source[0] = source[0].replace(MARKER, statistics_table())


def setup(app):
    app.connect("source-read", _insert)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
