// The attention explorer: a pixel of a scene, and where each network looks for it.
segtut.widget((live, data, arrays) => {
  const {element, percent} = segtut;
  const {H, W, epochs, panels, networks, classes, colours, scale} = data;
  const N = H * W, VOID = 255, EVEN = 1 / N;
  const state = {row: data.pixel[0], column: data.pixel[1], epoch: epochs.length - 1, view: "image", over: null};
  const here = () => state.row * W + state.column;
  const name = c => c === VOID ? "void" : classes[c];
  const colour = c => c === VOID ? "#000" : colours[c];
  const said = network => arrays[`${state.epoch}/${network}/classes`];
  const truth = arrays.truth;

  // A code is the root of a share of the row's largest weight: fine where weights are small.
  const weight = (codes, peaks, row, k, length) => peaks[row] * (codes[row * length + k] / scale) ** 2;
  // Row u of each dense map is stored as the difference to row u - 1.
  for (const [key, codes] of Object.entries(arrays))
    if (key.endsWith("/dense")) for (let k = N; k < codes.length; k++) codes[k] += codes[k - N];

  function looks(panel, u) {
    const key = `${state.epoch}/${panel.network}`, row = new Float32Array(N);
    if (panel.kind === "cross") {
      // A_R ... A_1, from the last pass to the first: each weight is passed on along its cross
      row[u] = 1;
      let now = row;
      for (let pass = panel.passes; pass >= 1; pass--) {
        const codes = arrays[`${key}/${pass}/cross`], peaks = arrays[`${key}/${pass}/peaks`];
        const next = new Float32Array(N);
        for (let s = 0; s < N; s++) if (now[s]) {
          const i = Math.floor(s / W), j = s % W;
          for (let g = 0; g < H; g++) next[g * W + j] += now[s] * weight(codes, peaks, s, g, H + W);
          for (let g = 0; g < W; g++) next[i * W + g] += now[s] * weight(codes, peaks, s, H + g, H + W);
        }
        now = next;
      }
      return now;
    }
    const shared = panel.kind === "shared", codes = arrays[`${key}/${panel.kind}`], peaks = arrays[`${key}/peaks`];
    for (let s = 0; s < N; s++) row[s] = weight(codes, peaks, shared ? 0 : u, s, N);
    return row;
  }

  // Share of a row's weight by class of the place, largest first. Without a truth, by what the network says.
  function byClass(row, network) {
    const label = truth || said(network), sums = new Map();
    let all = 0;
    row.forEach((w, s) => { sums.set(label[s], (sums.get(label[s]) || 0) + w); all += w; });
    return [...sums].sort((a, b) => b[1] - a[1]).map(([c, w]) => [name(c), w / all]);
  }

  const times = w => `${(w / EVEN).toFixed(w > 9.5 * EVEN ? 0 : 1)} × even`;
  const picture = new Image();

  // Black over red to light yellow: the lighter, the more weight.
  const RAMP = [[0, 0, 4], [66, 10, 104], [147, 38, 103], [221, 81, 58], [252, 165, 10], [252, 255, 164]];
  function heat(share) {
    const x = Math.min(share, 1) * (RAMP.length - 1), low = Math.min(Math.floor(x), RAMP.length - 2);
    return RAMP[low].map((a, k) => Math.round(a + (x - low) * (RAMP[low + 1][k] - a)));
  }

  const scene = segtut.grid({
    H, W, pixels: 32 * W, label: `Scene of ${H} rows and ${W} columns. Arrow keys move the pixel, with shift by five.`,
    pick: choose, hover: over,
    draw(context, width, height, cell) {
      const labels = state.view === "truth" ? truth : state.view === "image" ? null : said(state.view);
      if (!labels) context.drawImage(picture, 0, 0, width, height);
      else labels.forEach((c, s) => {
        context.fillStyle = colour(c);
        context.fillRect((s % W) * cell, Math.floor(s / W) * cell, cell, cell);
      });
      if (state.over) segtut.mark(context, cell, ...state.over, "#ffd21f");
      segtut.mark(context, cell, state.row, state.column);
    },
  });

  const maps = panels.map(panel => {
    const map = {panel, row: null, note: element("p", {class: "segtut-note"})};
    map.grid = segtut.grid({
      H, W, pixels: 16 * W, pick: choose, hover: over,
      draw(context, width, height, cell) {
        context.drawImage(picture, 0, 0, width, height);
        context.globalCompositeOperation = "saturation";
        context.fillStyle = "hsl(0 0% 50%)";
        context.fillRect(0, 0, width, height);
        context.globalCompositeOperation = "source-over";
        context.fillStyle = "rgb(0 0 0 / 0.45)";
        context.fillRect(0, 0, width, height);
        const peak = Math.max(...map.row);
        map.row.forEach((w, s) => {
          const share = Math.sqrt(w / peak);
          if (share < 0.05) return;
          context.fillStyle = `rgb(${heat(0.2 + 0.8 * share).join(" ")} / ${0.25 + 0.7 * share})`;
          context.fillRect((s % W) * cell, Math.floor(s / W) * cell, cell, cell);
        });
        if (state.over) segtut.mark(context, cell, ...state.over, "#ffd21f");
        segtut.mark(context, cell, state.row, state.column);
      },
    });
    map.figure = element("figure", {}, element("figcaption", {}, panel.title), map.grid.frame, map.note);
    return map;
  });

  const facts = element("table", {class: "segtut-facts"});
  const words = segtut.words();
  const slider = element("input", {type: "range", min: 0, max: epochs.length - 1, step: 1, value: state.epoch,
    "aria-label": "Training epoch", oninput: () => { state.epoch = Number(slider.value); update(); }});
  const epochText = element("span", {class: "segtut-epoch"});
  const view = element("select", {"aria-label": "What the scene shows",
    onchange: () => { state.view = view.value; scene.paint(); }},
    element("option", {value: "image"}, "image"), ...(truth ? [element("option", {value: "truth"}, "truth")] : []),
    ...networks.map(([network, says]) => element("option", {value: network}, `what ${says} says`)));

  function choose(row, column) {
    Object.assign(state, {row, column});
    update();
  }

  function over(row, column) {
    state.over = row === null ? null : [row, column];
    scene.paint();
    for (const map of maps) { map.grid.paint(); note(map); }
  }

  function note(map) {
    if (state.over) {
      const s = state.over[0] * W + state.over[1], label = truth || said(map.panel.network);
      map.note.textContent = `${name(label[s])}: ${percent(map.row[s])}`;
      map.note.append(element("br"), times(map.row[s]));
    } else {
      map.note.textContent = byClass(map.row, map.panel.network).slice(0, 2)
        .map(([c, share]) => `${c} ${percent(share)}`).join(", ");
      map.note.append(element("br"), `peak ${times(Math.max(...map.row))}`);
    }
  }

  const chip = c => element("span", {class: "segtut-chip", style: `background: ${colour(c)}`});
  const when = () => epochs[state.epoch] === 0 ? "Before training" : `After ${epochs[state.epoch]} epochs`
    .replace(/^After 1 epochs$/, "After 1 epoch");

  function update() {
    const u = here();
    Object.assign(scene, {row: state.row, column: state.column});
    for (const map of maps) map.row = looks(map.panel, u);
    over(state.over ? state.over[0] : null, state.over ? state.over[1] : null);
    epochText.textContent = epochs.length > 1 ? `${when()} of ${epochs[epochs.length - 1]}` : "";
    slider.setAttribute("aria-valuetext", when());
    facts.replaceChildren(element("caption", {}, `Row ${state.row}, column ${state.column}`),
      ...(truth ? [element("tr", {}, element("th", {scope: "row"}, "truth"),
        element("td", {}, chip(truth[u]), name(truth[u])))] : []),
      ...networks.map(([network, says]) => {
        const c = said(network)[u];
        const verdict = !truth || truth[u] === VOID ? "" : truth[u] === c ? " ✓" : " ✗";
        return element("tr", {}, element("th", {scope: "row"}, says),
          element("td", {}, chip(c), name(c), element("span", {"aria-hidden": "true"}, verdict)));
      }));
    words.say(`Row ${state.row}, column ${state.column} of ${H}×${W}${truth ? `: ${name(truth[u])}` : ""}. `
      + (epochs.length > 1 ? `${when()}, ` : "") + networks.map(([network, says]) =>
        `${says} says ${name(said(network)[u])}`).join(", ") + ". Most weight is on: "
      + maps.map(({row, panel}) => { const [[c, share]] = byClass(row, panel.network);
        return `${c} for ${panel.title} (${percent(share)})`; }).join("; ") + ".");
  }

  const bar = element("span", {class: "segtut-bar", "aria-hidden": "true",
    style: `background: linear-gradient(90deg, ${[0, 0.25, 0.5, 0.75, 1].map(x => `rgb(${heat(0.2 + 0.8 * x)})`)})`});
  live.append(
    element("div", {class: "segtut-top"}, scene.frame, element("div", {class: "segtut-side"}, facts,
      element("label", {}, "Scene shows ", view),
      ...(epochs.length > 1 ? [element("label", {}, epochText, slider)] : []))),
    element("div", {class: "segtut-panels"}, ...maps.map(map => map.figure)),
    element("p", {class: "segtut-note"}, "no weight ", bar, " largest weight of the map; even: the weight if all ",
      `${N} places had the same, ${percent(EVEN)}`),
    ...words.nodes);
  picture.onload = update;
  picture.src = data.image;
});
