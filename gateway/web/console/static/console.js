// A little comfort. Every page works without it.
(() => {
  "use strict";
  const root = document.documentElement;
  const proof = () => document.querySelector("meta[name=blijk]")?.content ?? "";

  // --- passkeys ---
  const toOctets = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const toText = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer)))
      .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  async function ask(path, body) {
    const response = await fetch(path, {
      method: "POST",
      headers: { "X-Blijk": proof(), "Content-Type": "application/json", Accept: "application/json" },
      body: body === undefined ? null : JSON.stringify(body),
      credentials: "same-origin",
    });
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) throw new Error(answer.tekst || "");
    return answer;
  }

  const withIds = (list) => (list ?? []).map((one) => ({ ...one, id: toOctets(one.id) }));

  async function show(options) {
    const wanted = options.publicKey ?? options;
    const given = await navigator.credentials.get({
      publicKey: {
        ...wanted,
        challenge: toOctets(wanted.challenge),
        allowCredentials: withIds(wanted.allowCredentials),
      },
    });
    return {
      id: given.id,
      rawId: toText(given.rawId),
      type: given.type,
      response: {
        clientDataJSON: toText(given.response.clientDataJSON),
        authenticatorData: toText(given.response.authenticatorData),
        signature: toText(given.response.signature),
        userHandle: given.response.userHandle ? toText(given.response.userHandle) : null,
      },
      clientExtensionResults: given.getClientExtensionResults(),
    };
  }

  async function make(options) {
    const wanted = options.publicKey ?? options;
    const made = await navigator.credentials.create({
      publicKey: {
        ...wanted,
        challenge: toOctets(wanted.challenge),
        user: { ...wanted.user, id: toOctets(wanted.user.id) },
        excludeCredentials: withIds(wanted.excludeCredentials),
      },
    });
    return {
      id: made.id,
      rawId: toText(made.rawId),
      type: made.type,
      response: {
        clientDataJSON: toText(made.response.clientDataJSON),
        attestationObject: toText(made.response.attestationObject),
      },
      clientExtensionResults: made.getClientExtensionResults(),
    };
  }

  for (const button of document.querySelectorAll("[data-sleutel]")) {
    if (!window.PublicKeyCredential) continue;
    button.closest("[data-alleen-script]").hidden = false;
    const status = document.getElementById(button.dataset.status);
    button.addEventListener("click", async () => {
      status.textContent = "";
      try {
        const options = await ask(button.dataset.vraag);
        const answer = await (button.dataset.sleutel === "nieuw" ? make(options) : show(options));
        let path = button.dataset.antwoord;
        const name = document.getElementById("sleutelnaam");
        if (button.dataset.sleutel === "nieuw") path += `?naam=${encodeURIComponent(name.value.trim())}`;
        const done = await ask(path, answer);
        window.location.assign(done.naar);
      } catch (error) {
        status.textContent = error.message && error.name === "Error" ? error.message : status.dataset.mislukt;
      }
    });
  }

  // --- a session that is about to end ---
  const dialog = document.getElementById("bijna-afgelopen");
  if (dialog && dialog.showModal) {
    const WARN = 120;
    let timer;
    const plan = (seconds) => {
      clearTimeout(timer);
      timer = setTimeout(look, Math.max(1, seconds - WARN) * 1000);
    };
    const look = async () => {
      const response = await fetch("/sessie", { credentials: "same-origin" }).catch(() => null);
      if (!response || response.status === 401) { window.location.reload(); return; }
      const left = (await response.json()).seconden;
      if (left > WARN) { plan(left); return; }
      if (!dialog.open) dialog.showModal();
      timer = setTimeout(look, Math.max(5, left) * 1000);
    };
    dialog.querySelector("button").addEventListener("click", async (event) => {
      event.preventDefault();
      await ask("/sessie").catch(() => null);
      dialog.close();
      look();
    });
    plan(Number(dialog.dataset.seconden));
  }

  // --- numbers that stay of today ---
  const tell = (id, on) => {
    const place = document.getElementById(id);
    if (place) place.hidden = !on;
  };
  for (const part of document.querySelectorAll("[data-bij]")) {
    const pause = document.getElementById(part.dataset.pauze);
    let paused = false;
    if (pause) {
      const names = [pause.textContent, pause.dataset.verder];
      pause.hidden = false;
      pause.addEventListener("click", () => {
        paused = !paused;
        pause.textContent = names[Number(paused)];
        tell("stand-stil", paused);
      });
    }
    setInterval(async () => {
      if (paused || document.hidden) return;
      const response = await fetch(part.dataset.bij, { credentials: "same-origin" }).catch(() => null);
      tell("stand-onbekend", !response || !response.ok);
      if (!response || !response.ok) return;
      const facts = await response.json();
      tell("stand-alarm", Number(facts.alarm) > Number(part.dataset.alarm));
      for (const [name, text] of Object.entries(facts)) {
        const place = document.querySelector(`[data-getal="${CSS.escape(name)}"]`);
        if (place && place.textContent !== text) place.textContent = text;
      }
    }, 10000);
  }

  // --- single keys, for who chose them ---
  if (root.dataset.sneltoetsen === "ja") {
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      if (event.target.closest("input, textarea, select")) return;
      const place = document.querySelector(`[data-toets="${CSS.escape(event.key)}"]`);
      if (place) { event.preventDefault(); place.focus(); if (place.tagName === "A") place.click(); }
    });
  }

  // --- print ---
  for (const button of document.querySelectorAll("[data-afdrukken]")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }
})();
