// What the phone holds of one person: IndexedDB, each value encrypted with AES-GCM (256 bits).
//
// The key comes from the server at sign-in and is kept here as a CryptoKey that cannot be exported.
// `lock` forgets it: the rows stay, unreadable, until the same person signs in again. Somebody who
// has the unlocked phone and its developer tools can still use the key through the page; the
// encryption protects what is left after signing out, a revocation, or in a copy of the disk
// without the key. Keys of rows (ids and numbers) and their count are not encrypted.

const VERSION = 1;
const STORES = ["streams", "notifications", "gaps", "entries", "cache", "meta"];
const KEYS = "keys";
const PREFIX = "ebbtide-"; // of the names of databases: the person's id follows
const KEY_NAME = "storage";
const CHECK = "check";
const IV_BYTES = 12; // NIST SP 800-38D, section 8.2.2: random, for at most 2^32 values of a key

/** @typedef {"streams" | "notifications" | "gaps" | "entries" | "cache" | "meta"} StoreName */
/** @typedef {string | number} RowKey */
/** @typedef {{key: RowKey, value: any}} Row */
/**
 * One change: `value` is JSON-able, times as strings. `isNew`: fail where the key exists.
 *
 * @typedef {{store: StoreName, key: RowKey, value: unknown, isNew?: boolean}} Put
 * @typedef {{store: StoreName, key: RowKey, remove: true}} Removal
 * @typedef {{store: StoreName, from: string, to: string, remove: true}} RangeRemoval
 * @typedef {Put | Removal | RangeRemoval} Change
 */

/** The key was forgotten, or never here. */
export class DatabaseLockedError extends Error {
  constructor() {
    super("What this phone holds is locked until the person signs in.");
    this.name = "DatabaseLockedError";
  }
}

/** The phone has no room; nothing of the transaction was written. */
export class StorageFullError extends Error {
  constructor() {
    super("The phone has no room left.");
    this.name = "StorageFullError";
  }
}

/**
 * Open what this phone holds of one person. With the `storageKey` of a sign-in it is unlocked, and
 * stays so until `lock`; with null, by the key that is here. Rows of another key can never be read
 * again (the person was erased and began anew, or the server was set back to before the key) and
 * are deleted: `wasUnreadable`.
 *
 * @param {string} personId
 * @param {Uint8Array | null} storageKey 32 bytes
 * @returns {Promise<Database>}
 */
export async function openDatabase(personId, storageKey) {
  const database = new Database(personId, await openIndexedDb(nameOf(personId)));
  if (storageKey) await database.unlock(storageKey);
  else await database.loadKey();
  return database;
}

/** Whether this phone holds anything of a person. @returns {Promise<boolean>} */
export async function hasDatabase() {
  const databases = (await indexedDB.databases?.()) ?? []; // Firefox before 126 has no list
  return databases.some(({ name }) => name?.startsWith(PREFIX));
}

/**
 * Count what others than this person left on this phone, locked. Of a strap's notifications some may
 * be at the server already: which, only their key tells.
 *
 * @param {string} personId
 * @returns {Promise<{entries: number, notifications: number}>}
 */
export async function countOfOthers(personId) {
  const found = { entries: 0, notifications: 0 };
  for (const { name } of (await indexedDB.databases?.()) ?? []) {
    if (!name?.startsWith(PREFIX) || name === nameOf(personId)) continue;
    const other = new Database(name.slice(PREFIX.length), await openIndexedDb(name));
    try {
      found.entries += await other.count("entries");
      found.notifications += await other.count("notifications");
    } finally {
      other.close();
    }
  }
  return found;
}

export class Database {
  #personId;
  /** @type {IDBDatabase} */
  #db;
  /** @type {CryptoKey | null} */
  #key = null;
  #channel;
  /** Called when another tab locked or erased it. @type {(how: "locked" | "erased") => void} */
  onEnded = () => {};
  /** Whether rows of another key were here, which nobody can read any more, and were deleted. */
  wasUnreadable = false;

