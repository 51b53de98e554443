// The stream of what is new, and its coming back after it broke.

const SILENCE = 40_000; // ms; the server says something every 15 s
const FIRST_PAUSE = 400; // ms
const LONGEST_PAUSE = 5_000; // ms

/** Follows one thread and the list of threads. Every connection begins with a snapshot, so nothing is lost for good. */
export class Feed {
  #source = null;
  #thread = null;
  #pause = FIRST_PAUSE;
  #again = 0;
  #silence = 0;

  /** @param told {threads, turns, said, connected}: functions that take what is new. */
  constructor(told) {
    this.told = told;
    // A browser opens six connections to a host at the most, so tabs that nobody sees let theirs go.
    document.addEventListener("visibilitychange", () => (document.hidden ? this.#close() : this.#open()));
    window.addEventListener("online", () => this.#open());
    window.addEventListener("pagehide", () => this.#close());
    window.addEventListener("pageshow", (event) => event.persisted && this.#open());
  }

  follow(thread) {
    this.#thread = thread;
    this.#open();
  }

  #open() {
    this.#close();
    if (document.hidden || !this.#thread) return;
    const source = new EventSource(`/api/events?thread=${this.#thread}`);
    this.#source = source;
    const on = (name, take) =>
      source.addEventListener(name, (event) => {
        this.#alive();
        take(JSON.parse(event.data));
      });
    on("threads", (threads) => this.told.threads(threads));
    on("turns", (turns) => this.told.turns(turns));
    on("said", (said) => this.told.said(said));
    on("beat", () => {});
    source.onopen = () => {
      this.#pause = FIRST_PAUSE;
      this.#alive();
      this.told.connected(true);
    };
    source.onerror = () => this.#lost();
  }

  #close() {
    this.#source?.close();
    this.#source = null;
    clearTimeout(this.#again);
    clearTimeout(this.#silence);
  }

  #alive() {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#lost(), SILENCE);
  }

  async #lost() {
    this.#close();
    this.told.connected(false);
    this.#again = setTimeout(() => this.#open(), this.#pause);
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
    // The token may have been changed meanwhile; only the page itself can ask for the new one.
    const answer = await fetch("/api/threads").catch(() => null);
    if (answer?.status === 401) location.reload();
  }
}
