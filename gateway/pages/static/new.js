// The form of a new assessment: picture, questions, sending, and keeping all of it until it was taken.
import { adjuster } from "./adjust.js";
import { camera } from "./camera.js";
import { canHold, forget, hold, keep, kept, unlock } from "./draft.js";
import { Refused, send } from "./send.js";
import { viewer } from "./viewer.js";

const $ = (id) => document.getElementById(id);
const form = $("assessment"), image = $("image");
let account = document.body.dataset.account || null;
const newKey = () => crypto.randomUUID?.() ?? String(Math.random()).slice(2) + Date.now();
// Whom the form is for, where it was opened from a patient's page; the copy for the time without a link knows the address.
const patient = form.dataset.patient || new URLSearchParams(location.search).get("patient") || "";
let key = newKey();
let photo = null, sending = false, waits = false; // `waits`: sent without a link, from this very page

const say = (what) => {
  for (const one of $("draft-notice").children) one.hidden = one.dataset.say !== what;
  $("draft-notice").hidden = !what;
};

// The picture -----------------------------------------------------------------------------------------------------
function picture(file) {
  photo = file;
  const shown = $("chosen-picture");
  if (shown.src) URL.revokeObjectURL(shown.src);
  shown.hidden = !file || !file.type.startsWith("image/");
  // Only what the browser can draw can be straightened here: no DICOM, TIFF or HEIC.
  $("picture-adjust").hidden = true;
  shown.onload = () => { $("picture-adjust").hidden = false; };
  if (!shown.hidden) shown.src = URL.createObjectURL(file);
  $("chosen-name").textContent = file ? `${file.name} (${(file.size / 1e6).toFixed(1)} MB)` : "";
  $("picture-remove").hidden = !file;
}
image.addEventListener("change", () => { if (image.files[0]) { picture(image.files[0]); save(); } });
$("picture-remove").addEventListener("click", () => { image.value = ""; picture(null); save(); image.focus(); });
const drop = $("drop");
for (const name of ["dragover", "dragleave", "drop"]) drop.addEventListener(name, (event) => {
  event.preventDefault();
  drop.classList.toggle("over", name === "dragover");
  if (name === "drop" && event.dataTransfer.files[0]) { picture(event.dataTransfer.files[0]); save(); }
});
const ask = adjuster();
camera((file) => { picture(file); save(); }, ask);
$("picture-adjust").addEventListener("click", async () => {
  const file = await ask(photo, false);
  if (file) { picture(file); save(); }
  $("picture-adjust").focus();
});

// The questions ---------------------------------------------------------------------------------------------------
const isAnswered = (question) => [...question.querySelectorAll("input, select")].some((field) =>
  field.name && !/_(measure|site|device)$/.test(field.name) && (["radio", "checkbox"].includes(field.type) ? field.checked && field.value : field.value));

// Some sections are asked of some genders only; the empty one is not answered yet.
const isAsked = (section) => !section?.dataset.genders || section.dataset.genders.split(",").includes(form.elements.gender.value);

function refresh() {
  for (const box of form.querySelectorAll("[data-unknown]")) box.checked = !form.elements[box.dataset.unknown].value;
  for (const part of form.querySelectorAll("[data-when]")) {
    const [name, value] = part.dataset.when.split("=");
    part.hidden = form.elements[name].value !== value;
  }
  for (const section of form.querySelectorAll(".section")) {
    section.hidden = !isAsked(section);
    const count = [...section.querySelectorAll("[data-question]")].filter(isAnswered).length;
    const words = section.querySelector("[data-count]");
    words.textContent = count ? words.dataset.one.replace("{count}", count) : "";
  }
}
form.addEventListener("input", (event) => {
  const unknown = event.target.dataset.unknown;
  if (unknown) {
    if (event.target.checked) form.elements[unknown].value = "";
    else { form.elements[unknown].focus(); return; }
  }
  refresh();
  save();
});

// What is kept ----------------------------------------------------------------------------------------------------
const fields = () => [...entries()].filter(([name, value]) => name !== "csrf" && typeof value === "string" && value);
function* entries() {
  for (const [name, value] of new FormData(form)) {
    if (name === "image") continue;
    if (!isAsked(form.querySelector(`[name="${CSS.escape(name)}"]`)?.closest("[data-genders]"))) continue;
    yield [name, value];
  }
}
let pending = 0;
function save(waiting = false) {
  clearTimeout(pending);
  hold(key);
  const draft = () => keep({ account, patient, fields: fields(), image: photo, key, waiting });
  if (waiting) return draft();
  pending = setTimeout(draft, 300);
}

