// Sphinx reads this file into the script of its search.

// A title that says what was asked, whatever stands between its words, comes first.
Scorer.score = ([, title, , , score]) => {
  const letters = (text) => text.toLowerCase().replace(/[^\p{Letter}\p{Number}]+/gu, " ").trim();
  const asked = letters(new URLSearchParams(location.search).get("q") ?? "");
  return asked && letters(title.split(" > ").pop()) === asked ? score + 10 : score;
};

// Excerpts below the results show formulas as text.
Search.htmlToText = ((read) => {
  const signs = {
    alpha: "α", beta: "β", gamma: "γ", delta: "δ", epsilon: "ε", eta: "η", theta: "θ", lambda: "λ", mu: "μ", rho: "ρ",
    sigma: "σ", tau: "τ", phi: "φ", omega: "ω", Omega: "Ω", Phi: "Φ", Delta: "Δ", Sigma: "Σ", infty: "∞", cdot: "·",
    times: "×", top: "ᵀ", le: "≤", ge: "≥", in: "∈", sum: "Σ", softmax: "softmax", exp: "exp", log: "log", quad: " ",
  };
  const plain = (tex) => tex.replace(/\\([a-zA-Z]+)/g, (_, name) => signs[name] ?? "").replace(/[{}\\&]/g, "");
  return (html, anchor) => read(html, anchor).replace(/\\\((.+?)\\\)|\\\[(.+?)\\\]/gs, (_, a, b) => plain(a ?? b));
})(Search.htmlToText);
