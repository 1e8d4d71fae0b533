// Sends a form once, however often its button is pressed: a second press within a few seconds is taken for the first.
// Later ones count, because a form that answers with a download leaves the page, and its reader, where they are.
// Without this script each press counts.

const FEW_SECONDS_MS = 5_000;
let sent = new WeakSet();

// Here the form's own scripts have had their say already, and one that wasn't sent isn't remembered.
addEventListener("submit", (event) => {
  if (event.defaultPrevented) return;
  if (sent.has(event.target)) {
    event.preventDefault();
    return;
  }
  sent.add(event.target);
  setTimeout(() => sent.delete(event.target), FEW_SECONDS_MS);
});

// Coming back by the browser's own button.
addEventListener("pageshow", (event) => {
  if (event.persisted) sent = new WeakSet();
});
