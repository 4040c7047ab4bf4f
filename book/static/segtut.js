// Copy buttons are pictures: give each its name, which a screen reader says, and say when it has copied.
document.addEventListener("DOMContentLoaded", () => setTimeout(() => {
  for (const button of document.querySelectorAll("button.copybtn")) {
    button.ariaLabel = "Copy this code";
    button.addEventListener("click", () => {
      button.ariaLabel = "Copied";
      setTimeout(() => { button.ariaLabel = "Copy this code"; }, 2000);
    });
  }
}));
