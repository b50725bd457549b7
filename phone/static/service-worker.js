// The server fills these two lines in: the version, and every file with its sha256.
const VERSION = "development";
/** @type {{path: string, sha256: string}[]} */
const FILES = [];

// One version is one cache: the app is never a mixture of two. Nothing below /v1 passes here, so
// no answer about a person is ever in this cache.

/** @type {ServiceWorkerGlobalScope} */
const worker = /** @type {any} */ (self);
const PREFIX = "ebbtide-app-";
const CACHE = PREFIX + VERSION;
/** @type {Promise<Cache> | undefined} opened once: the app asks for all its files at once */
let opened;

worker.addEventListener("install", (event) => event.waitUntil(fetchFiles()));

worker.addEventListener("activate", (event) => event.waitUntil(removeOldVersions()));

worker.addEventListener("message", (event) => {
  // Sent when the person says so; until then the version that runs stays, and a recording with it.
  if (event.data === "use-this-version") worker.skipWaiting();
});

worker.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  const scope = new URL(worker.registration.scope);
  if (event.request.method !== "GET" || url.origin !== scope.origin) return;
  if (!url.pathname.startsWith(scope.pathname)) return;
  event.respondWith(findFile(event.request, url, scope));
});

/** Fetch every file of this version. One that differs from its sha256 fails the installation. */
async function fetchFiles() {
  const cache = await caches.open(CACHE);
  await Promise.all(
    FILES.map(async ({ path, sha256 }) => {
      const url = new URL(path, worker.registration.scope);
      const response = await fetch(url, { cache: "no-cache", integrity: `sha256-${sha256}` });
      if (!response.ok) throw new Error(`${path}: ${response.status}`);
      await cache.put(url, response);
    }),
  );
}

async function removeOldVersions() {
  for (const name of await caches.keys()) {
    if (name.startsWith(PREFIX) && name !== CACHE) await caches.delete(name);
  }
  await worker.clients.claim();
}

/**
 * @param {Request} request
 * @param {URL} url
 * @param {URL} scope
 */
async function findFile(request, url, scope) {
  const isPage = request.mode === "navigate" || url.pathname === scope.pathname;
  const wanted = isPage ? new URL("index.html", scope) : new URL(url.pathname, scope);
  opened ??= caches.open(CACHE);
  return (await (await opened).match(wanted)) ?? fetch(request);
}
