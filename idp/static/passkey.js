// Asks the browser for a passkey, puts the answer into the page's form and sends it. The words stand in the page;
// where the browser knows no passkeys, what is for them stays hidden.
"use strict";
(() => {
  const way = document.getElementById("passkey-way");
  const known = document.getElementById("passkeys");
  const passkeys = window.PublicKeyCredential;
  if (!passkeys || !navigator.credentials) { return; }

  // Devices may forget what was removed here, and what was never ours. Those that cannot lose nothing.
  const tell = (signal, what) => {
    if (passkeys[signal]) { passkeys[signal](what).catch(() => undefined); }
  };
  if (known) { tell("signalAllAcceptedCredentials", JSON.parse(known.dataset.accepted)); }
  if (!way) { return; }

  const form = way.querySelector("form");
  const button = form.querySelector("button");
  const asked = JSON.parse(form.dataset.options);
  const isNew = "user" in asked;
  const isFirst = "conditional" in form.dataset;
  const problems = {
    InvalidStateError: "known",
    NotAllowedError: "cancelled",
    NotSupportedError: "unable",
    ConstraintError: "unable",
  };
  let pending = null;

  const bytes = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const named = (list) => (list || []).map((each) => Object.assign({}, each, { id: bytes(each.id) }));

  const options = () => {
    const wish = Object.assign({}, asked, { challenge: bytes(asked.challenge) });
    if (isNew) {
      wish.user = Object.assign({}, asked.user, { id: bytes(asked.user.id) });
      wish.excludeCredentials = named(asked.excludeCredentials);
    } else {
      wish.allowCredentials = named(asked.allowCredentials);
    }
    return wish;
  };

  const ask = (more) => {
    // A browser takes one question at a time: the button's ends the one that waits in the list.
    if (pending) { pending.abort(); }
    pending = new AbortController();
    const wish = Object.assign({ publicKey: options(), signal: pending.signal }, more);
    return isNew ? navigator.credentials.create(wish) : navigator.credentials.get(wish);
  };

  const send = (credential) => {
    const given = credential.response;
    const response = { clientDataJSON: text(given.clientDataJSON) };
    if (isNew) {
      response.attestationObject = text(given.attestationObject);
      response.transports = given.getTransports ? given.getTransports() : [];
    } else {
      response.authenticatorData = text(given.authenticatorData);
      response.signature = text(given.signature);
      if (given.userHandle) { response.userHandle = text(given.userHandle); }
    }
    const { id, rawId, type } = credential;
    sessionStorage.setItem("passkey", id);
    form.elements.credential.value = JSON.stringify({ id, rawId: text(rawId), type, response });
    form.submit();
  };

  const say = (problem) => {
    way.querySelectorAll("[data-problem]").forEach((words) => { words.hidden = words.dataset.problem !== problem; });
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    say("");
    button.disabled = true;
    ask({}).then(send).catch((error) => {
      say(problems[error.name] || "failed");
      button.disabled = false;
    });
  });
  window.addEventListener("pageshow", () => { button.disabled = false; });
  way.hidden = false;
  document.querySelectorAll("[data-without-passkeys]").forEach((words) => { words.hidden = true; });

  const refused = way.querySelector("#passkey-problem");
  if (isFirst && refused && refused.dataset.problem === "unknown") {
    tell("signalUnknownCredential", { rpId: asked.rpId, credentialId: sessionStorage.getItem("passkey") });
  }
  if (isFirst && passkeys.isConditionalMediationAvailable) {
    // Nobody pressed anything yet: if the list cannot be offered, the button says what is wrong.
    passkeys.isConditionalMediationAvailable()
      .then((can) => (can ? ask({ mediation: "conditional" }).then(send) : undefined))
      .catch(() => undefined);
  }
})();
