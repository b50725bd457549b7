"use strict";

// Of the pages of dashboard/passkeys.py. What is said stands in data-... of the body.
const page = document.body.dataset;
const find = (id) => document.getElementById(id);

function say(words) {
  find("said").textContent = words;
}

function toBytes(text) {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

function toText(buffer) {
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

// The answer of the server; {kind, words, status} where it refused.
async function post(path, body) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body || {}),
  });
  const answer = response.status === 204 ? {} : await response.json();
  if (!response.ok) throw Object.assign(new Error(answer.words), answer, { status: response.status });
  return answer;
}

function decodeOptions(options) {
  const decoded = { ...options, challenge: toBytes(options.challenge) };
  if (options.user) decoded.user = { ...options.user, id: toBytes(options.user.id) };
  for (const name of ["excludeCredentials", "allowCredentials"]) {
    decoded[name] = (options[name] || []).map((item) => ({ ...item, id: toBytes(item.id) }));
  }
  return decoded;
}

function encodeCredential(credential, names) {
  const response = {};
  for (const name of names) response[name] = toText(credential.response[name]);
  return { id: credential.id, rawId: toText(credential.rawId), type: credential.type, response };
}

function explain(error) {
  if (error.name === "InvalidStateError") return page.twice;
  if (error.name === "NotAllowedError" || error.name === "AbortError") return page.cancelled;
  if (error.status) return error.message;
  return error.name === "SecurityError" || error.name === "NotSupportedError"
    ? page.unavailable
    : page.failed;
}

async function signIn() {
  const publicKey = decodeOptions(await post("/passkeys/sign-in/options"));
  say(page.busy);
  const made = await navigator.credentials.get({ publicKey });
  const names = ["clientDataJSON", "authenticatorData", "signature", "userHandle"];
  const credential = encodeCredential(made, names);
  await post("/passkeys/sign-in", { credential, own: find("own").checked });
  location.replace("/");
}

async function add() {
  const publicKey = decodeOptions(await post("/passkeys/add/options"));
  say(page.busy);
  const made = await navigator.credentials.create({ publicKey });
  const credential = encodeCredential(made, ["clientDataJSON", "attestationObject"]);
  await post("/passkeys/add", { credential, name: find("name").value });
  find("add").hidden = true;
  say(page.added);
}

async function tryTo(act) {
  say("");
  try {
    await act();
  } catch (error) {
    if (page.page === "add" && error.status === 401) {
      find("add").hidden = find("verify").hidden = true;
      find("signed-out").hidden = false;
    } else if (page.page === "add" && error.kind === "not-fresh") {
      find("add").hidden = true;
      find("verify").hidden = false;
      find("password").focus();
    } else {
      say(explain(error));
    }
  }
}

async function verify() {
  try {
    await post("/passkeys/verify", { password: find("password").value, code: find("code").value });
  } catch (error) {
    if (error.kind === "second-factor") find("ask-code").hidden = false;
    throw error;
  }
  find("password").value = find("code").value = "";
  find("verify").hidden = true;
  find("add").hidden = false;
}

// At 127.0.0.1: lead to localhost, if it answers, and take the session along.
async function offerLocalhost() {
  const link = find("there");
  if (!link) return;
  try {
    await fetch(`${page.localhost}/passkeys/here`, { mode: "no-cors" });
  } catch {
    say(page.silent);
    return;
  }
  link.hidden = false;
  if (page.page !== "add") return;
  link.addEventListener("click", async (event) => {
    event.preventDefault();
    let code = "";
    try {
      code = (await post("/passkeys/carry")).code;
    } catch {
      // Not signed in here: the page there says so.
    }
    location.assign(code ? `${link.href}#${code}` : link.href);
  });
}

async function begin() {
  const code = location.hash.slice(1);
  if (code && page.page === "add") {
    history.replaceState(null, "", location.pathname);
    await fetch("/session", { method: "POST", body: code });
  }
  if (!find("add") && !find("go")) {
    await offerLocalhost();
    return;
  }
  if (!window.PublicKeyCredential) {
    say(page.unavailable);
    return;
  }
  if (find("go")) {
    find("go").addEventListener("click", () => tryTo(signIn));
    find("go").focus();
    return;
  }
  for (const [id, act] of [["add", add], ["verify", verify]]) {
    find(id).addEventListener("submit", (event) => {
      event.preventDefault();
      tryTo(act);
    });
  }
}

begin();
