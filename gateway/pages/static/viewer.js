// The radiograph on a canvas: size and place, brightness and contrast, boxes, heat maps. Without a script the <img> stays.
const MOST = 12, STEP = 1.25, MOVE = 40;
const FULL_RANGE = 255, MIDDLE = 128;

// Returns { show(kind, address) }, which takes the preview and the heat maps as they come; no figure, nothing shown.
export function viewer(figure) {
  if (!figure) return { show() {} };
  const canvas = figure.querySelector("canvas"), image = figure.querySelector("img"), tools = figure.querySelector("[data-tools]");
  const button = (name) => figure.querySelector(`[data-do="${name}"]`);
  const slider = (name) => figure.querySelector(`[data-tone="${name}"]`);
  const boxes = JSON.parse(figure.dataset.boxes), kept = figure.dataset.kept;
  const addresses = {}, maps = {};
  const toned = document.createElement("canvas");
  let gray = null;
  const view = { zoom: 1, x: 0, y: 0, inverted: false, boxes: true, map: "" };

  // What is drawn --------------------------------------------------------------------------------------------------
  function tone() {
    const level = Number(slider("level").value), width = Number(slider("window").value), low = level - width / 2;
    const table = new Uint8ClampedArray(256);
    for (let value = 0; value < 256; value++) {
      const shown = ((value - low) / width) * 255;
      table[value] = view.inverted ? 255 - Math.min(255, Math.max(0, shown)) : shown;
    }
    const pixels = toned.getContext("2d").createImageData(toned.width, toned.height);
    for (let at = 0; at < gray.length; at++) {
      pixels.data[4 * at] = pixels.data[4 * at + 1] = pixels.data[4 * at + 2] = table[gray[at]];
      pixels.data[4 * at + 3] = 255;
    }
    toned.getContext("2d").putImageData(pixels, 0, 0);
    draw();
  }

  // Screen pixels to a pixel of the picture, and where its corner lies.
  function placed() {
    const fit = Math.min(canvas.width / toned.width, canvas.height / toned.height), scale = fit * view.zoom;
    const spare = (side, whole) => Math.max(0, (whole * scale - side) / 2);
    view.x = Math.min(spare(canvas.width, toned.width), Math.max(-spare(canvas.width, toned.width), view.x));
    view.y = Math.min(spare(canvas.height, toned.height), Math.max(-spare(canvas.height, toned.height), view.y));
    return { scale, left: (canvas.width - toned.width * scale) / 2 + view.x, top: (canvas.height - toned.height * scale) / 2 + view.y };
  }

  function draw() {
    if (!gray) return;
    const screen = canvas.getContext("2d"), { scale, left, top } = placed();
    screen.fillStyle = "#000";
    screen.fillRect(0, 0, canvas.width, canvas.height);
    screen.drawImage(maps[view.map] ?? toned, left, top, toned.width * scale, toned.height * scale);
    if (view.boxes) drawBoxes(screen, scale, left, top);
    canvas.style.touchAction = view.zoom > 1 ? "none" : "pan-x pan-y";
    Object.assign(canvas.dataset, { zoom: view.zoom.toFixed(2), inverted: view.inverted, boxes: view.boxes, map: view.map });
  }

  function drawBoxes(screen, scale, left, top) {
    const ratio = devicePixelRatio || 1, size = 13 * ratio;
    screen.lineWidth = 2 * ratio;
    screen.font = `600 ${size}px system-ui, sans-serif`;
    screen.textBaseline = "top";
    for (const { box, lines } of boxes) {
      const [x, y, width, height] = box.map((side) => side * scale);
      screen.strokeStyle = "#ffd75e";
      screen.strokeRect(left + x, top + y, width, height);
      // Under the box; over it where there is no room, and never beyond the right edge.
      const below = top + y + height + 4 * ratio, all = lines.length * size * 1.35;
      const first = below + all <= canvas.height ? below : Math.max(2 * ratio, top + y - 4 * ratio - all);
      lines.forEach((line, place) => {
        const at = first + place * size * 1.35, wide = screen.measureText(line).width + 8 * ratio;
        const from = Math.max(0, Math.min(left + x, canvas.width - wide));
        screen.fillStyle = "rgba(0, 0, 0, .72)";
        screen.fillRect(from, at - 2 * ratio, wide, size * 1.35);
        screen.fillStyle = "#ffd75e";
        screen.fillText(line, from + 4 * ratio, at, canvas.width - 8 * ratio);
      });
    }
  }

  function fit() {
    const ratio = devicePixelRatio || 1, { clientWidth, clientHeight } = canvas;
    if (!clientWidth) return; // in a closed fold
    canvas.width = Math.round(clientWidth * ratio);
    canvas.height = Math.round(clientHeight * ratio);
    draw();
  }

  // What is done ---------------------------------------------------------------------------------------------------
  // The point under (x, y), canvas pixels from the middle, stays where it is.
  function zoom(by, x = 0, y = 0) {
    const before = view.zoom;
    view.zoom = Math.min(MOST, Math.max(1, before * by));
    const grown = view.zoom / before;
    view.x = x - (x - view.x) * grown;
    view.y = y - (y - view.y) * grown;
    draw();
  }
  const move = (x, y) => { view.x += x; view.y += y; draw(); };
  function tones(brighter, wider) {
    const change = (name, by) => { slider(name).value = Number(slider(name).value) + by; };
    change("level", -brighter);
    change("window", wider);
    tone();
  }
  function press(name, on) {
    view[name] = on;
    button(name === "inverted" ? "invert" : name)?.setAttribute("aria-pressed", on);
  }
  const doing = {
    in: () => zoom(STEP),
    out: () => zoom(1 / STEP),
    invert() { press("inverted", !view.inverted); tone(); },
    boxes() { press("boxes", !view.boxes); draw(); },
    full: () => (document.fullscreenElement ? document.exitFullscreen() : figure.requestFullscreen()),
    reset() {
      Object.assign(view, { zoom: 1, x: 0, y: 0 });
      press("inverted", false);
      press("boxes", true);
      slider("level").value = MIDDLE;
      slider("window").value = FULL_RANGE;
      choose("");
      tone();
    },
  };
  if (!document.fullscreenEnabled) button("full").hidden = true;
  tools.addEventListener("click", (event) => doing[event.target.closest("[data-do]")?.dataset.do]?.());
  for (const name of ["level", "window"]) slider(name).addEventListener("input", tone);

  const KEYS = {
    "+": "in", "=": "in", "-": "out", _: "out", i: "invert", b: "boxes", f: "full", 0: "reset",
    ArrowLeft: [MOVE, 0], ArrowRight: [-MOVE, 0], ArrowUp: [0, MOVE], ArrowDown: [0, -MOVE],
  };
  canvas.addEventListener("keydown", (event) => {
    const wish = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!wish || event.ctrlKey || event.metaKey || event.altKey) return;
    if (Array.isArray(wish)) {
      if (view.zoom === 1) return; // there is nothing to move: the page scrolls
      move(...wish);
    } else if (event.repeat && !["in", "out"].includes(wish)) return;
    else doing[wish]();
    event.preventDefault();
  });

  // Pointer: one moves, two pinch, the right button or Shift sets the tones ------------------------------------------
  const pointers = new Map();
  const fromMiddle = (event) => {
    const { left, top, width, height } = canvas.getBoundingClientRect(), ratio = canvas.width / width;
    return [(event.clientX - left - width / 2) * ratio, (event.clientY - top - height / 2) * ratio];
  };
  const spread = ([one, other]) => Math.hypot(one[0] - other[0], one[1] - other[1]);
  canvas.addEventListener("pointerdown", (event) => {
    pointers.set(event.pointerId, fromMiddle(event));
    if (pointers.size === 2 || view.zoom > 1 || event.pointerType === "mouse") canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId), now = fromMiddle(event);
    if (!before) return;
    const far = pointers.size === 2 ? spread([...pointers.values()]) : 0;
    pointers.set(event.pointerId, now);
    if (far) {
      const [one, other] = [...pointers.values()];
      zoom(spread([one, other]) / far, (one[0] + other[0]) / 2, (one[1] + other[1]) / 2);
    } else if (event.shiftKey || event.buttons & 2) tones((before[1] - now[1]) / 2, now[0] - before[0]);
    else move(now[0] - before[0], now[1] - before[1]);
  });
  for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, (event) => pointers.delete(event.pointerId));
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("wheel", (event) => {
    if (view.zoom === 1 && event.deltaY > 0) return; // it cannot get smaller: the page scrolls
    event.preventDefault();
    zoom(event.deltaY < 0 ? STEP : 1 / STEP, ...fromMiddle(event));
  }, { passive: false });
  canvas.addEventListener("dblclick", (event) => zoom(2, ...fromMiddle(event)));
  new ResizeObserver(fit).observe(canvas);

  // The pictures -----------------------------------------------------------------------------------------------------
  function choose(kind) {
    view.map = kind;
    for (const one of figure.querySelectorAll("[name=heat]")) one.checked = one.value === kind;
    const address = addresses[kind] ?? (kept && kind ? `${kept}${kind}.webp` : null);
    if (!kind || maps[kind] || !address) return draw();
    const map = new Image();
    map.onload = () => { maps[kind] = map; draw(); };
    map.onerror = () => { figure.querySelector(`[data-map="${kind}"]`).hidden = true; choose(""); };
    map.src = address;
  }
  figure.addEventListener("change", (event) => { if (event.target.name === "heat") choose(event.target.value); });

  function ready() {
    toned.width = image.naturalWidth;
    toned.height = image.naturalHeight;
    const screen = toned.getContext("2d", { willReadFrequently: true });
    screen.drawImage(image, 0, 0);
    const { data } = screen.getImageData(0, 0, toned.width, toned.height);
    gray = new Uint8Array(data.length / 4);
    for (let at = 0; at < gray.length; at++) gray[at] = data[4 * at];
    image.hidden = true;
    canvas.hidden = tools.hidden = false;
    figure.querySelector("[data-loading]").hidden = true;
    fit();
    tone();
  }
  image.addEventListener("load", ready);
  if (image.complete && image.naturalWidth) ready();

  return {
    show(kind, address) {
      addresses[kind] = address;
      if (kind === "preview") image.src = address;
    },
  };
}
