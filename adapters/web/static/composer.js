// Where messages are written and files are gathered.

import { announce, byId, element, icon, sizeOf } from "./dom.js";

const textarea = byId("composer");
const chips = byId("chips");
const picker = byId("files");
const most = Number(picker.dataset.most);
const largest = Number(picker.dataset.largest); // bytes
// On a phone's keyboard Enter is the only way to a new line, and the button sends.
const hasKeyboard = !matchMedia("(pointer: coarse)").matches;

export class Composer {
  #thread = null;
  #files = [];
  #isAnswering = false;

  /** @param does {send(text, files), stop(), complain(sentence)} */
  constructor(does) {
    this.does = does;
    byId("composer-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    textarea.addEventListener("keydown", (event) => this.#pressed(event));
    textarea.addEventListener("input", () => this.#changed());
    byId("stop").addEventListener("click", () => does.stop());
    byId("attach").addEventListener("click", () => picker.click());
    picker.addEventListener("change", () => {
      this.attach(picker.files);
      picker.value = "";
    });
    textarea.addEventListener("paste", (event) => {
      if (!event.clipboardData.files.length) return;
      event.preventDefault();
      this.attach(event.clipboardData.files);
    });
    this.#takeDrops();
  }

  /** Change over to another thread, whose unsent words come back. */
  open(thread) {
    this.#thread = thread;
    this.put(sessionStorage.getItem(this.#draftName) ?? "", []);
  }

  put(text, files) {
    textarea.value = text;
    this.#files.forEach((file) => file.preview && URL.revokeObjectURL(file.preview));
    this.#files = [];
    this.#add(files);
    this.#changed();
  }

  focus() {
    if (hasKeyboard) textarea.focus({ preventScroll: true });
  }

  answering(isAnswering) {
    this.#isAnswering = isAnswering;
    this.#buttons();
  }

  attach(files) {
    const taken = [];
    for (const file of files) {
      if (file.size > largest) this.does.complain(`“${file.name}” is larger than ${sizeOf(largest)}.`);
      else if (this.#files.length + taken.length >= most) this.does.complain(`A message may have ${most} files.`);
      else taken.push(file);
    }
    if (taken.length) announce(taken.length === 1 ? `Attached ${taken[0].name}.` : `Attached ${taken.length} files.`);
    this.#add(taken);
    this.focus();
  }

  get #draftName() {
    return `clew-draft-${this.#thread}`;
  }

  #send() {
    const text = textarea.value;
    const files = this.#files.map(({ file }) => file);
    if (!text.trim() && !files.length) return;
    this.put("", []);
    this.does.send(text, files);
  }

  #pressed(event) {
    // Enter that ends the composition of a word belongs to the input method; Safari tells so by 229 only.
    const isComposing = event.isComposing || event.keyCode === 229;
    if (event.key !== "Enter" || event.shiftKey || isComposing || !hasKeyboard) return;
    event.preventDefault();
    this.#send();
  }

  #changed() {
    if (textarea.value) sessionStorage.setItem(this.#draftName, textarea.value);
    else sessionStorage.removeItem(this.#draftName);
    textarea.style.height = "auto";
    textarea.style.height = `${textarea.scrollHeight}px`;
    this.#buttons();
  }

  #buttons() {
    const isEmpty = !textarea.value.trim() && !this.#files.length;
    byId("send").disabled = isEmpty;
    byId("send").hidden = this.#isAnswering && isEmpty;
    byId("stop").hidden = !this.#isAnswering;
  }

  #add(files) {
    for (const file of files) {
      const preview = /^image\/(png|jpeg|gif|webp|avif|bmp)$/.test(file.type) ? URL.createObjectURL(file) : null;
      this.#files.push({ file, preview });
    }
    this.#showChips();
    this.#buttons();
  }

  #remove(attached) {
    if (attached.preview) URL.revokeObjectURL(attached.preview);
    this.#files = this.#files.filter((other) => other !== attached);
    announce(`Removed ${attached.file.name}.`);
    this.#showChips();
    this.#buttons();
    textarea.focus();
  }

  #showChips() {
    chips.hidden = !this.#files.length;
    chips.replaceChildren(
      ...this.#files.map((attached) =>
        element(
          "li",
          { class: "chip" },
          attached.preview ? element("img", { src: attached.preview, alt: "" }) : icon("file"),
          element("span", { class: "name" }, attached.file.name || "file"),
          element("span", { class: "size" }, sizeOf(attached.file.size)),
          element(
            "button",
            { type: "button", class: "quiet small", "aria-label": `Remove ${attached.file.name}`, onclick: () => this.#remove(attached) },
            icon("close"),
          ),
        ),
      ),
    );
  }

  #takeDrops() {
    let depth = 0; // of elements the files are held over; each enter and leave is told
    const brings = (event) => event.dataTransfer?.types.includes("Files");
    const show = (entered) => {
      depth = Math.max(0, depth + entered);
      byId("drop").hidden = depth === 0;
    };
    window.addEventListener("dragenter", (event) => brings(event) && show(1));
    window.addEventListener("dragleave", (event) => brings(event) && show(-1));
    window.addEventListener("dragover", (event) => brings(event) && event.preventDefault());
    window.addEventListener("drop", (event) => {
      if (!brings(event)) return;
      event.preventDefault();
      show(-depth);
      this.attach(event.dataTransfer.files);
    });
  }
}
