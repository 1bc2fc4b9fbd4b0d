// Opens the new-assessment page without a link. Nothing of any patient is ever in this cache: the page it holds is empty.
const CACHE = "trabecula-STAMP";
const SHELL = "/new/offline";
const FILES = ["app.css", "app.js", "new.js", "adjust.js", "camera.js", "draft.js", "send.js", "viewer.js", "icon.svg", "icon-192.png"];

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then(async (cache) => {
    await cache.addAll(FILES.map((name) => `/static/STAMP/${name}`));
    await cache.add(new Request(SHELL, { cache: "reload" }));
    await self.skipWaiting();
  }));
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name !== CACHE) await caches.delete(name);
    await self.clients.claim();
  })());
});

self.addEventListener("fetch", (event) => {
  const { request } = event, { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (pathname.startsWith("/static/STAMP/")) {
    event.respondWith(caches.match(request).then((found) => found ?? fetch(request)));
  } else if (request.mode === "navigate" && ["/", "/new"].includes(pathname)) {
    event.respondWith(fetch(request).catch(async () => (await caches.match(SHELL)) ?? Response.error()));
  } else if (request.mode === "navigate" && pathname.startsWith("/language/")) {
    event.respondWith(fetch(request).then(async (answer) => {
      const cache = await caches.open(CACHE);
      await cache.add(new Request(SHELL, { cache: "reload" })).catch(() => {});
      return answer;
    }));
  }
});
