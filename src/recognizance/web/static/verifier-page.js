/* Puts the verifier on pages: runs it over what a page shows, says the verdict in the page's own words, and remembers
   the checkpoint for the next time. The words are in the page, hidden, because they are translated there.

   <section data-verifier data-key="…" [data-index="…" data-entry="id of the element with the entry's text"]>
     <div data-verdict="proven" hidden>…</div> … and one for each refusal
     <div role="status" data-says>…</div> */

import { REFUSALS, Refusal, checkEntry, checkLedger, readerOf } from "./verifier.js";

const MEMORY = "recognizance.ledger";
const read = readerOf("/ledger/");

function remembered() {
  try {
    const kept = localStorage.getItem(MEMORY);
    return kept === null ? null : JSON.parse(kept);
  } catch {
    return null; // A browser that keeps nothing, or no longer what we wrote: then there is nothing to compare with.
  }
}

function remember(what) {
  try {
    localStorage.setItem(MEMORY, JSON.stringify(what));
    return true;
  } catch {
    return false;
  }
}

function say(section, verdict, values = {}) {
  const words = section.querySelector(`[data-verdict="${verdict}"]`);
  const place = section.querySelector("[data-says]");
  const said = words.cloneNode(true);
  said.hidden = false;
  for (const blank of said.querySelectorAll("[data-value]")) {
    blank.textContent = values[blank.dataset.value] ?? "";
  }
  for (const part of said.querySelectorAll("[data-if]")) {
    part.hidden = !values[part.dataset.if];
  }
  place.replaceChildren(said);
  section.dataset.state = verdict;
}

async function run(section, key) {
  say(section, "checking");
  const number = new Intl.NumberFormat(document.documentElement.lang);
  const asked = { read, key, remembered: remembered() };
  try {
    const found = await (section.dataset.index === undefined
      ? checkLedger(asked)
      : checkEntry({
          ...asked,
          index: Number(section.dataset.index),
          shown: document.getElementById(section.dataset.entry).textContent,
        }));
    const isKept = remember(found.remember);
    say(section, "proven", {
      size: number.format(found.size),
      root: found.root,
      origin: found.origin,
      hashes: found.hashes,
      before: found.before === null ? "" : number.format(found.before),
      first: found.before === null && isKept,
      forgetful: !isKept,
      keyChanged: found.keyChanged,
    });
  } catch (error) {
    // A mistake of the verifier's own must never pass for a verdict.
    const code = error instanceof Refusal && REFUSALS.includes(error.code) ? error.code : "broken";
    say(section, code, { detail: error.message, note: asked.remembered?.note ?? "" });
  }
}

for (const section of document.querySelectorAll("[data-verifier]")) {
  const form = section.querySelector("form");
  if (form !== null) {
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      run(section, form.elements.key.value.trim() || section.dataset.key);
    });
  }
  section.addEventListener("click", (event) => {
    if (event.target.closest("[data-forget]") !== null) {
      localStorage.removeItem(MEMORY);
      run(section, section.dataset.key);
    }
  });
  run(section, section.dataset.key);
}
