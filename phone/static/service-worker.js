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
  if (url.pathname === new URL("answer.html", scope).pathname) return; // of mails, not of the app
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

// Prompts. What is pushed names a prompt, and nothing of the person.
const PROMPTS = "ebbtide-prompt";
/**
 * All texts are in the person's language, from the server.
 * @typedef {{
 *   id: string, receipt: string, expires: number, title: string, text: string, later?: string,
 *   letGo?: string, asks?: string,
 * }} Pushed
 */

worker.addEventListener("push", (event) => {
  /** @type {Pushed | null} */
  let pushed;
  try {
    pushed = event.data ? event.data.json() : null;
  } catch {
    pushed = null; // not one of ours
  }
  if (pushed && typeof pushed.id === "string") event.waitUntil(showPrompt(pushed));
});

worker.addEventListener("notificationclick", (event) => {
  event.notification.close();
  /** @type {Pushed} */
  const pushed = event.notification.data;
  if (event.action === "later") event.waitUntil(tell(pushed, "put off"));
  else if (event.action === "let-go") event.waitUntil(tell(pushed, "let go"));
  else event.waitUntil(Promise.all([tell(pushed, "opened"), openForm()]));
});

/** @param {Pushed} pushed */
async function showPrompt(pushed) {
  const cache = await caches.open(PROMPTS);
  const kept = { id: pushed.id, expires: pushed.expires, asks: pushed.asks };
  await cache.put("last", new Response(JSON.stringify(kept))); // answered without net too
  const options = {
    body: pushed.text,
    // A second one of the same prompt takes the place of the first, without another sound.
    tag: pushed.id,
    icon: "icons/icon-192.png",
    data: pushed,
    actions: [
      { action: "later", title: pushed.later ?? "Later" },
      { action: "let-go", title: pushed.letGo ?? "Not this time" },
    ],
  };
  await worker.registration.showNotification(pushed.title, options);
  await tell(pushed, "delivered");
}

/**
 * Tell the server what became of a prompt. Without net it is not told.
 * @param {Pushed} pushed
 * @param {string} action
 */
async function tell(pushed, action) {
  await fetch(new URL("/v1/prompt-receipts", worker.registration.scope), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ receipt: pushed.receipt, action }),
  }).catch(() => null);
}

/** Open the form, in the app where it is open already. */
async function openForm() {
  const form = new URL("#rate", worker.registration.scope).href;
  const open = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
  const app = open.find((client) => client.url.startsWith(worker.registration.scope));
  if (!app) {
    await worker.clients.openWindow(form);
    return;
  }
  await app.focus().catch(() => null);
  await app.navigate(form).catch(() => null);
}
