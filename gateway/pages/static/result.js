// The picture with the heat map over it. Pictures come from the site where it keeps them, or with the answer itself.
export function viewer(root, sources = {}) {
  const box = root.querySelector("[data-viewer]");
  if (!box) return { show() {} };
  const preview = box.querySelector('[data-picture="preview"]'), heat = box.querySelector('[data-picture="heat"]');
  const slider = box.querySelector("input[type=range]"), which = box.querySelector("[data-which]");
  const paint = () => { heat.style.opacity = slider.value / 100; };
  const choose = (kind) => {
    const wish = kind ?? box.querySelector("[name=which-heat]:checked").value;
    const found = sources[wish] ?? sources.imaging ?? sources.staging;
    if (!found) return;
    heat.src = found;
    heat.hidden = false;
    box.querySelector("[data-controls]").hidden = false;
    which.hidden = !(sources.imaging && sources.staging);
    paint();
  };
  const show = (kind, address) => {
    sources[kind] = address;
    if (kind === "preview") {
      preview.src = address;
      box.querySelector("[data-loading]").hidden = true;
    } else choose();
  };
  slider.addEventListener("input", paint);
  which.addEventListener("change", () => choose());
  for (const [kind, address] of Object.entries(sources)) show(kind, address);
  return { show };
}

// On a page of its own: what the site has kept.
const box = document.querySelector("[data-viewer][data-kept]:not([data-kept=''])");
if (box) {
  const kept = box.dataset.kept, { show } = viewer(document);
  show("preview", `${kept}preview.png`);
  for (const kind of ["imaging", "staging"].filter((one) => box.dataset[one])) {
    const image = new Image();
    image.onload = () => show(kind, image.src);
    image.src = `${kept}${kind}.png`;
  }
}
