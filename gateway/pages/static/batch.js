// A batch that is worked on shows how far it is without a reload.
const EVERY_MS = 2000;

async function look() {
  const shown = document.querySelector("[data-live]");
  if (!shown?.hasAttribute("data-open")) return;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-live]");
    if (answer.redirected || !fresh) return; // signed out, or gone
    if (!shown.contains(document.activeElement)) shown.replaceWith(fresh);
  } catch { /* no connection: asked again */ }
  setTimeout(look, EVERY_MS);
}
setTimeout(look, EVERY_MS);
