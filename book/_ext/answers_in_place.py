"""Answers open where their exercises stand.

A chapter's exercise ends in a link, ``[Answer](solutions/NAME.ipynb#exercise-1-title)``, which is all that Colab and
GitHub need. In the book the answer itself follows, folded: the section of the page of solutions, executed as it is,
without its title and the paragraph that repeats the question.
"""

import re
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.errors import ExtensionError
from sphinx.transforms.post_transforms import SphinxPostTransform

CHAPTERS, SOLUTIONS = "notebooks/", "notebooks/solutions/"


def page_of_solutions(docname, env):
    """Return the page that answers a chapter's exercises, or None."""
    if not docname.startswith(CHAPTERS) or docname.startswith(SOLUTIONS):
        return None
    page = SOLUTIONS + docname.removeprefix(CHAPTERS)
    return page if page in env.found_docs else None


def depend(app, doctree):
    """Have a chapter written anew when its answers have changed."""
    if page := page_of_solutions(app.env.docname, app.env):
        app.env.note_dependency(str(Path(app.env.doc2path(page)).resolve()))


def exercises(document):
    """Yield each exercise's section, and in it the paragraph that is the link to its answer, and the link."""
    for section in document.findall(nodes.section):
        if re.match(r"Exercise \d+: ", section[0].astext()):
            for paragraph in section.findall(nodes.paragraph):
                if paragraph.astext() == "Answer" and (links := list(paragraph.findall(addnodes.pending_xref))):
                    yield section, paragraph, links[0]


class AnswersInPlace(SphinxPostTransform):
    """Put each answer below its exercise."""

    default_priority = 3  # before the outputs of cells are chosen and links are resolved: they are, with the chapter's
    formats = ("html",)

    def run(self, **kwargs):
        if not (page := page_of_solutions(self.env.docname, self.env)):
            return
        answers = self.env.get_doctree(page)
        sections = {name: one for one in answers.findall(nodes.section) for name in one["ids"]}
        for exercise, paragraph, link in list(exercises(self.document)):
            if (anchor := link["reftargetid"]) not in sections:
                raise ExtensionError(f"{self.env.docname}: {page} has no answer with the anchor {anchor!r}")
            answer = self.adopted(sections[anchor].children[2:])
            link[0][:] = [nodes.Text("The answer on its own page")]
            title = exercise[0].astext().split(":")[0]
            summary = f'<summary>Answer<span class="visually-hidden"> to {title}</span></summary>'
            at = exercise.index(paragraph)
            exercise[at : at + 1] = [raw(f'<details class="answer">\n{summary}'), *answer, paragraph, raw("</details>")]

    def adopted(self, answer):
        """Return the nodes with links that start from the chapter, and without anchors that another page has."""
        for node in (node for part in answer for node in part.findall(nodes.Element)):
            node["ids"] = []
            if isinstance(node, addnodes.pending_xref):
                node["refdoc"] = self.env.docname
        return answer


def raw(html):
    """Return HTML as it is written."""
    return nodes.raw("", html, format="html")


def setup(app):
    """Connect it to Sphinx."""
    app.connect("doctree-read", depend)
    app.add_post_transform(AnswersInPlace)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
