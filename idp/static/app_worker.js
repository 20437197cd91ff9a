// Beside the app: without a connection its pages are answered with one that says so. Nothing personal is kept.
const VERSION = new URL(self.location.href).searchParams.get("v");
const KEPT = "lienket-app-" + VERSION;
const OFFLINE = new URL("offline", self.location.href).pathname;
const STATIC = new URL("../static/", self.location.href).pathname;
const PARTS = [OFFLINE].concat(["app.js", "connection.js", "mark.svg"].map((name) => STATIC + name + "?v=" + VERSION));

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(KEPT).then((kept) => kept.addAll(PARTS)).then(() => self.skipWaiting()));
});
self.addEventListener("activate", (event) => {
  const old = (names) => names.filter((name) => name.startsWith("lienket-app-") && name !== KEPT);
  event.waitUntil(caches.keys().then((names) => Promise.all(old(names).map((name) => caches.delete(name)))));
});
self.addEventListener("fetch", (event) => {
  const request = event.request;
  if (request.mode === "navigate") {
    event.respondWith(fetch(request).catch(() => caches.match(OFFLINE)));
  } else if (request.method === "GET" && new URL(request.url).pathname.startsWith(STATIC)) {
    event.respondWith(caches.match(request).then((kept) => kept || fetch(request)));
  }
});
