// The page: which thread is open, and who is told about what.

import { Composer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { announce, byId, element, fromHtml, icon, randomId } from "./dom.js";
import { Feed } from "./feed.js";
import { command, Outbox } from "./outbox.js";
import { closeDrawer, isDrawerOpen, showThreads, startSidebar } from "./sidebar.js";

const scroller = byId("scroller");
const NEAR = 48; // px from the end that still count as there

let thread = null; // id of the open one
let threads = [];
let turns = new Map(); // id -> turn, with all the blocks of its answer
let order = [];
let isTold = false; // whether the thread's snapshot has come
let news = null; // what was said without being asked for, until it is dismissed
let follows = true; // whether the end is kept in sight

const outbox = new Outbox({ changed: show, said: note, sent: () => announce("Sent.") });
const conversation = new Conversation({
  retry: () => carryOut("retry"),
  decide: (name, asked) => carryOut(name, asked),
  again: (item) => outbox.again(item),
  edit: (item) => {
    outbox.take(item);
    composer.put(item.text, item.files);
    composer.focus();
  },
});
const composer = new Composer({ send, stop: () => carryOut("stop"), complain: (sentence) => note(element("p", {}, sentence)) });
const feed = new Feed({ threads: takeThreads, turns: takeTurns, said: takeSaid, connected });

// --- what is told ---

function takeThreads(told) {
  threads = told;
  showList();
}

function takeTurns(told) {
  if (told.thread !== thread) return; // the last words of a stream that was left
  const isLive = isTold;
  isTold = true;
  order = told.order;
  for (const change of told.turns) {
    const known = turns.get(change.id) ?? { answer: null };
    const turn = { ...known, ...change };
    if (change.answer) {
      const { keep, ...answer } = change.answer;
      const { thoughts = null, asks = null } = known.answer ?? {};
      turn.answer = { thoughts, asks, ...answer, blocks: [...(known.answer?.blocks ?? []).slice(0, keep), ...answer.blocks] };
    }
    turns.set(change.id, turn);
  }
  const there = new Set(order);
  turns = new Map([...turns].filter(([id]) => there.has(id)));
  outbox.settle(new Set(shownTurns().flatMap((turn) => turn.questions.map((question) => question.id))));
  show({ isLive });
}

function takeSaid(told) {
  if (told.thread !== thread) return;
  news = told.said;
  note(news);
}

let lostTimer = 0;

function connected(isConnected) {
  clearTimeout(lostTimer);
  // A hiccup that mends itself is nobody's concern.
  if (isConnected) byId("lost").hidden = true;
  else lostTimer = setTimeout(() => (byId("lost").hidden = false), 1000);
}

// --- what is shown ---

function shownTurns() {
  return order.map((id) => turns.get(id)).filter(Boolean);
}

function show({ isLive = true } = {}) {
  const shown = shownTurns();
  // A command is answered by what it does, not by a place in the conversation.
  const pending = isTold ? outbox.items.filter((item) => item.state === "failed" || !/^\s*\/[a-z]+\s*$/i.test(item.text)) : [];
  conversation.show(shown, pending, { isLive });
  const isAnswering = shown.some((turn) => turn.state === "queued" || turn.state === "running");
  const isEmpty = isTold && !shown.length && !pending.length;
  composer.answering(isAnswering);
  byId("empty").hidden = !isEmpty;
  byId("reset").disabled = !shown.length;
  keepUp();
}

function showList() {
  showThreads(threads, thread);
  const title = threads.find(({ id }) => id === thread)?.title || "New thread";
  byId("title").textContent = title;
  document.title = title === "New thread" ? "Clew" : `${title} – Clew`;
}

function note(content) {
  // A report may come before the words that its command is answered with.
  const said = news === null || content === news ? [content] : [content, news];
  const words = said.map((each) => (typeof each === "string" ? fromHtml(each) : each));
  const close = element("button", { type: "button", class: "quiet small", "aria-label": "Dismiss", onclick: dismiss }, icon("close"));
  const body = element("div", { class: "words" }, ...words);
  byId("note").replaceChildren(body, close);
  byId("note").hidden = false;
  announce(body.textContent);
}

function hideNote() {
  news = null;
  byId("note").hidden = true;
}

function dismiss() {
  hideNote();
  composer.focus();
}

function keepUp() {
  if (follows) scroller.scrollTop = scroller.scrollHeight;
  byId("jump").hidden = follows;
}

// --- what is done ---

function send(text, files) {
  hideNote();
  follows = true;
  if (location.hash.slice(1) !== thread) history.pushState(null, "", `#${thread}`);
  outbox.send(text, files);
}

async function carryOut(name, asked) {
  const where = thread;
  try {
    const said = await command(where, name, asked);
    if (where === thread && !["retry", "stop"].includes(name)) note(said);
  } catch (error) {
    note(element("p", {}, error.message));
  }
}

function open(id) {
  if (id === thread) return;
  thread = id;
  turns = new Map();
  order = [];
  isTold = false;
  follows = true;
  hideNote();
  outbox.open(thread);
  composer.open(thread);
  show();
  showList();
  feed.follow(thread);
}

function newThread() {
  closeDrawer();
  history.pushState(null, "", location.pathname);
  open(randomId());
  composer.focus();
}

function followAddress() {
  const id = location.hash.slice(1);
  open(/^[a-z0-9]{8,40}$/.test(id) ? id : randomId());
}

// --- at the start ---

scroller.addEventListener("scroll", () => {
  follows = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR;
  byId("jump").hidden = follows;
});
new ResizeObserver(keepUp).observe(scroller);
new ResizeObserver(keepUp).observe(byId("log")); // pictures arrive late
byId("jump").addEventListener("click", () => {
  follows = true;
  keepUp();
});
byId("new-thread").addEventListener("click", newThread);
byId("reset").addEventListener("click", () => byId("reset-dialog").showModal());
byId("reset-dialog").addEventListener("close", (event) => {
  if (event.target.returnValue === "reset") carryOut("reset");
  event.target.returnValue = "";
  composer.focus();
});
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the address names the thread
  byId("composer").focus();
});
window.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.isComposing || byId("reset-dialog").open) return;
  if (isDrawerOpen()) closeDrawer({ refocus: true });
  else if (!byId("note").hidden) dismiss();
  else if (!byId("stop").hidden) carryOut("stop");
});
window.addEventListener("popstate", followAddress);
window.addEventListener("hashchange", followAddress);
startSidebar();
followAddress();
composer.focus();
