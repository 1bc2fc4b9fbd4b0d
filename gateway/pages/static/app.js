// On every page: the offline copy, what is printed, what an invitation's link carries, and forms that outlive a session.
import { forgetAll, forgetOthers } from "./draft.js";

const account = document.body.dataset.account;
if ("serviceWorker" in navigator) navigator.serviceWorker.register("/service-worker.js").catch(() => {});

if (account) forgetOthers(account);
if (document.querySelector("#signed-out")) {
  forgetAll();
  sessionStorage.clear();
}

// A result is shown within the page that asked for it, under an address of its own. Back and Forward then change the address
// alone, even after a reload: the page that belongs to it is fetched.
document.body.dataset.path = location.pathname;
addEventListener("popstate", () => { if (location.pathname !== document.body.dataset.path) location.reload(); });

document.addEventListener("click", (event) => {
  const copy = event.target.closest("[data-copy]");
  if (copy) {
    const words = copy.parentElement.querySelector(".secret").textContent;
    navigator.clipboard?.writeText(words).then(() => { copy.textContent = copy.dataset.copy; }, () => {});
  }
});

// Paper has no folds.
const unfolded = [];
addEventListener("beforeprint", () => {
  for (const fold of document.querySelectorAll(".result details:not([open])")) { fold.open = true; unfolded.push(fold); }
});
addEventListener("afterprint", () => { for (const fold of unfolded.splice(0)) fold.open = false; });

function fillFromFragment() {
  for (const field of document.querySelectorAll("[data-from-fragment]")) {
    if (location.hash.length > 1) {
      field.value = decodeURIComponent(location.hash.slice(1));
      history.replaceState(null, "", location.pathname);
    }
  }
}
fillFromFragment();
addEventListener("hashchange", fillFromFragment); // the link was opened on its own page

for (const form of document.querySelectorAll("form[data-confirm]")) {
  form.addEventListener("submit", (event) => {
    if (!confirm(form.dataset.confirm)) event.preventDefault();
  });
}

// Short forms stay in this tab until they were taken: an ended sign-in sends the browser away before they are.
const done = new URLSearchParams(location.search).get("done");
for (const form of document.querySelectorAll("form[data-keep]")) {
  const key = `form:${form.dataset.keep}`;
  if (done === form.dataset.keep) sessionStorage.removeItem(key);
  // One that came back with what is wrong has what was typed already.
  const kept = form.querySelector(".field-error") ? null : JSON.parse(sessionStorage.getItem(key) || "null");
  if (kept && kept.account === account) {
    for (const [name, value] of kept.fields) {
      const field = form.elements.namedItem(name);
      if (field && "value" in field && !["hidden", "checkbox"].includes(field.type)) field.value = value;
    }
  }
  form.addEventListener("input", () => {
    const fields = [...new FormData(form)].filter(([name, value]) => name !== "csrf" && typeof value === "string");
    sessionStorage.setItem(key, JSON.stringify({ account, fields }));
  });
}

// Questions that are asked of one kind only.
for (const choice of document.querySelectorAll("[data-kinds]")) {
  const show = () => {
    for (const part of choice.form.querySelectorAll("[data-of]")) part.hidden = !part.dataset.of.split(" ").includes(choice.value);
  };
  choice.addEventListener("change", show);
  show();
}
