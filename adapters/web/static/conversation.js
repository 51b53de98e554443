// The conversation: turns as elements that are changed only where they differ.

import { announce, byId, copyButton, element, fromHtml, icon, sizeOf } from "./dom.js";

const log = byId("log");
const SPOKEN = 600; // characters of an answer that are read out

const isOpen = (turn) => turn.state === "queued" || turn.state === "running";

export class Conversation {
  #turns = new Map(); // id -> TurnElement

  /** @param does {retry(), decide(name, asked), again(item), edit(item)} */
  constructor(does) {
    this.does = does;
  }

  /** Show these turns in this order, and after them what is still on its way. */
  show(turns, pending, { isLive }) {
    const shown = new Set(turns.map((turn) => turn.id));
    for (const [id, turn] of this.#turns) {
      if (shown.has(id)) continue;
      turn.root.remove();
      this.#turns.delete(id);
    }
    const firstOpen = turns.find(isOpen);
    const last = turns.at(-1);
    let place = log.firstElementChild;
    for (const turn of turns) {
      let known = this.#turns.get(turn.id);
      if (!known) {
        known = new TurnElement(this.does);
        this.#turns.set(turn.id, known);
      }
      known.show(turn, { waits: isOpen(turn) && turn !== firstOpen, canRetry: turn === last && !isOpen(turn), isLive });
      if (known.root === place) place = place.nextElementSibling;
      else log.insertBefore(known.root, place);
    }
    log.querySelectorAll(".pending").forEach((old) => old.remove());
    log.append(...pending.map((item) => this.#pending(item)));
  }

  #pending(item) {
    const made = element("div", { class: `turn pending ${item.state}` });
    const files = item.files.map((file) => ({ name: file.name, size: file.size, kind: "file" }));
    made.append(questionOf({ text: item.text, files }));
    if (item.state !== "failed") return made;
    const again = element("button", { type: "button", class: "link", onclick: () => this.does.again(item) }, "Send again");
    const edit = element("button", { type: "button", class: "link", onclick: () => this.does.edit(item) }, "Edit");
    made.append(element("p", { class: "unsent", role: "alert" }, "Not sent. ", item.reason, " ", ...(item.isFinal ? [edit] : [again, edit])));
    return made;
  }
}

class TurnElement {
  #shown = null; // what was shown last
  #blocks = [];

  constructor(does) {
    this.does = does;
    this.questions = element("div", { class: "questions" });
    this.body = element("div", { class: "body" });
    this.files = element("div", { class: "files" });
    this.sign = element("p", { class: "sign" });
    this.thoughts = element("details", { class: "thoughts", hidden: true }, element("summary"), element("div", { class: "told" }));
    this.actions = element("div", { class: "actions" });
    this.answer = element(
      "article",
      { class: "answer", "aria-label": "Clew" },
      icon("clew", "mark"),
      element("div", { class: "content" }, this.thoughts, this.body, this.files, this.sign, this.actions),
    );
    this.root = element("section", { class: "turn", "aria-label": "Question and answer" }, this.questions, this.answer);
  }

  show(turn, { waits, canRetry, isLive }) {
    const before = this.#shown;
    if (before?.turn === turn && before.waits === waits && before.canRetry === canRetry) return;
    const look = JSON.stringify([turn.state, turn.stopping, waits, canRetry, !turn.answer?.blocks.length, turn.answer?.tool, turn.answer?.asks, turn.answer?.at, turn.answer?.markdown]);
    if (before?.turn.questions !== turn.questions) this.questions.replaceChildren(...turn.questions.map(questionOf));
    if (before?.turn.answer?.thoughts !== turn.answer?.thoughts) this.#showThoughts(turn.answer?.thoughts);
    this.#showBlocks(turn.answer?.blocks ?? []);
    this.#showFiles(turn.answer?.files ?? []);
    this.root.dataset.state = turn.state;
    this.root.classList.toggle("notice", turn.answer?.kind === "notice");
    this.root.classList.toggle("waits", waits);
    this.answer.setAttribute("aria-busy", String(isOpen(turn)));
    if (before?.look !== look) {
      this.#showSign(turn, waits);
      this.#showActions(turn, canRetry);
    }
    if (isLive) this.#speak(before?.turn, turn, waits);
    this.#shown = { turn, waits, canRetry, look };
  }

  #showBlocks(blocks) {
    let same = 0;
    while (same < blocks.length && blocks[same] === this.#blocks[same]) same += 1;
    while (this.body.children.length > same) this.body.lastElementChild.remove();
    for (const html of blocks.slice(same)) this.body.append(finished(fromHtml(html)));
    this.#blocks = blocks;
  }

  // Open or closed as whoever looks at them left them; gone when the answer is whole.
  #showThoughts(thoughts) {
    this.thoughts.hidden = !thoughts;
    this.thoughts.firstElementChild.textContent = thoughts?.headline ?? "";
    this.thoughts.lastElementChild.replaceChildren(...(thoughts?.blocks ?? []).map(fromHtml));
  }