// A form that was kept comes back only when somebody says so: it may be another patient's.
async function offer() {
  const draft = await kept(patient);
  // Somebody else's on a shared computer: app.js forgets it.
  if (!draft || (draft.account && account && draft.account !== account)) return false;
  const value = (name) => draft.fields.find(([field]) => field === name)?.[1];
  const box = $("kept"), facts = [];
  const number = value("patient_number");
  facts.push(number ? box.dataset.patient.replace("{number}", number) : box.dataset.nobody);
  if (value("age")) facts.push(box.dataset.age.replace("{age}", value("age")));
  if (draft.image) facts.push(draft.image.name);
  facts.push(new Intl.DateTimeFormat(`${document.documentElement.lang}-IN`, { dateStyle: "medium", timeStyle: "short" }).format(draft.at));
  $("kept-facts").textContent = facts.join(" · ");
  box.querySelector("[data-kept=waiting]").hidden = !draft.waiting;
  box.querySelector("[data-kept=unsent]").hidden = draft.waiting;
  $("kept-send").hidden = !draft.waiting;
  const elsewhere = draft.patient !== patient;
  const take = async () => {
    if (elsewhere) { location.assign(draft.patient ? `/new?patient=${encodeURIComponent(draft.patient)}` : "/new"); return false; }
    if (!(await hold(draft.key))) { box.hidden = true; return false; } // another tab was faster
    clearTimeout(pending);
    if (key !== draft.key) await forget(key);
    restore(draft);
    box.hidden = true;
    return true;
  };
  $("kept-go-on").onclick = async () => { if (await take()) say("restored"); };
  $("kept-send").onclick = async () => { if (await take()) submit(); };
  $("kept-discard").onclick = async () => { await forget(draft.key); box.hidden = true; if (!(await offer())) form.querySelector("input, select").focus(); };
  box.hidden = false;
  return true;
}

function restore(draft) {
  form.reset();
  // Without locks the tab that wrote it may be open still, and would send the same key.
  key = canHold ? draft.key : newKey();
  if (key !== draft.key) forget(draft.key);
  picture(draft.image ?? null);
  for (const [name, value] of draft.fields) {
    if (name === "patient_number" && form.dataset.patient) continue; // fixed by the page
    const article = form.elements[name];
    for (const one of article instanceof RadioNodeList ? article : article ? [article] : []) {
      if (["radio", "checkbox"].includes(one.type)) one.checked = one.value === value || (one.type === "checkbox" && one.checked);
      else one.value = value;
    }
  }
  for (const section of form.querySelectorAll("details.section")) section.open ||= [...section.querySelectorAll("[data-question]")].some(isAnswered);
  refresh();
  save();
}
$("start-over").addEventListener("click", async () => { clearTimeout(pending); await forget(key); location.assign(location.pathname + location.search); });

// Sending ---------------------------------------------------------------------------------------------------------
async function session() {
  const answer = await fetch("/session", { headers: { Accept: "application/json" }, cache: "no-store" });
  if (!answer.ok) throw new Error("no connection");
  const told = await answer.json();
  unlock(told.account, told.draft_key);
  return told;
}

const part = (name, state) => {
  const line = document.querySelector(`[data-part="${name}"]`);
  if (!line) return;
  line.className = state;
  const words = line.querySelector(".state");
  words.textContent = words.dataset[state];
};

const OF_PICTURE = ["unreadable-image", "unsupported-image", "image-too-large", "image-refused", "upload-too-large"];
function clearErrors() {
  for (const one of form.querySelectorAll("[aria-invalid]")) {
    one.removeAttribute("aria-invalid");
    if (one.dataset.described) one.setAttribute("aria-describedby", one.dataset.described); else one.removeAttribute("aria-describedby");
  }
  for (const one of form.querySelectorAll(".field-error")) one.remove();
}

// What is wrong with a question stands at the question, and is read with it.
function mark(question, input, message) {
  const words = document.createElement("p");
  words.className = "field-error";
  words.id = `error-${question.dataset.question}`;
  words.textContent = message;
  question.append(words);
  input.setAttribute("aria-invalid", "true");
  input.dataset.described = input.getAttribute("aria-describedby") ?? "";
  input.setAttribute("aria-describedby", `${input.dataset.described} ${words.id}`.trim());
}

// Numbers that cannot be: told in the reader's words before anything is sent.
const impossible = () => [...form.querySelectorAll("input[type=number][data-range]")].filter((one) => !one.validity.valid)
  .map((one) => ({ field: one.closest("[data-question]").dataset.question, message: one.dataset.range }));

function refuse(problem) {
  $("progress").hidden = true;
  $("asking").hidden = false;
  // Beside the picture where it is about the picture, else beside the button.
  if (OF_PICTURE.includes(problem.slug)) $("drop").before($("refused")); else form.querySelector(".row.go").before($("refused"));
  const words = document.querySelector(`#problem-words`).content.querySelector(`[data-slug="${problem.slug}"]`);
  $("refused-title").textContent = problem.title ?? words?.textContent ?? "";
  $("refused-detail").textContent = words?.dataset.detail ?? problem.detail ?? "";
  $("refused-fields").replaceChildren();
  clearErrors();
  const named = problem.errors ?? (problem.field ? [{ field: problem.field, message: problem.detail }] : []);
  if (named.length) $("refused-detail").textContent = "";
  for (const { field, message } of named) {
    const name = field.replace(/^clinical\./, "").split(".")[0];
    const question = form.querySelector(`[data-question="${name}"]`);
    const title = question?.querySelector("label, legend")?.textContent ?? name;
    const link = document.createElement(question ? "a" : "span");
    link.textContent = `${title}: ${message}`;
    if (question) {
      const input = question.querySelector("input, select");
      mark(question, input, message);
      link.href = `#${input.id}`;
      link.addEventListener("click", (event) => {
        event.preventDefault();
        const section = question.closest("details");
        if (section) section.open = true;
        input.focus();
      });
    }
    const item = document.createElement("li");
    item.append(link);
    $("refused-fields").append(item);
  }
  $("refused").hidden = false;
  $("refused").focus();
}