  /**
   * @param {string} personId
   * @param {IDBDatabase} db
   */
  constructor(personId, db) {
    this.#personId = personId;
    this.#db = db;
    // Another tab locks or erases: this one must not go on with its copy of the key.
    this.#channel = new BroadcastChannel(nameOf(personId));
    this.#channel.onmessage = ({ data }) => {
      this.#key = null;
      this.onEnded(data);
    };
    db.onversionchange = () => db.close();
  }

  /** Whose it is. */
  get personId() {
    return this.#personId;
  }

  /** Whether values can be neither read nor written. */
  get locked() {
    return this.#key === null;
  }

  /** Use the key that is here, if there is one. */
  async loadKey() {
    const [found] = await this.#run([KEYS], "readonly", (transaction) => [
      transaction.objectStore(KEYS).get(KEY_NAME),
    ]);
    this.#key = found ?? null;
  }

  /**
   * @param {Uint8Array} storageKey
   */
  async unlock(storageKey) {
    const bytes = new Uint8Array(storageKey);
    const key = await crypto.subtle.importKey("raw", bytes, "AES-GCM", false, [
      "encrypt",
      "decrypt",
    ]);
    bytes.fill(0);
    this.#key = key;
    try {
      await this.get("meta", CHECK);
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== "OperationError") throw error;
      await this.#run(STORES, "readwrite", (transaction) =>
        STORES.map((store) => transaction.objectStore(store).clear()),
      );
      this.wasUnreadable = true;
    }
    const check = await this.#encrypt("meta", CHECK, true);
    await this.#run(["meta", KEYS], "readwrite", (transaction) => [
      transaction.objectStore(KEYS).put(key, KEY_NAME),
      transaction.objectStore("meta").put(check, CHECK),
    ]);
  }

  /**
   * @param {StoreName} store
   * @param {RowKey} key
   * @param {unknown} value
   */
  async put(store, key, value) {
    await this.putAll([{ store, key, value }]);
  }

  /**
   * Write all changes, or none. When this returns, the browser was told to have them on the disk
   * (durability "strict"). Throws StorageFullError.
   *
   * @param {Change[]} changes
   */
  async putAll(changes) {
    if (!changes.length) return;
    const encrypted = await Promise.all(
      changes.map((change) =>
        "value" in change ? this.#encrypt(change.store, change.key, change.value) : null,
      ),
    );
    const stores = [...new Set(changes.map(({ store }) => store))];
    await this.#run(stores, "readwrite", (transaction) =>
      changes.map((change, index) => {
        const store = transaction.objectStore(change.store);
        if ("from" in change) return store.delete(IDBKeyRange.bound(change.from, change.to));
        if ("remove" in change) return store.delete(change.key);
        if (change.isNew) return store.add(encrypted[index], change.key);
        return store.put(encrypted[index], change.key);
      }),
    );
  }

  /**
   * @param {StoreName} store
   * @param {RowKey} key
   * @returns {Promise<any>} undefined where there is none
   */
  async get(store, key) {
    const [found] = await this.#run([store], "readonly", (transaction) => [
      transaction.objectStore(store).get(key),
    ]);
    return found === undefined ? undefined : this.#decrypt(store, key, found);
  }

  /**
   * Rows in the order of their keys, from and to inclusive.
   *
   * @param {StoreName} store
   * @param {{from?: RowKey, to?: RowKey, limit?: number}} [range]
   * @returns {Promise<Row[]>}
   */
  async all(store, { from, to, limit } = {}) {
    const range =
      from !== undefined && to !== undefined
        ? IDBKeyRange.bound(from, to)
        : from !== undefined
          ? IDBKeyRange.lowerBound(from)
          : to !== undefined
            ? IDBKeyRange.upperBound(to)
            : null;
    const [keys, values] = await this.#run([store], "readonly", (transaction) => {
      const rows = transaction.objectStore(store);
      return [rows.getAllKeys(range, limit), rows.getAll(range, limit)];
    });
    return Promise.all(
      /** @type {RowKey[]} */ (keys)
        .map((key, index) => ({ key, bytes: values[index] }))
        .filter(({ key }) => !(store === "meta" && key === CHECK))
        .map(async ({ key, bytes }) => ({ key, value: await this.#decrypt(store, key, bytes) })),
    );
  }

  /**
   * @param {StoreName} store
   * @param {RowKey} key
   */
  async delete(store, key) {
    await this.putAll([{ store, key, remove: true }]);
  }

  /**
   * @param {StoreName} store
   * @returns {Promise<number>}
   */
  async count(store) {
    const [found] = await this.#run([store], "readonly", (transaction) => [
      transaction.objectStore(store).count(),
    ]);
    return found;
  }

  /** Forget the key, in all tabs: the rows stay, unreadable. */
  async lock() {
    this.#key = null;
    this.#channel.postMessage("locked");
    await this.#run([KEYS], "readwrite", (transaction) => [
      transaction.objectStore(KEYS).delete(KEY_NAME),
    ]);
  }

  /** Erase everything of this person. */
  async destroy() {
    this.#key = null;
    this.#channel.postMessage("erased");
    const all = [...STORES, KEYS];
    try {
      // At once, with the key: a tab that sleeps and has it open keeps the rest from being deleted.
      await this.#run(all, "readwrite", (transaction) =>
        all.map((store) => transaction.objectStore(store).clear()),
      );
    } catch {
      // Closed: another tab deletes it, too.
    }
    this.close();
    await new Promise((resolve, reject) => {
      const deleting = indexedDB.deleteDatabase(nameOf(this.#personId));
      deleting.onsuccess = () => resolve(undefined);
      deleting.onblocked = () => resolve(undefined); // it goes once that tab wakes up or ends
      deleting.onerror = () => reject(deleting.error);
    });
  }

  /** Close it; the key stays where it is. */
  close() {
    this.#channel.close();
    this.#db.close();
  }

  /**
   * @param {string} store
   * @param {RowKey} key
   * @param {unknown} value
   * @returns {Promise<Uint8Array>} initialisation vector, then the encrypted JSON
   */
  async #encrypt(store, key, value) {
    const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
    const text = new TextEncoder().encode(JSON.stringify(value));
    const sealed = await crypto.subtle.encrypt(
      { name: "AES-GCM", iv, additionalData: placeOf(store, key) },
      this.#getKey(),
      text,
    );
    const bytes = new Uint8Array(IV_BYTES + sealed.byteLength);
    bytes.set(iv);
    bytes.set(new Uint8Array(sealed), IV_BYTES);
    return bytes;
  }

  /**
   * @param {string} store
   * @param {RowKey} key
   * @param {Uint8Array<ArrayBuffer>} bytes
   * @returns {Promise<unknown>}
   */
  async #decrypt(store, key, bytes) {
    const text = await crypto.subtle.decrypt(
      {
        name: "AES-GCM",
        iv: bytes.subarray(0, IV_BYTES),
        additionalData: placeOf(store, key),
      },
      this.#getKey(),
      bytes.subarray(IV_BYTES),
    );
    return JSON.parse(new TextDecoder().decode(text));
  }

  /** @returns {CryptoKey} */
  #getKey() {
    if (this.#key === null) throw new DatabaseLockedError();
    return this.#key;
  }

  /**
   * Run requests in one strict transaction; their results once it has completed.
   *
   * @param {string[]} stores
   * @param {"readonly" | "readwrite"} mode
   * @param {(transaction: IDBTransaction) => IDBRequest[]} request
   * @returns {Promise<any[]>}
   */
  #run(stores, mode, request) {
    return new Promise((resolve, reject) => {
      const transaction = this.#db.transaction(stores, mode, { durability: "strict" });
      /** @type {IDBRequest[]} */
      let requests = [];
      transaction.oncomplete = () => resolve(requests.map(({ result }) => result));
      transaction.onabort = () => {
        const isFull = transaction.error?.name === "QuotaExceededError";
        reject(isFull ? new StorageFullError() : transaction.error);
      };
      requests = request(transaction);
      transaction.commit();
    });
  }
}

/**
 * A value belongs to its place: moved to another, it cannot be decrypted.
 *
 * @param {string} store
 * @param {RowKey} key
 * @returns {Uint8Array<ArrayBuffer>}
 */
function placeOf(store, key) {
  return new TextEncoder().encode(`${store}/${key}`);
}

/**
 * @param {string} personId
 * @returns {string}
 */
function nameOf(personId) {
  return PREFIX + personId;
}

/**
 * @param {string} name
 * @returns {Promise<IDBDatabase>}
 */
function openIndexedDb(name) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(name, VERSION);
    opening.onupgradeneeded = () => {
      for (const store of [...STORES, KEYS]) opening.result.createObjectStore(store);
    };
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
}
