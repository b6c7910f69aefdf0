// Asks the browser for a passkey (WebAuthn), and sends what it says with the form that asked.

"use strict";

const able =
  window.PublicKeyCredential &&
  PublicKeyCredential.parseRequestOptionsFromJSON &&
  PublicKeyCredential.parseCreationOptionsFromJSON;
let waiting = new AbortController();

function send(form, credential) {
  form.elements.credential.value = JSON.stringify(credential.toJSON());
  const stays = document.getElementById("stays");
  if (stays?.checked) form.append(stays.cloneNode());
  form.submit();
}

function made(form) {
  if ("make" in form.dataset) {
    const options = JSON.parse(form.dataset.make);
    return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) });
  }
  const options = JSON.parse(form.dataset.ask);
  return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
}

async function pressed(event) {
  const form = event.currentTarget;
  event.preventDefault();
  waiting.abort();
  try {
    send(form, await made(form));
  } catch {
    form.querySelector("[role=alert]").hidden = false;
  }
}

// The browser offers passkeys among the names that it fills in.
async function offer(form) {
  if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(JSON.parse(form.dataset.ask));
  try {
    send(form, await navigator.credentials.get({ publicKey, mediation: "conditional", signal: waiting.signal }));
  } catch {
    // Nobody chose one: the other ways are still there.
  }
}

if (able) {
  for (const excuse of document.querySelectorAll("[data-unable]")) excuse.hidden = true;
  for (const form of document.querySelectorAll("form[data-ask], form[data-make]")) {
    form.hidden = false;
    form.addEventListener("submit", pressed);
    if ("conditional" in form.dataset) offer(form);
  }
}
