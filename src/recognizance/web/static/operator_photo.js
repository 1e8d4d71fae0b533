// A photograph by drag, paste or camera, beside the file field that works without this script. Whatever the way, the
// photograph ends up in that field, and is shown before it is sent. Nothing leaves the browser before the form is sent.

const TYPES = ["image/jpeg", "image/png", "image/webp"];

class PhotoField {
  constructor(root) {
    this.root = root;
    this.input = root.querySelector("input[type=file]");
    this.texts = root.dataset;
    this.said = this.add("p", "hint", "status");
    // A finger neither drags files nor pastes them.
    this.idle = matchMedia("(pointer: coarse)").matches ? "" : this.texts.drop;
    this.said.textContent = this.idle;
    this.preview = this.add("img", "preview");
    this.preview.alt = this.texts.chosen;
    this.preview.hidden = true;
    this.stream = null;

    this.input.addEventListener("change", () => this.show());
    root.addEventListener("dragover", (event) => {
      event.preventDefault();
      root.classList.add("over");
    });
    root.addEventListener("dragleave", () => root.classList.remove("over"));
    root.addEventListener("drop", (event) => {
      event.preventDefault();
      root.classList.remove("over");
      this.take(event.dataTransfer.files);
    });
    document.addEventListener("paste", (event) => {
      if (event.clipboardData.files.length) this.take(event.clipboardData.files);
    });
    addEventListener("pagehide", () => this.stop());
    if (navigator.mediaDevices?.getUserMedia) this.addCamera();
  }

  add(tag, className, role) {
    const element = document.createElement(tag);
    element.className = className;
    if (role) element.setAttribute("role", role);
    this.root.append(element);
    return element;
  }

  take(files) {
    const file = [...files].find((each) => TYPES.includes(each.type));
    if (!file) {
      this.said.textContent = this.texts.noPicture;
      return;
    }
    const chosen = new DataTransfer();
    chosen.items.add(file);
    this.input.files = chosen.files;
    this.show();
  }

  show() {
    URL.revokeObjectURL(this.preview.src);
    const [file] = this.input.files;
    this.preview.hidden = !file;
    if (file) {
      this.preview.src = URL.createObjectURL(file);
      this.said.textContent = `${this.texts.chosen}: ${file.name}`;
    } else {
      this.preview.removeAttribute("src");
      this.said.textContent = this.idle;
    }
  }

  addCamera() {
    // What the camera sees stands above the buttons, so that it isn't beyond the edge of a telephone.
    this.video = this.add("video", "preview");
    const buttons = this.add("p", "buttons");
    this.open = this.button(buttons, this.texts.camera, () => this.start());
    this.shoot = this.button(buttons, this.texts.shoot, () => this.capture());
    this.close = this.button(buttons, this.texts.stop, () => {
      this.stop();
      this.open.focus();
    });
    this.video.setAttribute("aria-label", this.texts.view);
    this.video.muted = true;
    this.video.playsInline = true;
    this.showCamera(false);
  }

  button(parent, text, act) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "second";
    button.textContent = text;
    button.addEventListener("click", act);
    parent.append(button);
    return button;
  }

  showCamera(isOn) {
    this.open.hidden = isOn;
    for (const each of [this.shoot, this.close, this.video]) each.hidden = !isOn;
  }

  async start() {
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({
        video: { facingMode: "environment", width: { ideal: 1920 }, height: { ideal: 1080 } },
      });
      this.video.srcObject = this.stream;
      await this.video.play();
    } catch {
      this.stop();
      this.said.textContent = this.texts.noCamera;
      return;
    }
    this.showCamera(true);
    this.shoot.focus();
  }

  stop() {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
    if (this.video) this.showCamera(false);
  }

  capture() {
    const canvas = document.createElement("canvas");
    canvas.width = this.video.videoWidth;
    canvas.height = this.video.videoHeight;
    canvas.getContext("2d").drawImage(this.video, 0, 0);
    // Without loss: the camera's own compression is enough.
    canvas.toBlob((blob) => {
      this.stop();
      this.take([new File([blob], "camera.png", { type: "image/png" })]);
      this.input.focus();
    }, "image/png");
  }
}

for (const root of document.querySelectorAll("[data-photo]")) new PhotoField(root);

// A photograph is large, and a browser forgets it when the form comes back: what is empty is said before it is sent.
// The service says the same, to whoever has no script.
for (const form of document.querySelectorAll("form[data-needed]")) {
  for (const name of form.dataset.needed.split(" ")) {
    for (const field of form.querySelectorAll(`[name="${name}"]`)) field.required = true;
  }
  form.noValidate = false;
}
