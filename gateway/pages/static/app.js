// On every page: the offline copy, what is printed, what an invitation's link carries, and forms that outlive a session.
import { forgetAll, forgetOthers } from "./draft.js";

const account = document.body.dataset.account;
if ("serviceWorker" in navigator) navigator.serviceWorker.register("/service-worker.js").catch(() => {});

if (account) forgetOthers(account);
if (document.querySelector("#signed-out")) {
  forgetAll();
  sessionStorage.clear();
}

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
  const kept = JSON.parse(sessionStorage.getItem(key) || "null");
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
