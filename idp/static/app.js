// The app on the phone: makes and keeps the key, signs what the person decides, looks whether something waits.
(function () {
  "use strict";
  const app = document.getElementById("app").dataset;
  const find = (id) => document.getElementById(id);
  const net = find("connection");
  const show = (id) => { find(id).hidden = false; find("door-wait").hidden = true; };
  const same = { cache: "no-store", credentials: "same-origin" };
  let isBusy = false;

  const say = (text) => { if (net.textContent !== text) net.textContent = text; };
  const sayOnline = () => say(navigator.onLine === false ? net.dataset.offline : "");
  const saySlow = () => setTimeout(() => say(net.dataset.slow), 4000);
  addEventListener("pageshow", () => { isBusy = false; });

  // The key: the browser never gives it out, not even to this script.
  function keys(mode, act) {
    return new Promise((done, fail) => {
      const opening = indexedDB.open("lienket-app", 1);
      opening.onupgradeneeded = () => opening.result.createObjectStore("keys");
      opening.onerror = () => fail(opening.error);
      opening.onsuccess = () => {
        const step = opening.result.transaction("keys", mode);
        const asked = act(step.objectStore("keys"));
        step.oncomplete = () => { opening.result.close(); done(asked.result); };
        step.onerror = () => fail(step.error);
      };
    });
  }
  const load = (name) => keys("readonly", (store) => store.get(name));
  const save = (name, device) => keys("readwrite", (store) => store.put(device, name));

  const bytes = (text) => new TextEncoder().encode(text);
  function encoded(buffer) {
    const text = String.fromCharCode.apply(null, new Uint8Array(buffer));
    return btoa(text).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }
  async function sign(device, purpose, fields) {
    const text = ["lienket-app/1", purpose, app.issuer, device.id].concat(fields).join("\n");
    return encoded(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, device.key, bytes(text)));
  }
  async function made() {
    const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
    const point = encoded(await crypto.subtle.exportKey("raw", pair.publicKey));
    return { id: encoded(await crypto.subtle.digest("SHA-256", bytes(point))), point: point, key: pair.privateKey };
  }

  function fill(form, name, value) {
    // Not form.elements: buttons are in there, too.
    const field = form.querySelector("input[name=" + name + "]") || form.appendChild(document.createElement("input"));
    if (!field.name) { field.type = "hidden"; field.name = name; }
    field.value = value;
  }
  async function prepare(form, decision) {
    const purpose = form.dataset.purpose;
    if (purpose === "enrol") {
      const device = await made();
      await save("pending", device);
      fill(form, "public_key", device.point);
      const code = form.elements.code.value.toUpperCase().replace(/[^A-Z0-9]/g, "");
      return fill(form, "signature", await sign(device, purpose, [code]));
    }
    const device = await load("device");
    const fields = JSON.parse(form.dataset.fields);
    if (purpose === "answer") {
      fill(form, "decision", decision);
      fields.push(decision, form.elements.number.value);
    }
    fill(form, "signature", await sign(device, purpose, fields));
  }
  document.querySelectorAll("form[data-purpose]").forEach((form) => {
    let decision = "";
    form.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) decision = button.value;
    });
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (isBusy) return;
      isBusy = true;
      try {
        await prepare(form, decision);
        saySlow();
        form.submit();
      } catch (failure) {
        isBusy = false;
        say(app.failed);
      }
    });
  });

  // The door: opened by the key. What stands behind # never reached a server.
  async function enter() {
    const wanted = location.hash.slice(1);
    history.replaceState(null, "", location.pathname + location.search);
    const isCode = /^[A-Za-z]{4}-?[A-Za-z]{4}$/.test(wanted);
    const device = await load("device");
    if (!device) return show(isCode ? "door-code" : "door-none");
    const slow = saySlow();
    const { challenge } = await (await fetch(app.base + "/challenge", same)).json();
    const signature = await sign(device, "enter", [challenge]);
    const body = new URLSearchParams({ device_id: device.id, challenge: challenge, signature: signature });
    const answer = await fetch(app.base + "/enter", Object.assign({ method: "POST", body: body }, same));
    clearTimeout(slow);
    say("");
    if (answer.status === 403) return show("door-removed");
    if (!answer.ok) return show("door-offline");
    const scan = find("door-scan");
    if (isCode) {
      fill(scan, "csrf", (await answer.json()).csrf);
      fill(scan, "code", wanted);
      return scan.submit();
    }
    location.replace(app.base + (/^here\/[\w.-]{1,130}$/.test(wanted) ? "/" + wanted : "/requests"));
  }
  if (find("door-wait")) enter().catch(() => show(navigator.onLine === false ? "door-offline" : "door-failed"));

  const enrolment = find("enrol");
  if (enrolment && /^[A-Za-z]{8}$/.test(location.hash.slice(1))) {
    enrolment.elements.code.value = location.hash.slice(1);
    history.replaceState(null, "", location.pathname);
    enrolment.elements.name.focus();
  }
  const enrolled = find("enrolled");
  if (enrolled) {
    load("pending").then((device) => {
      if (!device || device.id !== enrolled.dataset.device) return null;
      if (navigator.storage && navigator.storage.persist) navigator.storage.persist();
      return save("device", device);
    });
  }

  const list = find("requests");
  async function look() {
    if (!document.hidden && !isBusy) {
      try {
        const { mark } = await (await fetch(list.dataset.state, same)).json();
        if (mark === "closed") return location.replace(app.base);
        if (mark !== list.dataset.mark && !find("code").value) return location.reload();
        sayOnline();
      } catch (failure) {
        say(net.dataset.offline);
      }
    }
    return setTimeout(look, 5000);
  }
  if (list) setTimeout(look, 5000);

  if ("serviceWorker" in navigator) {
    navigator.serviceWorker.register(app.worker, { scope: new URL(app.base).pathname }).catch(() => null);
  }
})();
