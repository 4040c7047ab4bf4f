// What scrolls sideways can be scrolled from the keyboard: it takes the focus. The theme sees to that for code, outputs
// and tables when the window changes; this adds formulas, and all other changes of what fits.
const SCROLLS = "article :is(pre, .output, .pst-scrollable-table-container, .math)";

function letScroll() {
  for (const box of document.querySelectorAll(SCROLLS)) {
    const formula = box.matches(".math");
    const wide = box.scrollWidth > box.clientWidth && ["auto", "scroll"].includes(getComputedStyle(box).overflowX);
    if (wide && box.tabIndex !== 0) {
      box.tabIndex = 0;
      if (formula) box.setAttribute("role", "group");
      if (formula) box.ariaLabel = "Formula, scrolls sideways";
    } else if (!wide && formula) {
      for (const name of ["tabindex", "role", "aria-label"]) box.removeAttribute(name);
    }
  }
}

document.addEventListener("DOMContentLoaded", () => {
  // Formulas that are set later, code that is opened and the width of the window all change the article's size.
  const article = document.querySelector("article");
  if (article) new ResizeObserver(letScroll).observe(article);
});