async function submit() {
  if (sending) return;
  const wrong = impossible();
  if (wrong.length) { refuse({ slug: "invalid-record", errors: wrong }); return; }
  sending = true;
  waits = false;
  clearErrors();
  $("refused").hidden = true;
  say(null);
  clearTimeout(pending);
  try {
    if (!navigator.onLine) throw new Error("no connection");
    const { account: now, form_token: token } = await session();
    if (!now) { await save(true); say("expired"); $("draft-notice").scrollIntoView(); return; }
    account = now;
    await save(true);
    await assess(token);
  } catch (error) {
    $("progress").hidden = true;
    $("asking").hidden = false;
    if (error instanceof Refused) {
      await forget(key);
      key = newKey();
      await hold(key);
      await keep({ account, patient, fields: fields(), image: photo, key, waiting: false });
      if (error.problem.slug === "not-authenticated") say("expired");
      else refuse(error.problem);
    } else { waits = true; await save(true); say("waiting"); watch(); $("draft-notice").scrollIntoView({ block: "center" }); }
  } finally {
    sending = false;
  }
}

// The browser does not always tell that the connection is back: a form that waits asks for it every few seconds.
const ASK_AGAIN_MS = 5000;
let watching = 0;
function watch() {
  clearTimeout(watching);
  watching = setTimeout(async () => {
    if (sending || !waits) return;
    try { await session(); } catch { return watch(); }
    submit();
  }, ASK_AGAIN_MS);
}

async function assess(token) {
  const body = new FormData();
  for (const [name, value] of entries()) if (value) body.append(name, value);
  if (photo) body.set("image", photo, photo.name || "picture");
  $("asking").hidden = true;
  $("progress").hidden = false;
  $("progress").querySelector("h2").focus();
  const asked = { imaging: Boolean(photo), staging: Boolean(photo), clinical: [...form.querySelectorAll("[data-question]")].some(isAnswered), recommender: true };
  for (const name of Object.keys(asked)) part(name, asked[name] ? "waiting" : "none");
  let show = null;
  await send(body, token, key, {
    uploaded(loaded, total) {
      $("upload").value = total ? (100 * loaded) / total : 0;
      $("upload-words").textContent = `${Math.round($("upload").value)} %`;
      if (loaded === total) for (const name of ["imaging", "clinical"]) if (asked[name]) part(name, "working");
    },
    retrying() { $("retrying").hidden = false; },
    line(message) {
      $("retrying").hidden = true;
      if (message.part) {
        part(message.part, "done");
        if (message.part === "imaging") part("staging", "working");
        if (message.part === "recommender" && !document.querySelector('[data-part="staging"].done')) part("staging", "none");
      }
      if (message.html) show = result(message);
      if (message.picture) show(message.picture, address(message.webp));
    },
  });
}

function result(message) {
  forget(key);
  $("progress").hidden = true;
  $("kept").hidden = true;
  const shown = new DOMParser().parseFromString(message.html, "text/html").body;
  $("outcome").removeAttribute("aria-live");
  $("outcome").replaceChildren(...shown.children);
  history.pushState(null, "", message.address);
  document.body.dataset.path = location.pathname; // see app.js
  document.title = $("outcome").querySelector("article").dataset.title;
  for (const link of document.querySelectorAll("header [aria-current]")) link.removeAttribute("aria-current");
  scrollTo(0, 0);
  $("outcome").querySelector("h1").focus({ preventScroll: true });
  performance.mark("result");
  return viewer($("outcome").querySelector("[data-viewer]")).show;
}

function address(webp) {
  const bytes = Uint8Array.from(atob(webp), (letter) => letter.charCodeAt(0));
  return URL.createObjectURL(new Blob([bytes], { type: "image/webp" }));
}

form.addEventListener("submit", (event) => { event.preventDefault(); submit(); });

document.querySelector("[data-say=expired] a").href = `/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`;

// The start -------------------------------------------------------------------------------------------------------
refresh();
// Asked for before anything else: a form that another tab or a closed browser has kept opens with what the session tells.
const isOffline = !navigator.onLine || (await session().then(() => false, () => true));
await offer();
if (isOffline) say("offline");
addEventListener("online", () => { if (waits) submit(); else if (!$("draft-notice").querySelector("[data-say=offline]").hidden) say(null); });
addEventListener("offline", () => say("offline"));
