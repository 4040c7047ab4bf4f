// Softmax over the cross: for the chosen position u the energies D, the weights A and the mixture o of values.
segtut.widget((live, data, {energies, values}) => {
  const {element, svg} = segtut, {H, W, C, low, high} = data, N = H * W;
  const SCALES = [0, 0.25, 0.5, 1, 2, 4, 8, 16, 32];
  let [i, j] = data.pixel, scale = 1;

  // The places of the last axis: H of the column from top to bottom, then W of the row from left to right.
  const place = n => n < H ? [n, j] : [i, n - H];
  const value = ([h, w]) => Array.from({length: C}, (_, c) => values[c * N + h * W + w]);

  function attend() {
    const D = energies.subarray((i * W + j) * (H + W), (i * W + j + 1) * (H + W));
    // less the largest, so that no exponential overflows; -∞ stays out also where the scale is 0
    const top = Math.max(...D), raised = Array.from(D, d => d === -Infinity ? 0 : Math.exp(scale * (d - top)));
    const sum = raised.reduce((a, b) => a + b, 0), A = raised.map(a => a / sum);
    const o = Array(C).fill(0);
    A.forEach((a, n) => value(place(n)).forEach((x, c) => { o[c] += a * x; }));
    return {D, A, o};
  }

  const bytes = x => {
    const share = x.map(y => Math.round(255 * (y - low) / (high - low)));
    return C === 1 ? [share[0], share[0], share[0]] : share;
  };
  const paint = x => `rgb(${bytes(x).join(" ")})`;
  // black or white, whichever has more contrast with the colour
  const inkOn = x => {
    const [r, g, b] = bytes(x).map(y => y / 255).map(y => y <= 0.04045 ? y / 12.92 : ((y + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000" : "#fff";
  };
  const minus = text => text.replace("-", "−");
  const digits = (x, n) => minus(x.toFixed(n)), tuple = x => `(${x.map(y => digits(y, 2)).join(", ")})`;
  const pair = ([h, w]) => `(${h}, ${w})`;

  const board = segtut.board({
    H, W, type: 34, largest: 76, label: `Grid of ${H} rows and ${W} columns. Arrow keys move the position that looks.`,
    pick: (row, column) => { [i, j] = [row, column]; update(); },
    hover: (row, column) => rows.forEach((tr, n) => {
      const [h, w] = place(n);
      tr.classList.toggle("segtut-lit", h === row && w === column && !(n < H && h === i));
    }),
  });
  const mark = svg("g", {}, ...[["var(--paper)", 16], ["var(--ink)", 9]].map(([stroke, width]) => svg("rect",
    {x: 3, y: 3, width: 94, height: 94, rx: 10, fill: "none", style: `stroke: ${stroke}; stroke-width: ${width}`})));
  board.over.append(mark);

  const rows = Array.from({length: H + W}, (_, n) => element("tr", {},
    element("th", {scope: "row"}, String(n)), ...["at", "D", "A", "share"].map(name => element("td", {class: `segtut-${name}`}))));
  const part = (name, some) => element("tbody", {},
    element("tr", {}, element("th", {scope: "rowgroup", colspan: 5, class: "segtut-part"}, name)), ...some);
  const table = element("table", {class: "segtut-facts segtut-places"},
    element("thead", {}, element("tr", {}, ...["place", "position", "s · D", "A", ""].map(name =>
      name ? element("th", {scope: "col"}, name) : element("td")))),
    part("its column, from top to bottom", rows.slice(0, H)), part("its row, from left to right", rows.slice(H)));

  const patches = ["its own value v", "the result o"].map(name => {
    const patch = element("span", {class: "segtut-patch"}), text = element("span");
    return {patch, text, node: element("div", {class: "segtut-mixture"}, patch,
      element("span", {}, element("b", {}, name), element("br"), text))};
  });
  const scaleText = element("span", {"aria-hidden": "true"});
  const slider = element("input", {type: "range", min: 0, max: SCALES.length - 1, step: 1, value: SCALES.indexOf(1),
    "aria-label": "Scale s of the energies", oninput: () => { scale = SCALES[slider.value]; update(); }});
  const words = segtut.words();

  function update() {
    const {D, A, o} = attend(), peak = Math.max(...A);
    board.place(i, j);
    mark.setAttribute("transform", `translate(${100 * j} ${100 * i})`);
    board.cells.forEach(({square, text}, s) => {
      const h = Math.floor(s / W), w = s % W, seen = h === i || w === j, colour = value([h, w]);
      square.style.fill = paint(colour);
      square.style.opacity = seen ? 1 : 0.25;
      text.textContent = seen ? A[h === i ? H + w : h].toFixed(3).replace(/^0/, "") : "";
      Object.assign(text.style, {fill: inkOn(colour), stroke: "none"});
    });
    rows.forEach((tr, n) => {
      const [, at, energy, weight, bar] = tr.children, colour = value(place(n)), out = D[n] === -Infinity;
      at.replaceChildren(element("span", {class: "segtut-chip", style: `background: ${paint(colour)}`}), pair(place(n)));
      energy.textContent = out ? "−∞" : digits(scale * D[n], 2);
      weight.textContent = A[n].toFixed(3);
      bar.replaceChildren(element("span", {style: `width: ${100 * A[n] / peak}%`}));
      tr.classList.toggle("segtut-out", out);
    });
    scaleText.textContent = `s = ${scale}`;
    slider.setAttribute("aria-valuetext", `${scale}`);
    [value([i, j]), o].forEach((x, k) => {
      patches[k].patch.style.background = paint(x);
      patches[k].text.textContent = tuple(x);
    });
    const order = A.map((a, n) => [a, n]).filter(([, n]) => D[n] !== -Infinity).sort((a, b) => b[0] - a[0]).slice(0, 3);
    const column = A.slice(0, H).reduce((a, b) => a + b, 0);
    words.say(`Row ${i}, column ${j} looks at ${H + W - 1} positions. Most weight: ` + order.map(([a, n]) =>
      `${place(n)[0] === i && place(n)[1] === j ? "itself" : pair(place(n))} ${a.toFixed(3)}`).join(", ")
      + `. Its column has ${column.toFixed(3)}, its row ${(1 - column).toFixed(3)}. Value ${tuple(value([i, j]))}, `
      + `result ${tuple(o)}.`);
  }

  live.append(
    element("label", {}, "Scale of the energies", scaleText, slider),
    element("div", {class: "segtut-cross"},
      element("div", {}, board.frame, ...patches.map(({node}) => node)), element("div", {}, table)),
    ...words.nodes);
  update();
});
