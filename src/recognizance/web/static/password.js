// Passwords in the reader's browser: a button that shows what was typed, and how hard a new one is to guess.
//
// Both are added to fields that work without them. How hard a password is to guess is for the server to say, which asks
// the same when the form is sent: it is asked once typing pauses, with the form's own token, and nothing is kept here.

const PAUSE_MS = 400;

/** A button behind a field that shows and hides what was typed; hidden again before the form is sent. */
function reveal(field) {
  const button = document.createElement("button");
  const name = document.createElement("span");
  name.className = "hidden-text";
  name.textContent = ` ${field.dataset.called}`;
  button.type = "button";
  button.className = "second reveal";
  button.setAttribute("aria-controls", field.id);
  const show = (isShown) => {
    field.type = isShown ? "text" : "password";
    button.replaceChildren(isShown ? field.dataset.hide : field.dataset.show, name);
  };
  show(false);
  button.addEventListener("click", () => show(field.type === "password"));
  // Browsers offer to keep what is in a password field, and only there.
  field.form.addEventListener("submit", () => show(false));
  field.spellcheck = false;
  field.autocapitalize = "off";
  field.after(button);
}

/** Say how hard a password is to guess, whenever typing pauses. */
function measure(field, place) {
  const meter = place.querySelector("meter");
  const said = place.querySelector(".strength-said");
  let waiting = 0;
  let asked = 0;
  const ask = async () => {
    asked += 1;
    const number = asked;
    const body = new URLSearchParams({ csrf: field.form.elements.csrf.value, password: field.value });
    for (const name of ["login", "invitation"]) {
      const given = name === "invitation" ? place.dataset.invitation : field.form.elements[name]?.value;
      if (given) body.set(name, given);
    }
    try {
      const answer = await fetch(place.dataset.strength, { method: "POST", body });
      // What was typed meanwhile has a question of its own.
      if (answer.status !== 200 || number !== asked) return;
      const { score, said: words } = await answer.json();
      place.hidden = false;
      meter.value = score;
      said.textContent = words;
    } catch {
      // Without an answer nothing is said; the form says it when it is sent.
    }
  };
  field.addEventListener("input", () => {
    clearTimeout(waiting);
    asked += 1;
    if (field.value) waiting = setTimeout(ask, PAUSE_MS);
    else place.hidden = true;
  });
}

document.querySelectorAll('input[type="password"]').forEach(reveal);
document.querySelectorAll("[data-strength]").forEach((place) => {
  measure(document.getElementById(place.dataset.of), place);
});
