// A photograph of a film is straightened and cut to the film before it is sent.
const SIDES = ["left", "right", "top", "bottom"];
const QUALITY = 0.92, SHOWN = 900; // of the JPEG; pixels of the longer side while it is being adjusted

// Returns `ask(file, again)`, which shows the file's picture and resolves to the adjusted file, to null where nobody
// wants it, or to "again" where another is to be taken; `again` says whether that can be chosen.
export function adjuster() {
  const box = document.getElementById("adjust"), canvas = box.querySelector("canvas");
  const slider = (name) => box.querySelector(`[data-slider="${name}"]`), value = (name) => Number(slider(name).value);
  const button = (name) => box.querySelector(`[data-adjust="${name}"]`);
  let picture = null;

  // The whole picture, turned, with the sides that are cut away dark.
  function show() {
    const scale = Math.min(1, SHOWN / Math.max(picture.width, picture.height));
    turned(canvas, scale);
    const screen = canvas.getContext("2d"), { x, y, width, height } = kept(canvas.width, canvas.height);
    screen.fillStyle = "rgba(0, 0, 0, .7)";
    screen.beginPath();
    screen.rect(0, 0, canvas.width, canvas.height);
    screen.rect(x, y, width, height);
    screen.fill("evenodd");
  }
  function turned(onto, scale) {
    [onto.width, onto.height] = [Math.round(picture.width * scale), Math.round(picture.height * scale)];
    const screen = onto.getContext("2d");
    screen.translate(onto.width / 2, onto.height / 2);
    screen.rotate((value("turn") * Math.PI) / 180);
    screen.drawImage(picture, -onto.width / 2, -onto.height / 2, onto.width, onto.height);
    screen.setTransform(1, 0, 0, 1, 0, 0);
  }
  function kept(width, height) {
    const [left, right, top, bottom] = SIDES.map((side) => value(side) / 100);
    const x = Math.round(left * width), y = Math.round(top * height);
    return { x, y, width: Math.round((1 - right) * width) - x, height: Math.round((1 - bottom) * height) - y };
  }
  function cut() {
    const whole = document.createElement("canvas"), part = document.createElement("canvas");
    turned(whole, 1);
    const { x, y, width, height } = kept(whole.width, whole.height);
    [part.width, part.height] = [width, height];
    part.getContext("2d").drawImage(whole, -x, -y);
    return new Promise((resolve) => part.toBlob(resolve, "image/jpeg", QUALITY));
  }
  box.addEventListener("input", show);

  return async function ask(file, again) {
    picture = await createImageBitmap(file);
    for (const name of ["turn", ...SIDES]) slider(name).value = 0;
    button("again").hidden = !again;
    box.hidden = false;
    show();
    slider("turn").focus();
    const choice = await new Promise((resolve) => { box.onclick = (event) => { const { adjust } = event.target.dataset; if (adjust) resolve(adjust); }; });
    const isAsItWas = ["turn", ...SIDES].every((name) => value(name) === 0);
    const made = choice === "use" && (isAsItWas ? file : new File([await cut()], file.name.replace(/\.\w+$/, "") + ".jpg", { type: "image/jpeg" }));
    box.hidden = true;
    picture.close();
    return choice === "again" ? "again" : made || null;
  };
}
