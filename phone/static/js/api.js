/** Requests to the API, with the device's token. */

import { currentSession, endSession } from "./session.js";

const TIMEOUT_MS = 20_000;
const PROBLEM = "urn:ebbtide:problem:";

/** There is no net, or the server does not answer: try again later. */
export class OfflineError extends Error {
  name = "OfflineError";

  /**
   * @param {string} detail
   * @param {number | null} [retryAfterS] as the server wishes
   */
  constructor(detail, retryAfterS = null) {
    super(detail);
    this.retryAfterS = retryAfterS;
  }
}

/** The sign-in is over (`device-revoked`), or the account is erased (`account-erased`). */
export class SessionEndedError extends Error {
  name = "SessionEndedError";

  /** @param {'revoked' | 'erased'} reason */
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

/** The server refuses, and says why (RFC 9457). */
export class ProblemError extends Error {
  name = "ProblemError";

  /**
   * @param {number} status
   * @param {string} kind the type without its prefix
   * @param {string} title
   * @param {string} detail
   * @param {Headers} headers
   */
  constructor(status, kind, title, detail, headers) {
    super(detail || title);
    this.status = status;
    this.kind = kind;
    this.title = title;
    this.detail = detail;
    this.headers = headers;
  }
}

/**
 * Send a request. Resolves with a response of status 2xx.
 * @param {string} method
 * @param {string} path from `/v1` on
 * @param {{json?: any, body?: BodyInit, headers?: Record<string, string>, signal?: AbortSignal,
 *   token?: string | null}} [options] `token`: another one than that of the session, or none
 * @returns {Promise<Response>}
 * @throws {OfflineError | SessionEndedError | ProblemError}
 */
export async function request(method, path, options = {}) {
  const session = currentSession();
  const token = options.token === undefined ? (session?.token ?? null) : options.token;
  if (options.token === undefined && token === null) throw new SessionEndedError("revoked");
  const headers = new Headers(options.headers);
  if (token) headers.set("Authorization", `Bearer ${token}`);
  let body = options.body;
  if (options.json !== undefined) {
    headers.set("Content-Type", "application/json");
    body = JSON.stringify(options.json);
  }
  const response = await send(path, { method, headers, body }, options.signal);
  if (response.ok) return response;
  const problem = await readProblem(response);
  // An answer that comes late may be of a sign-in that is over, with another one begun.
  const isOfSession = token !== null && token === currentSession()?.token;
  if (isOfSession && problem.status === 410 && problem.kind === "account-erased") {
    await endSession("erased");
    throw new SessionEndedError("erased");
  }
  if (isOfSession && problem.status === 401 && problem.kind === "device-revoked") {
    await endSession("revoked");
    throw new SessionEndedError("revoked");
  }
  if (options.token === undefined && token !== currentSession()?.token) {
    throw new SessionEndedError("revoked");
  }
  // A 401 that says no more is of something before the API, such as a proxy.
  const isOfProxy = problem.status === 401 && options.token === undefined;
  if (problem.status >= 500 || problem.status === 408 || isOfProxy) {
    const seconds = Number(problem.headers.get("Retry-After"));
    throw new OfflineError(problem.message, seconds > 0 ? seconds : null);
  }
  throw problem;
}

/**
 * Send a request and read the JSON of its answer. An answer that is being computed (202 with
 * `Retry-After`) is asked for again, for a minute.
 * @param {string} method
 * @param {string} path
 * @param {Parameters<typeof request>[2]} [options]
 * @returns {Promise<any>}
 */
export async function requestJson(method, path, options = {}) {
  const until = Date.now() + 60_000;
  for (;;) {
    const response = await request(method, path, options);
    if (response.status === 204) return null;
    if (response.status !== 202) return response.json();
    if (Date.now() > until) throw new OfflineError("still being computed");
    const seconds = Number(response.headers.get("Retry-After")) || 2;
    await new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
  }
}

/**
 * @param {string} path
 * @param {RequestInit} init
 * @param {AbortSignal | undefined} signal
 */
async function send(path, init, signal) {
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), TIMEOUT_MS);
  signal?.addEventListener("abort", () => timeout.abort(), { once: true });
  try {
    return await fetch(path, {
      ...init,
      signal: timeout.signal,
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
    });
  } catch (error) {
    throw new OfflineError(String(error));
  } finally {
    clearTimeout(timer);
  }
}

/** @param {Response} response */
async function readProblem(response) {
  /** @type {any} */
  let problem = {};
  try {
    problem = await response.json();
  } catch {
    // A proxy's own page, not the API's: its status has to do.
  }
  const kind = String(problem.type ?? "").replace(PROBLEM, "");
  return new ProblemError(
    response.status,
    kind,
    String(problem.title ?? response.statusText),
    String(problem.detail ?? ""),
    response.headers,
  );
}
