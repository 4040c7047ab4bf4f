"""The ledger of shapes names cells by their numbers, as notebooks show them. The book's cells show none: there it
names the sections, and leads to them."""

import re

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

HEADER = ["Tensor", "Shape", "Cell"]
COLUMN = HEADER.index("Cell")


def sections_of_cells(document):
    """Return the section in which each executed cell stands, by the cell's number."""
    sections = {}
    for cell in document.findall(nodes.container):
        if cell.get("nb_element") == "cell_code" and cell.get("exec_count"):
            section = cell.parent
            while not isinstance(section, nodes.section):
                section = section.parent
            sections[cell["exec_count"]] = section
    return sections


def link_to(section):
    """Return a link to a section: the number in its title or in that of the section around it, else its title."""
    around = section
    while isinstance(around, nodes.section):
        title = around[0].astext()
        if number := re.match(r"(\d+)\.\s", title):
            return nodes.reference("", number[1], refid=section["ids"][0], internal=True, reftitle=title)
        around = around.parent
    return nodes.reference("", section[0].astext(), refid=section["ids"][0], internal=True)


class SectionsOfShapes(SphinxPostTransform):
    """Write sections into the tables of shapes."""

    default_priority = 2  # before answers, whose cells have numbers of their own, come into the page

    def run(self, **kwargs):
        for table in list(self.document.findall(nodes.table)):
            head, *rows = table.findall(nodes.row)
            if [entry.astext() for entry in head] != HEADER:
                continue
            head[COLUMN][0][:] = [nodes.Text("Section")]
            sections = sections_of_cells(self.document)
            for row in rows:
                links = {}
                for number in re.findall(r"\d+", row[COLUMN].astext()):
                    link = link_to(sections[int(number)])
                    links.setdefault(link.astext(), link)
                paragraph = nodes.paragraph()
                for link in links.values():
                    paragraph += [nodes.Text(", "), link] if paragraph.children else [link]
                row[COLUMN][:] = [paragraph]


def setup(app):
    """Connect it to Sphinx."""
    app.add_post_transform(SectionsOfShapes)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
