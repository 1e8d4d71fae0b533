// Marks what is to be cut out by dragging over the photograph, and writes it into the four number fields, which work
// without this script and are what counts.

const FIELDS = ["left", "top", "width", "height"];

for (const figure of document.querySelectorAll("[data-crop]")) {
  const picture = figure.querySelector("img");
  const fields = FIELDS.map((name) => document.getElementById(`field-${name}`));
  const full = { width: Number(figure.dataset.width), height: Number(figure.dataset.height) };
  const around = document.createElement("div");
  around.className = "crop-area";
  picture.before(around);
  const mark = document.createElement("div");
  mark.className = "crop-mark";
  mark.hidden = true;
  around.append(picture, mark);
  picture.draggable = false;
  const hint = document.createElement("p");
  hint.className = "hint";
  hint.textContent = figure.dataset.hint;
  figure.prepend(hint);

  const draw = () => {
    const [left, top, width, height] = fields.map((field) => Number(field.value));
    mark.hidden = !(width > 0 && height > 0);
    mark.style.left = `${(100 * left) / full.width}%`;
    mark.style.top = `${(100 * top) / full.height}%`;
    mark.style.width = `${(100 * width) / full.width}%`;
    mark.style.height = `${(100 * height) / full.height}%`;
  };

  const at = (event) => {
    const box = picture.getBoundingClientRect();
    const across = Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
    const down = Math.min(Math.max((event.clientY - box.top) / box.height, 0), 1);
    return [Math.round(across * full.width), Math.round(down * full.height)];
  };

  let first = null;
  around.addEventListener("pointerdown", (event) => {
    first = at(event);
    around.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  around.addEventListener("pointermove", (event) => {
    if (!first) return;
    const [x, y] = at(event);
    const sides = [Math.min(first[0], x), Math.min(first[1], y), Math.abs(first[0] - x), Math.abs(first[1] - y)];
    fields.forEach((field, number) => (field.value = String(sides[number])));
    draw();
  });
  around.addEventListener("pointerup", () => (first = null));
  around.addEventListener("pointercancel", () => (first = null));
  for (const field of fields) field.addEventListener("input", draw);
  draw();
}
