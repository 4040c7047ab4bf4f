// What all widgets share. `segtut.widget(build)` unpacks the data and calls build(root, data, arrays), which adds
// to root; only then does the still picture give way.
const segtut = {
  // element("p", {class: "x", onclick: f}, "text", child)
  element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (value !== false && value !== undefined) made.setAttribute(name, value === true ? "" : value);
    }
    made.append(...children);
    return made;
  },

  async unpack(data) {
    const bytes = Uint8Array.from(atob(data.packed), letter => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    const buffer = await new Response(stream).arrayBuffer();
    const arrays = {};
    let start = 0;
    for (const [name, kind, length] of data.arrays) {
      arrays[name] = kind === "f" ? new Float32Array(buffer, start, length) : new Uint8Array(buffer, start, length);
      start += length * (kind === "f" ? 4 : 1);
    }
    return arrays;
  },

  async widget(build) {
    const root = document.getElementById(NAME);
    // a browser from before 2023 cannot unpack: the still picture stays
    if (!root || typeof DecompressionStream === "undefined") return;
    const arrays = await segtut.unpack(DATA);
    const live = segtut.element("div", {class: "segtut-live"});
    build(live, DATA, arrays);
    root.append(live);
    root.classList.add("segtut-on");
    live.dispatchEvent(new Event("segtut-shown"));
  },

  svg(tag, attributes = {}, ...children) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  },

  // Lets one choose among the H×W cells that fill `surface` within `frame`: `pick(row, column)` is called on click, tap,
  // drag and arrow keys, `hover(row, column)` or `hover(null)` as a pointer moves. Arrow keys start from place.row and
  // place.column, and without a label there are none. A finger drags only from an element of class segtut-handle;
  // elsewhere it scrolls the page.
  steer(frame, surface, place, {H, W, label, pick, hover}) {
    let dragging = false;
    const at = event => {
      const box = surface.getBoundingClientRect();
      const within = (value, size) => Math.max(0, Math.min(size - 1, Math.floor(value * size)));
      return [within((event.clientY - box.top) / box.height, H), within((event.clientX - box.left) / box.width, W)];
    };
    if (pick && label) {
      // arrow keys reach an application as they are, also with a screen reader
      for (const [name, value] of Object.entries({tabindex: 0, role: "application", "aria-label": label}))
        frame.setAttribute(name, value);
      frame.addEventListener("keydown", event => {
        const step = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1]}[event.key];
        if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
        event.preventDefault();
        const far = event.shiftKey ? 5 : 1;
        pick(Math.max(0, Math.min(H - 1, place.row + far * step[0])),
             Math.max(0, Math.min(W - 1, place.column + far * step[1])));
      });
    }
    if (pick) {
      frame.addEventListener("pointerdown", event => {
        dragging = event.pointerType === "mouse" || event.target.classList.contains("segtut-handle");
        if (dragging) pick(...at(event));
        if (label) frame.focus({preventScroll: true, focusVisible: false});
      });
      // a finger chooses when it has tapped: one that scrolls chooses nothing
      frame.addEventListener("click", event => pick(...at(event)));
    }
    // without this the page would scroll under a finger that drags
    frame.addEventListener("touchstart", event => {
      if (event.target.classList.contains("segtut-handle")) event.preventDefault();
    }, {passive: false});
    frame.addEventListener("pointermove", event => {
      if (pick && dragging && event.buttons === 1) pick(...at(event));
      if (hover && event.pointerType !== "touch") hover(...at(event));
    });
    if (hover) frame.addEventListener("pointerleave", () => hover(null));
  },

  // A canvas of H×W cells that `draw(context, width, height, cell)` paints; the rest as in `steer`.
  grid({H, W, draw, pixels = 640, ...steering}) {
    const canvas = segtut.element("canvas", {width: pixels, height: Math.round(pixels * H / W), "aria-hidden": "true"});
    const frame = segtut.element("div", {class: "segtut-grid"}, canvas);
    const grid = {frame, canvas, row: 0, column: 0};
    grid.paint = () => {
      const context = canvas.getContext("2d");
      context.clearRect(0, 0, canvas.width, canvas.height);
      draw(context, canvas.width, canvas.height, canvas.width / W);
    };
    segtut.steer(frame, canvas, grid, {H, W, ...steering});
    return grid;
  },

  // H×W cells as a drawing, numbered at its left and its top: each has a square and a text; `under` and `over` the texts
  // is room for lines. A unit is a hundredth of a cell. The texts, of size `type`, are hidden where they would be too
  // small to read. `place(row, column)` says where the chosen cell is.
  board({H, W, type = 36, largest = 56, ...steering}) {
    const {svg} = segtut, [left, top] = [62, 48];
    const squares = svg("g"), under = svg("g"), texts = svg("g"), over = svg("g"), cells = [];
    const surface = svg("rect", {width: 100 * W, height: 100 * H, "fill-opacity": 0});
    const handle = svg("rect", {class: "segtut-handle", width: 100, height: 100, "fill-opacity": 0});
    const names = svg("g", {class: "segtut-axis"});
    const middle = k => 100 * k + 50;
    for (let i = 0; i < H; i++) {
      names.append(svg("text", {x: -left / 2, y: middle(i), "font-size": 33}, String(i)));
      for (let j = 0; j < W; j++) {
        const square = svg("rect", {x: 100 * j + 3, y: 100 * i + 3, width: 94, height: 94, rx: 10});
        const text = svg("text", {x: middle(j), y: middle(i), "font-size": type});
        squares.append(square);
        texts.append(text);
        cells.push({square, text});
      }
    }
    for (let j = 0; j < W; j++) names.append(svg("text", {x: middle(j), y: -top / 2, "font-size": 33}, String(j)));
    const drawing = svg("svg", {viewBox: `${-left} ${-top} ${left + 100 * W} ${top + 100 * H}`, "aria-hidden": "true"},
      names, squares, under, texts, over, surface, handle);
    const frame = segtut.element("div", {class: "segtut-grid segtut-board", style: `max-width: ${largest * W}px`}, drawing);
    const board = {frame, cells, under, over, place(row, column) {
      Object.assign(board, {row, column});
      handle.setAttribute("transform", `translate(${100 * column} ${100 * row})`);
    }};
    new ResizeObserver(() => {
      const cell = drawing.clientWidth / (W + left / 100);
      texts.style.display = cell * type / 100 < 8.5 ? "none" : "";
      names.style.display = cell * 33 / 100 < 7.5 ? "none" : "";
    }).observe(drawing);
    segtut.steer(frame, surface, board, {H, W, ...steering});
    return board;
  },

  // Buttons of which one is pressed.
  choice(label, options, chosen, choose) {
    const buttons = Object.entries(options).map(([value, content]) => {
      const button = segtut.element("button", {type: "button", "aria-pressed": String(value === String(chosen)),
        onclick: () => {
          for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
          choose(value);
        }}, ...[content].flat());
      return button;
    });
    return segtut.element("div", {class: "segtut-choice", role: "group", "aria-label": label},
      segtut.element("span", {"aria-hidden": "true"}, label), ...buttons);
  },

  // A square around a cell, seen on light and on dark.
  mark(context, cell, row, column, colour = "#fff") {
    context.lineJoin = "round";
    for (const [width, style] of [[cell / 4, "#000"], [cell / 9, colour]]) {
      context.lineWidth = width;
      context.strokeStyle = style;
      // at the edge it moves inwards by half of its thickness, or it would be cut
      const within = (place, size) => Math.max(cell / 8, Math.min(size - cell - cell / 8, place * cell));
      context.strokeRect(within(column, context.canvas.width), within(row, context.canvas.height), cell, cell);
    }
  },

  // A text that follows what is chosen; a screen reader hears it when it has settled.
  words() {
    const shown = segtut.element("p", {class: "segtut-words"});
    const heard = segtut.element("p", {class: "segtut-heard", "aria-live": "polite"});
    let timer;
    return {nodes: [shown, heard], say(text) {
      shown.textContent = text;
      clearTimeout(timer);
      timer = setTimeout(() => { heard.textContent = text; }, 400);
    }};
  },

  percent(share) {
    const digits = share >= 0.095 ? 0 : share >= 0.0095 ? 1 : 2;
    return `${(100 * share).toFixed(digits)}\u00a0%`;
  },
};
