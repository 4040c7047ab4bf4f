// Reach: which positions can influence u after R passes, and in how many ways; and the ways from one of them, t.
segtut.widget((live, data) => {
  const {element, svg} = segtut, {H, W, passes} = data;
  const number = ([i, j]) => i * W + j;
  let [u, t] = [number(data.pixel), number(data.source)];
  let R = data.R, moves = "u", over = null, reach;

  const row = p => Math.floor(p / W), column = p => p % W;
  const pair = p => `(${row(p)}, ${column(p)})`;
  const ways = n => `${n} way${n === 1 ? "" : "s"}`;

  // One pass: each position takes from its row and its column, from itself once.
  function pass(before) {
    const rows = Array(H).fill(0), columns = Array(W).fill(0);
    before.forEach((n, p) => { rows[row(p)] += n; columns[column(p)] += n; });
    return before.map((n, p) => rows[row(p)] + columns[column(p)] - n);
  }

  const cross = p => [
    ...Array.from({length: H}, (_, h) => h * W + column(p)).filter(s => s !== p),
    ...Array.from({length: W}, (_, w) => row(p) * W + w)];

  // All ways from p to u in r steps; they are made one by one, so that one can stop.
  function* routes(p, r) {
    if (r === 0) yield [p];
    else for (const s of cross(p))
      if (reach[r - 1][s]) for (const rest of routes(s, r - 1)) yield [p, ...rest];
  }

  // The first that never stays where it is, if there is one.
  function example(p) {
    let first;
    for (const way of routes(p, R)) {
      first ??= way;
      if (way.every((s, k) => k === 0 || s !== way[k - 1])) return way;
    }
    return first;
  }

  const KINDS = [["off its row and column", (i, j) => i && j], ["in its column", (i, j) => i && !j],
    ["in its row", (i, j) => !i && j], ["itself", (i, j) => !i && !j]];
  function kinds() {
    return KINDS.map(([name, holds]) => {
      const p = reach[R].findIndex((_, p) => holds(row(p) !== row(u), column(p) !== column(u)));
      return {name, holds, n: p < 0 ? 0 : reach[R][p], some: p >= 0};
    }).filter(kind => kind.some);
  }

  const board = segtut.board({
    H, W, type: data.type, label: `Grid of ${H} rows and ${W} columns. Arrow keys move the position, with shift by five.`,
    pick: (i, j) => { if (moves === "u") u = number([i, j]); else t = number([i, j]); over = null; update(); },
    hover: (i, j) => { over = i === null ? null : number([i, j]); update(); },
  });
  const frameOf = colour => svg("g", {}, ...[["var(--paper)", 15], [colour, 9]].map(([stroke, width]) => svg("rect",
    {x: 3, y: 3, width: 94, height: 94, rx: 10, fill: "none", style: `stroke: ${stroke}; stroke-width: ${width}`})));
  const WAY = "#d55e00", marks = {u: frameOf("var(--ink)"), t: frameOf(WAY)};
  const heads = svg("g");
  board.over.append(marks.t, marks.u, heads);
  const put = (mark, p) => mark.setAttribute("transform", `translate(${100 * column(p)} ${100 * row(p)})`);
  const centre = p => [100 * column(p) + 50, 100 * row(p) + 50];

  // Lines from t to u with an arrowhead at the rim of u, and a ring around every position on the way.
  function drawn(way) {
    const stops = way.filter((p, k) => k === 0 || p !== way[k - 1]);
    const made = way.slice(1, -1).map(p => svg("circle", {cx: centre(p)[0], cy: centre(p)[1], r: 41, fill: "none",
      style: `stroke: ${WAY}; stroke-width: 6`}));
    if (stops.length > 1) {
      const [from, to] = stops.slice(-2).map(centre), [x, y] = [0, 1].map(k => Math.sign(to[k] - from[k]));
      const [tipX, tipY] = [to[0] - 42 * x, to[1] - 42 * y];
      const points = [...stops.slice(0, -1).map(centre), [tipX - 20 * x, tipY - 20 * y]].join(" ");
      made.unshift(...[["var(--paper)", 15], [WAY, 8]].map(([stroke, width]) =>
        svg("polyline", {points, fill: "none", style: `stroke: ${stroke}; stroke-width: ${width}`})),
      svg("polygon", {style: `fill: ${WAY}; stroke: var(--paper); stroke-width: 4`, points: [[tipX, tipY],
        ...[1, -1].map(side => [tipX - 24 * x + 18 * side * y, tipY - 24 * y + 18 * side * x])].join(" ")}));
    }
    return made;
  }

  const legend = element("p", {class: "segtut-note segtut-legend"});
  const words = segtut.words();
  // From few ways to many: a chip and a cell of the same colour. Text in the ink of the page, or in its paper.
  const SHARES = [16, 38, 84, 100];
  const fill = level => level < 0 ? "var(--wash)" : `color-mix(in srgb, var(--accent) ${SHARES[level]}%, var(--paper))`;
  const ink = level => level < 0 ? "var(--soft)" : level < 2 ? "var(--ink)" : "var(--paper)";

  function update() {
    reach = [Array(H * W).fill(0)];
    reach[0][u] = 1;
    for (let r = 0; r < passes; r++) reach.push(pass(reach[r]));
    const found = kinds(), counts = [...new Set(found.map(kind => kind.n))].filter(n => n).sort((a, b) => a - b);
    const level = n => n === 0 ? -1 : counts.length === 1 ? 1 : counts.indexOf(n);
    reach[R].forEach((n, p) => {
      const {square, text} = board.cells[p];
      square.style.fill = fill(level(n));
      Object.assign(text.style, {fill: ink(level(n)), stroke: fill(level(n))});
      text.textContent = n;
    });
    const start = over ?? t, count = reach[R][start];
    put(marks.u, u);
    put(marks.t, start);
    board.place(...[row, column].map(of => of(moves === "u" ? u : t)));
    const shown = !count ? [] : R <= 2 ? [...routes(start, R)] : [example(start)];
    const parts = shown.flatMap(drawn), isHead = part => part.tagName === "polygon";
    board.under.replaceChildren(...parts.filter(part => !isHead(part)));
    heads.replaceChildren(...parts.filter(isHead));

    legend.replaceChildren(...found.flatMap(({name, n}) => [element("span", {},
      element("span", {class: "segtut-chip", style: `background: ${fill(level(n))}`}), `${n}: ${name}`), " "]));
    const reached = reach[R].filter(n => n).length, all = reach[R].reduce((a, b) => a + b, 0);
    const lead = `u is in row ${row(u)}, column ${column(u)}. `;
    words.say(R === 0 ? `${lead}Before any pass it depends on itself alone.` : lead
      + `After ${R} pass${R === 1 ? "" : "es"} it can depend on ${reached === H * W ? "all" : `${reached} of`} ${H * W} `
      + `positions, in ${ways(all)}: `
      + found.filter(({n}) => n).map(({name, n}) => `${n} from ${name === "itself" ? "" : "each position "}${name}`).join(", ")
      + `. From t = ${pair(start)}: ` + (!count ? "none" : ways(count) + (count > 2 ? ", e.g. " : ", ")
        + (count > 2 ? [example(start)] : shown).map(way => way.map(pair).join(" → ")).join(" and ")) + ".");
  }

  const chip = colour => element("span", {class: "segtut-chip", style: `border: 3px solid ${colour}; background: none`});
  live.append(
    segtut.choice("Passes R", Object.fromEntries(Array.from({length: passes + 1}, (_, r) => [r, String(r)])), R,
      value => { R = Number(value); update(); }),
    segtut.choice("Move", {u: [chip("currentColor"), "u, which looks"], t: [chip(WAY), "t, seen"]}, moves,
      value => { moves = value; update(); }),
    board.frame, legend, ...words.nodes);
  update();
});
