// What the app's modules ask of a browser, in memory, as far as these tests need it: one window with
// its storage, locks and databases. Encryption and channels are those of Node.

class Request {
  constructor(run) {
    this.run = run;
  }
}

class ObjectStore {
  constructor(rows) {
    this.rows = rows; // by key
  }

  #keys(range, limit = Infinity) {
    const order = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
    const isIn = (key) => !range || ((range.from ?? key) <= key && key <= (range.to ?? key));
    return [...this.rows.keys()].filter(isIn).sort(order).slice(0, limit);
  }

  get = (key) => new Request(() => this.rows.get(key));
  put = (value, key) => new Request(() => void this.rows.set(key, value));
  add = (value, key) => new Request(() => void this.rows.set(key, value));
  clear = () => new Request(() => this.rows.clear());
  count = () => new Request(() => this.rows.size);
  getAllKeys = (range, limit) => new Request(() => this.#keys(range, limit));
  getAll = (range, limit) =>
    new Request(() => this.#keys(range, limit).map((key) => this.rows.get(key)));
  delete = (key) =>
    new Request(() =>
      (typeof key === "object" ? this.#keys(key) : [key]).forEach((one) => this.rows.delete(one)),
    );
}

/** Databases by name, each with its stores by name. */
export const disk = new Map();
/** While true, a database that somebody has open is not deleted: that tab sleeps. */
export const other = { isAsleep: false };

class Connection {
  constructor(stores) {
    this.stores = stores;
  }

  createObjectStore(name) {
    this.stores.set(name, new Map());
  }

  transaction() {
    if (this.isClosed) throw new DOMException("closed", "InvalidStateError");
    const made = [];
    const transaction = {
      objectStore: (name) => {
        const store = new ObjectStore(this.stores.get(name));
        return new Proxy(store, {
          get: (target, what) => (...given) => {
            const request = target[what](...given);
            made.push(request);
            return request;
          },
        });
      },
      commit: () =>
        setTimeout(() => {
          for (const request of made) request.result = request.run();
          transaction.oncomplete();
        }),
    };
    return transaction;
  }

  close() {
    this.isClosed = true;
  }
}

globalThis.indexedDB = {
  open(name) {
    const opening = {};
    setTimeout(() => {
      const isNew = !disk.has(name);
      if (isNew) disk.set(name, new Map());
      opening.result = new Connection(disk.get(name));
      if (isNew) opening.onupgradeneeded();
      opening.onsuccess();
    });
    return opening;
  },
  deleteDatabase(name) {
    const deleting = {};
    setTimeout(() => {
      if (other.isAsleep) {
        deleting.onblocked?.();
        return;
      }
      disk.delete(name);
      deleting.onsuccess();
    });
    return deleting;
  },
};
globalThis.IDBKeyRange = {
  bound: (from, to) => ({ from, to }),
  lowerBound: (from) => ({ from }),
  upperBound: (to) => ({ to }),
};

/** The last holder of each lock. */
const locks = new Map();
const navigator = {
  locks: {
    request(name, change) {
      const held = (locks.get(name) ?? Promise.resolve()).then(change);
      locks.set(name, held.catch(() => {}));
      return held;
    },
  },
};
Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true });

export const storage = new Map();
globalThis.localStorage = {
  getItem: (key) => storage.get(key) ?? null,
  setItem: (key, value) => storage.set(key, value),
  removeItem: (key) => storage.delete(key),
};

/** The window: it hears `storage`. */
const page = new EventTarget();
globalThis.addEventListener = page.addEventListener.bind(page);
globalThis.removeEventListener = page.removeEventListener.bind(page);
/** How often the page was loaded anew. */
export const loads = { count: 0 };
globalThis.location = { reload: () => (loads.count += 1) };

/** Another tab wrote the session. */
export function tellStorage(key, newValue) {
  page.dispatchEvent(Object.assign(new Event("storage"), { key, newValue }));
}

/** The server: `answer` gives for each request a status and JSON, perhaps later. */
export const server = { answer: async () => ({ status: 404, json: {} }), asked: [] };
globalThis.fetch = async (path, init) => {
  const body = init.body === undefined ? null : JSON.parse(init.body);
  const asked = { method: init.method, path, body, token: init.headers.get("Authorization") };
  server.asked.push(asked);
  const { status, json } = await server.answer(asked);
  return new Response(status === 204 ? null : JSON.stringify(json), { status });
};

/** Wait until something is so. */
export async function until(isSo) {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** A promise, and what ends it. */
export function later() {
  let resolve;
  const promise = new Promise((end) => (resolve = end));
  return { promise, resolve };
}
