"""Pages of less than half the weight: what no page of the book uses is left out.

1. Sheets keep the rules whose classes occur in a page or a script. Most of the theme's are for parts that a book
   does not have.
2. The icon fonts keep the icons that those sheets name.
3. Code has marks for what has a colour; names, brackets and spaces, three marks of four, have none.
4. MathJax comes in its parts and without its menu, which is a third of it.

What else the theme would load is left out by the templates in ``book/_ext/templates``.
"""

import re
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont
from pygments.formatters import HtmlFormatter
from pygments.token import Token
from sphinx.highlighting import PygmentsBridge

TOKENS = re.compile(
    r"""/\*.*?\*/|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|url\([^)"']*\)|\\.|[{};]|[^"'{};\\/u]+|.""", re.DOTALL
)
CLASS = re.compile(r"\.(-?(?:\\.|[_a-zA-Z])(?:\\.|[\w-])*)")
NESTING = ("@media", "@supports", "@layer", "@container")
PLAIN = {
    Token.Name,
    Token.Punctuation,
    Token.Operator,
    Token.Text,
    Token.Text.Whitespace,
    Token.Literal.String.Interpol,
}
MATHJAX = ["core", "input/tex", "output/chtml", "a11y/assistive-mml"]  # the output asks for its fonts itself


def rules(css):
    """Split a sheet into its rules, pairs of what stands before the braces and in them (``None`` for a statement)."""
    before, inside, depth = [], [], 0
    for token in TOKENS.findall(css):
        if token.startswith("/*"):
            continue
        if token == "}":
            depth -= 1
            if depth == 0:
                yield "".join(before).strip(), "".join(inside)
                before, inside = [], []
                continue
        if depth:
            inside.append(token)
        elif token == ";":
            yield "".join(before).strip(), None
            before = []
        elif token != "{":
            before.append(token)
        depth += token == "{"


def without_groups(selector):
    """Drop the parentheses of a selector: what is in ``:not(...)`` or ``:is(...)`` need not occur."""
    while (shorter := re.sub(r"\([^()]*\)", "", selector)) != selector:
        selector = shorter
    return selector


def selectors(text):
    """Split a list of selectors at the commas outside parentheses."""
    return re.split(r",(?![^(]*\))", text)


def thin(css, used):
    """Return a sheet without the rules that need a class that is not in `used`."""
    kept = []
    for before, inside in rules(css):
        if inside is None:
            kept.append(f"{before};")
        elif before.startswith(NESTING):
            if inner := thin(inside, used):
                kept.append(f"{before}{{{inner}}}")
        elif before.startswith("@"):
            kept.append(f"{before}{{{inside}}}")
        else:
            names = [
                selector
                for selector in selectors(before)
                if {re.sub(r"\\(.)", r"\1", name) for name in CLASS.findall(without_groups(selector))} <= used
            ]
            if names:
                kept.append(f"{','.join(names)}{{{inside}}}")
    return "".join(kept)


def used_classes(html):
    """Return every class of a built page, and every word of a script, which may set one."""
    used = set()
    for path in html.rglob("*.html"):
        for names in re.findall(r'class="([^"]*)"', path.read_text(encoding="utf-8")):
            used.update(names.split())
    for path in [*(html / "_static").glob("*.js"), *(html / "_static/scripts").glob("*.js")]:
        if path.name != "fontawesome.js":
            used.update(re.findall(r"[\w-]+", path.read_text(encoding="utf-8")))
    return used


def thin_fonts(folder, css):
    """Leave in the icon fonts the icons that `css` names."""
    icons = {int(code, 16) for code in re.findall(r"\\(f[0-9a-f]{3})\b", css)}
    icons |= {ord(letter) for letter in css if "\ue000" <= letter <= "\uf8ff"}
    for path in folder.glob("*.woff2"):
        whole = path.with_suffix(".ttf")
        if whole.is_file():
            font = TTFont(whole)
            thinner = subset.Subsetter(subset.Options(layout_features=[], notdef_outline=True))
            thinner.populate(unicodes=icons)
            thinner.subset(font)
            font.flavor = "woff"
            font.save(path.with_suffix(".woff"))
            whole.unlink()
        path.unlink()


def thin_sheets(app, error):
    """Thin all sheets but the book's own, and the icon fonts."""
    static = Path(app.outdir) / "_static"
    if error is not None or app.builder.format != "html":
        return
    used = used_classes(Path(app.outdir))
    sheets = [path for path in [*static.glob("*.css"), *(static / "styles").glob("*.css")] if "segtut" not in path.name]
    for path in sheets:
        css = thin(path.read_text(encoding="utf-8"), used)
        css = re.sub(
            r'url\(([^()]*)\.woff2\)\s*format\("woff2"\),url\(\1\.ttf\)\s*format\("truetype"\)',
            r'url(\1.woff) format("woff")',
            css,
        )
        path.write_text(css, encoding="utf-8")
    thin_fonts(static / "vendor/fontawesome/webfonts", "".join(path.read_text(encoding="utf-8") for path in sheets))
    for name in ("fontawesome.js", "fontawesome.js.map", "fontawesome.js.LICENSE.txt"):
        (static / "scripts" / name).unlink(missing_ok=True)


class MarkedCode(HtmlFormatter):
    """Pygments' formatter, without marks for what has the colour of the text."""

    def _get_css_class(self, ttype):
        return "" if ttype in PLAIN else super()._get_css_class(ttype)


def load_mathjax_in_parts(app, config):
    """Name the parts of MathJax that the pages load."""
    config.mathjax_path = "mathjax/startup.js"
    config.mathjax3_config = (config.mathjax3_config or {}) | {"loader": {"load": MATHJAX}}


def order_scripts(app, pagename, templatename, context, doctree):
    """Leave out the script for tabs, which no page has, and let the others wait until the text is there.

    The search page keeps their order: it runs scripts of its own among them. So does the script with the page's
    options, to which others add on their way.
    """
    scripts = [script for script in context["script_files"] if "design-tabs" not in str(script.filename)]
    for number, script in enumerate(scripts):
        if pagename != "search" and script.filename and "documentation_options" not in str(script.filename):
            attributes = {"defer": "defer"} | {
                name: value for name, value in script.attributes.items() if name != "async"
            }
            scripts[number] = type(script)(script.filename, priority=script.priority, **attributes)
    context["script_files"] = scripts


def setup(app):
    """Connect it to Sphinx."""
    PygmentsBridge.html_formatter = MarkedCode
    app.connect("config-inited", load_mathjax_in_parts, priority=900)
    app.connect("html-page-context", order_scripts, priority=900)
    app.connect("build-finished", thin_sheets, priority=900)  # when all sheets and pages are written
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
