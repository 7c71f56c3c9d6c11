"""A Sphinx extension that writes formulae as MathML, which browsers show without scripts or a network."""

from docutils import nodes
from latex2mathml.converter import convert

NAME = "mathml"


def _inline(writer, node):
    writer.body.append(convert(node.astext(), display="inline"))
    raise nodes.SkipNode


def _block(writer, node):
    formula = convert(node.astext(), display="block")
    writer.body.append(writer.starttag(node, "div", CLASS="math"))
    writer.body.append(f"{formula}</div>\n")
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer(NAME, (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
