// What scrolls sideways can be scrolled from the keyboard: it takes the focus, and has a name. What fits the page, not.
const SCROLLS = "article :is(pre, .output, div.math, span.math, .pst-scrollable-table-container, .table-wrapper)";

function letScroll() {
  for (const box of document.querySelectorAll(SCROLLS)) {
    const wide = box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + 1;
    if (wide && ["auto", "scroll"].includes(getComputedStyle(box).overflowX)) {
      if (box.hasAttribute("tabindex")) continue;
      box.tabIndex = 0;
      box.setAttribute("role", "group");
      const what = box.matches("pre") ? "Code" : box.matches(".math") ? "Formula" : "Table or output";
      box.ariaLabel = `${what}, scrolls`;
      box.dataset.scrolls = "";
    } else if ("scrolls" in box.dataset) {
      for (const name of ["tabindex", "role", "aria-label", "data-scrolls"]) box.removeAttribute(name);
    }
  }
}

document.addEventListener("DOMContentLoaded", () => {
  // Formulas, opened code and the width of the window change what fits; all of them change the article's size.
  const article = document.querySelector("article");
  if (article) new ResizeObserver(letScroll).observe(article);
});
