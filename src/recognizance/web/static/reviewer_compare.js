// Two pictures that are enlarged, moved and mirrored together, by buttons, keys, wheel and pointer. Without this script
// they are two pictures side by side. Keys work only while the pictures have the focus (WCAG 2.1.4).

const STEP = 1.25;
const MOST = 8;
const MOVE = 0.1;

class Comparison {
  constructor(root) {
    this.root = root;
    this.section = root.closest(".candidate");
    this.pictures = [...root.querySelectorAll("img")];
    root.tabIndex = 0;
    this.describe();
    this.addButtons();
    this.reset();

    root.addEventListener("keydown", (event) => this.key(event));
    for (const pane of root.querySelectorAll(".pane")) {
      pane.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
      pane.addEventListener("pointerdown", (event) => this.grab(event, pane));
      pane.addEventListener("pointermove", (event) => this.drag(event, pane));
      pane.addEventListener("pointerup", () => (this.from = null));
      pane.addEventListener("pointercancel", () => (this.from = null));
    }
  }

  describe() {
    const about = document.createElement("p");
    about.className = "hidden-text";
    about.id = `${this.root.getAttribute("aria-labelledby")}-about`;
    about.textContent = this.root.dataset.about;
    this.root.append(about);
    this.root.setAttribute("aria-describedby", about.id);
  }

  addButtons() {
    const row = document.createElement("p");
    row.className = "buttons tools";
    const texts = this.root.dataset;
    const acts = [
      [texts.larger, () => this.zoom(STEP)],
      [texts.smaller, () => this.zoom(1 / STEP)],
      [texts.flip, () => this.flip()],
      [texts.reset, () => this.reset()],
    ];
    for (const [text, act] of acts) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "second";
      button.textContent = text;
      button.addEventListener("click", act);
      row.append(button);
    }
    this.root.after(row);
  }

  key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const acts = {
      "+": () => this.zoom(STEP),
      "=": () => this.zoom(STEP),
      "-": () => this.zoom(1 / STEP),
      0: () => this.reset(),
      m: () => this.flip(),
      ArrowLeft: () => this.move(MOVE, 0),
      ArrowRight: () => this.move(-MOVE, 0),
      ArrowUp: () => this.move(0, MOVE),
      ArrowDown: () => this.move(0, -MOVE),
      1: () => this.choose(0),
      2: () => this.choose(1),
      3: () => this.choose(2),
      4: () => this.choose(3),
      n: () => this.neighbour(1),
      p: () => this.neighbour(-1),
    };
    const act = acts[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    // Arrows scroll the page as long as there is nothing to move.
    if (!act || (event.key.startsWith("Arrow") && this.size === 1)) return;
    event.preventDefault();
    act();
  }

  wheel(event) {
    // Only what is meant for the picture: a plain wheel scrolls the page.
    if (!event.ctrlKey) return;
    event.preventDefault();
    this.zoom(event.deltaY < 0 ? STEP : 1 / STEP);
  }

  grab(event, pane) {
    if (this.size === 1) return;
    this.from = [event.clientX, event.clientY];
    pane.setPointerCapture(event.pointerId);
  }

  drag(event, pane) {
    if (!this.from) return;
    const box = pane.getBoundingClientRect();
    this.move((event.clientX - this.from[0]) / box.width, (event.clientY - this.from[1]) / box.height);
    this.from = [event.clientX, event.clientY];
  }

  zoom(factor) {
    this.size = Math.min(Math.max(this.size * factor, 1), MOST);
    // Steps up and down again have to end where they began.
    if (Math.abs(this.size - 1) < 0.01) this.size = 1;
    this.move(0, 0);
  }

  move(across, down) {
    // In widths and heights of the pane, so that both move alike whatever their sizes.
    const most = (this.size - 1) / 2;
    this.across = Math.min(Math.max(this.across + across, -most), most);
    this.down = Math.min(Math.max(this.down + down, -most), most);
    this.draw();
  }

  flip() {
    this.mirrored = !this.mirrored;
    this.draw();
  }

  reset() {
    this.size = 1;
    this.across = 0;
    this.down = 0;
    this.mirrored = false;
    this.from = null;
    this.draw();
  }

  choose(number) {
    this.section.querySelectorAll("input[type=radio]")[number]?.click();
  }

  neighbour(step) {
    const all = [...document.querySelectorAll("[data-compare]")];
    all[all.indexOf(this.root) + step]?.focus();
  }

  draw() {
    const across = this.size * (this.mirrored ? -1 : 1);
    const transform = `translate(${100 * this.across}%, ${100 * this.down}%) scale(${across}, ${this.size})`;
    for (const picture of this.pictures) picture.style.transform = transform;
    this.root.classList.toggle("enlarged", this.size > 1);
  }
}

for (const root of document.querySelectorAll("[data-compare]")) new Comparison(root);