  #showFiles(files) {
    const places = new Map([...this.body.querySelectorAll("figure.placed")].map((place) => [place.dataset.file, place]));
    for (const file of files) {
      const place = places.get(file.id);
      if (place && !place.firstChild) place.append(fileOf(file));
    }
    const others = files.filter((file) => !places.has(file.id));
    const look = others.map((file) => file.id).join();
    if (this.files.dataset.look === look) return;
    this.files.dataset.look = look;
    this.files.replaceChildren(...others.map(fileOf));
  }

  #showSign(turn, waits) {
    let words = "";
    if (isOpen(turn)) {
      if (waits) words = "Waiting for the answer above";
      else if (turn.stopping) words = "Stopping";
      else if (turn.answer?.asks) words = "Waiting for you";
      else if (turn.answer?.tool) words = turn.answer.tool;
      else if (!turn.answer?.blocks.length) words = "Thinking";
    } else if (turn.state === "stopped") words = "Stopped.";
    this.sign.hidden = !words;
    this.sign.textContent = words;
    this.sign.classList.toggle("working", isOpen(turn) && !waits && !turn.answer?.asks);
  }

  #showActions(turn, canRetry) {
    const buttons = [];
    const asks = isOpen(turn) && !turn.stopping ? turn.answer?.asks : null;
    if (asks) {
      const decide = (label) => element("button", { type: "button", class: "small labelled", onclick: () => this.does.decide(label.toLowerCase(), asks.name) }, label);
      const words = element("div", { class: "asks" }, fromHtml(asks.words));
      buttons.push(element("div", { class: "decision", role: "group", "aria-label": "Needs your approval" }, words, decide("Approve"), decide("Decline")));
    }
    const text = turn.answer?.markdown;
    if (text && turn.answer.kind === "answer") buttons.push(copyButton("Copy the answer", () => text));
    if (canRetry) {
      const retry = element("button", { type: "button", class: "quiet small labelled retry", onclick: () => this.does.retry() });
      retry.append(icon("retry"), "Retry");
      buttons.push(retry);
    }
    if (turn.answer?.at) buttons.push(timeOf(turn.answer.at));
    const wasHere = this.actions.contains(document.activeElement);
    this.actions.hidden = isOpen(turn) && !asks;
    this.actions.replaceChildren(...buttons);
    if (wasHere && !this.actions.contains(document.activeElement)) byId("composer").focus();
  }

  // Once when it begins and once when it is whole: an answer that is read out with every frame is no answer.
  #speak(before, turn, waits) {
    if (isOpen(turn)) {
      if (turn.answer?.asks && before?.answer?.asks?.name !== turn.answer.asks.name) announce(`Clew asks: ${this.actions.textContent}`);
      else if (!before || (!isOpen(before) && !waits)) announce("Clew is answering.");
    } else if (before && isOpen(before)) {
      const text = this.body.textContent.trim().slice(0, SPOKEN);
      announce(turn.state === "stopped" ? `Stopped. ${text}` : `Clew: ${text}`);
    }
  }
}

function questionOf(question) {
  const made = element("article", { class: "question", "aria-label": "You" });
  if (question.files.length) made.append(element("div", { class: "files" }, ...question.files.map(fileOf)));
  if (question.text.trim()) made.append(element("p", { class: "text", dir: "auto" }, question.text));
  if (question.at) made.title = new Date(question.at * 1000).toLocaleString();
  return made;
}

function fileOf(file) {
  const size = sizeOf(file.size);
  if (file.kind === "image") {
    const image = element("img", { src: file.url, alt: file.alt ?? file.name, loading: "lazy" });
    return element("a", { class: "picture", href: file.url, target: "_blank", rel: "noopener", title: file.name }, image);
  }
  if (file.kind === "audio" || file.kind === "video") {
    const player = element(file.kind, { controls: true, preload: "metadata", src: file.url, "aria-label": file.alt ?? file.name });
    return element("figure", { class: "player" }, player, element("figcaption", {}, `${file.name} · ${size}`));
  }
  const label = [icon("file"), element("span", { class: "name" }, file.name), element("span", { class: "size" }, size)];
  return file.url
    ? element("a", { class: "chip", href: file.url, download: file.name }, ...label)
    : element("span", { class: "chip" }, ...label);
}

function timeOf(seconds) {
  const when = new Date(seconds * 1000);
  const time = when.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  return element("time", { datetime: when.toISOString(), title: when.toLocaleString() }, time);
}

// What the server's HTML cannot bring: buttons that do something.
function finished(fragment) {
  for (const figure of fragment.querySelectorAll("figure.code")) {
    const code = figure.querySelector("code");
    const label = figure.querySelector("figcaption") ?? element("figcaption", { class: "language" });
    const bar = element("div", { class: "bar" }, label, copyButton("Copy the code", () => code.textContent));
    figure.prepend(bar);
  }
  return fragment;
}
