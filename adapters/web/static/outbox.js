// Messages on their way. Each keeps its id until it is known to be stored, so sending one again never doubles it.

import { randomId } from "./dom.js";

const UNREACHABLE = "Clew could not be reached.";

export class Outbox {
  #thread = null;
  #items = [];
  #line = Promise.resolve(); // messages leave in the order they were written in

  /** @param does {changed(), said(html), sent(item)} */
  constructor(does) {
    this.does = does;
  }

  get items() {
    return this.#items.filter((item) => item.thread === this.#thread);
  }

  /** Change over to another thread, with what an earlier visit could not send there. */
  open(thread) {
    this.#thread = thread;
    const known = new Set(this.#items.map((item) => item.id));
    for (const { id, text } of JSON.parse(sessionStorage.getItem(`clew-unsent-${thread}`) ?? "[]")) {
      if (!known.has(id)) this.#items.push({ id, thread, text, files: [], state: "failed", reason: "The page was closed." });
    }
  }

  send(text, files) {
    const item = { id: randomId(), thread: this.#thread, text, files, state: "sending", reason: null };
    this.#items.push(item);
    this.#post(item);
  }

  again(item) {
    item.state = "sending";
    this.#post(item);
  }

  take(item) {
    this.#items = this.#items.filter((other) => other !== item);
    this.#keep(item.thread);
    this.does.changed();
  }

  /** Forget what the conversation holds by now. */
  settle(messageIds) {
    const settled = this.#items.filter((item) => messageIds.has(item.id));
    if (!settled.length) return;
    this.#items = this.#items.filter((item) => !messageIds.has(item.id));
    this.#keep(this.#thread);
  }

  #post(item) {
    this.#keep(item.thread);
    this.does.changed();
    this.#line = this.#line.then(() => this.#posted(item));
  }

  async #posted(item) {
    if (!this.#items.includes(item)) return;
    const answer = await post(`/api/threads/${item.thread}/messages`, bodyOf(item));
    if (answer.status === 202) {
      item.state = "sent";
      this.does.sent(item);
    } else if (answer.ok) {
      this.take(item);
      this.does.said(answer.body.said);
    } else {
      item.state = "failed";
      item.reason = answer.body.error ?? UNREACHABLE;
      // What was refused for what it is will be refused again; it can only be changed.
      item.isFinal = answer.status >= 400 && answer.status < 500 && answer.status !== 429;
    }
    this.#keep(item.thread);
    this.does.changed();
  }

  // Files cannot be kept over a reload, and half a message is none.
  #keep(thread) {
    const unsent = this.#items.filter((item) => item.thread === thread && item.state !== "sent" && !item.files.length);
    const name = `clew-unsent-${thread}`;
    if (unsent.length) sessionStorage.setItem(name, JSON.stringify(unsent.map(({ id, text }) => ({ id, text }))));
    else sessionStorage.removeItem(name);
  }
}

/**
 * Have a command carried out; gives the HTML of what was done, or throws an Error with a sentence.
 * @param asked the name of what it decides of
 */
export async function command(thread, name, asked) {
  const body = JSON.stringify({ id: randomId(), command: name, asked });
  const answer = await post(`/api/threads/${thread}/commands`, { body, headers: { "Content-Type": "application/json" } });
  if (!answer.ok) throw new Error(answer.body.error ?? UNREACHABLE);
  return answer.body.said;
}

function bodyOf(item) {
  const message = JSON.stringify({ id: item.id, text: item.text });
  if (!item.files.length) return { body: message, headers: { "Content-Type": "application/json" } };
  const form = new FormData();
  form.append("message", message);
  item.files.forEach((file) => form.append("files", file, file.name));
  return { body: form };
}

async function post(url, request) {
  try {
    const answer = await fetch(url, { method: "POST", ...request });
    if (answer.status === 401) location.reload();
    return { ok: answer.ok, status: answer.status, body: await answer.json().catch(() => ({})) };
  } catch {
    return { ok: false, status: 0, body: {} };
  }
}
