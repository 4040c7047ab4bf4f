r"""Let the search find what readers of formulas and code type.

Sphinx indexes words and the documented names of the package. Added here, as further names:

- each symbol of the notation's first column and its name in the code, with what it is: ``γ``, ``gamma``;
- each formula in a heading, leading there: ``H + W − 1``, ``γ = 0``;
- each class the way a function would be called: ``criss_cross_attention``.

Greek letters also stand for their names in the full text, and the other way round. TeX in titles becomes plain text.
``segtut-search.js`` does the same to the excerpts below the results.
"""

import json
import re
from html import escape
from pathlib import Path

from docutils import nodes

NOTATION = "book/notation"
FORMULA = re.compile(r"\\\((.+?)\\\)")
NAMES = ("alpha", "beta", "gamma", "delta", "epsilon", "eta", "theta", "lambda", "mu", "rho", "sigma", "tau", "phi")
GREEK = dict(zip((*NAMES, "omega"), "αβγδεηθλμρστφω"))
SIGNS = {"infty": "∞", "cdot": "·", "times": "×", "top": "ᵀ", "le": "≤", "ge": "≥", "in": "∈", "sum": "Σ"}
SIGNS |= GREEK | {"Omega": "Ω", "Phi": "Φ", "Delta": "Δ", "Sigma": "Σ"}


def plain(tex):
    """Return a short formula as plain text: ``H + W − 1`` for ``H + W - 1``, ``γ = 0`` for ``\\gamma = 0``."""
    tex = re.sub(r"\\([a-zA-Z]+)", lambda match: SIGNS.get(match[1], ""), tex)
    return re.sub(r"\s+", " ", re.sub(r"[{}\\]", "", tex)).replace("-", "−").strip()


def plain_title(title):
    """Return a title with its formulas as plain text."""
    return FORMULA.sub(lambda match: plain(match[1]), title)


def collect(app, document):
    """Remember the symbols of the notation, whose rows get anchors, and the formulas in headings."""
    names = []
    if app.env.docname == NOTATION and (table := next(document.findall(nodes.table), None)):
        for number, row in enumerate(next(table.findall(nodes.tbody)).findall(nodes.row)):
            first, meaning = row.children[0], row.children[1]
            row["ids"].append(f"symbol-{number}")
            symbols = [plain(math.astext()) for math in first.findall(nodes.math)]
            symbols += [code.astext() for code in first.findall(nodes.literal)]
            names += [(f"symbol-{number}", symbol, words(meaning)) for symbol in symbols]
    for section in document.findall(nodes.section):
        title = section.next_node(nodes.title)
        for math in title.findall(nodes.math):
            formula = math.astext()
            spelled = re.sub(r"\\([a-z]+)", r"\1", formula)  # \gamma = 0 is also found as gamma = 0
            names += [(section["ids"][0], name, words(title)) for name in {plain(formula), plain(spelled)}]
    app.env.metadata[app.env.docname]["findable"] = json.dumps(names)


def words(node):
    """Return what a node says, its formulas as plain text."""
    formulas = [part for part in node.findall(nodes.Text) if isinstance(part.parent, nodes.math)]
    return "".join(plain(part) if part in formulas else part for part in node.findall(nodes.Text))


def snake_case(name):
    """Return ``criss_cross_attention`` for ``CrissCrossAttention``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def further_names(index, collected):
    """Yield ``(page, anchor, name, what it is, rank)`` of each further name; rank 0 stands above rank 1."""
    for docname, names in collected.items():
        for anchor, name, meaning in names:
            yield index["docnames"].index(docname), anchor, name, meaning, 0
    for module, objects in index["objects"].items():
        for page, kind, _, anchor, name in objects:
            if index["objtypes"][str(kind)] == "py:class" and snake_case(name) != name.lower():
                yield page, anchor or f"{module}.{name}", snake_case(name), f"class {module}.{name}", 1


def enrich(index, collected):
    """Add further names, by page, to a search index, in place. A second time changes nothing."""
    for kind in [kind for kind, name in index["objtypes"].items() if name.startswith("segtut:")]:
        del index["objtypes"][kind], index["objnames"][kind]
    own = index["objects"].setdefault("", [])
    own[:] = [entry for entry in own if str(entry[1]) in index["objtypes"]]
    for number, (page, anchor, name, meaning, rank) in enumerate(list(further_names(index, collected)), 1000):
        index["objtypes"][str(number)] = "segtut:name"
        index["objnames"][str(number)] = ["segtut", "name", escape(meaning)]
        own.append([page, number, rank, anchor, escape(name)])
    for name, letter in GREEK.items():
        pages = set()
        for word in (name, letter):
            found = index["terms"].get(word, [])
            pages.update([found] if isinstance(found, int) else found)
        if pages:
            index["terms"][name] = index["terms"][letter] = sorted(pages)
    index["titles"] = [plain_title(title) for title in index["titles"]]
    places = {}
    for title, found in index["alltitles"].items():
        places.setdefault(plain_title(title), []).extend(found)
    index["alltitles"] = places


def enrich_file(app, error):
    """Enrich the index that Sphinx has written."""
    path = Path(app.outdir) / "searchindex.js"
    if error is not None or not path.is_file():
        return
    text = path.read_text(encoding="utf-8")
    start, end = text.index("(") + 1, text.rindex(")")
    index = json.loads(text[start:end])
    enrich(index, {name: json.loads(app.env.metadata[name].get("findable", "[]")) for name in index["docnames"]})
    path.write_text(text[:start] + json.dumps(index, separators=(",", ":")) + text[end:], encoding="utf-8")


def setup(app):
    """Connect it to Sphinx."""
    app.connect("doctree-read", collect)
    app.connect("build-finished", enrich_file)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
