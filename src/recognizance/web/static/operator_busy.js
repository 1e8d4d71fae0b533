// Says that something takes a while: a form with `data-busy` shows its text and a moving bar once it is sent, and takes
// no second click. Without this script the browser's own sign of loading does.

for (const form of document.querySelectorAll("form[data-busy]")) {
  const status = document.createElement("p");
  status.setAttribute("role", "status");
  status.className = "busy";
  form.append(status);

  const rest = () => {
    delete form.dataset.isBusy;
    status.replaceChildren();
  };

  form.addEventListener("submit", (event) => {
    if (form.dataset.isBusy) {
      event.preventDefault();
      return;
    }
    form.dataset.isBusy = "yes";
    const bar = document.createElement("progress");
    bar.setAttribute("aria-label", form.dataset.busy);
    status.append(form.dataset.busy, bar);
    // A download leaves the page where it is, and nothing says when it has come.
    if ("download" in form.dataset) setTimeout(rest, 15_000);
  });

  // Coming back by the browser's own button.
  addEventListener("pageshow", rest);
}
