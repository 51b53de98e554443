// The list of threads, which becomes a drawer where there is no room for it.

import { byId, element } from "./dom.js";

const narrow = matchMedia("(max-width: 760px)");
const DAY = 86_400_000; // ms

const sidebar = byId("sidebar");
const opener = byId("open-menu");
const scrim = byId("scrim");

export function showThreads(threads, current) {
  const groups = new Map();
  for (const thread of threads) {
    const name = dayOf(thread.at * 1000);
    groups.set(name, [...(groups.get(name) ?? []), thread]);
  }
  const shown = [...groups].map(([name, members]) =>
    element(
      "section",
      {},
      element("h2", {}, name),
      element("ul", {}, ...members.map((thread) => element("li", {}, lineOf(thread, thread.id === current)))),
    ),
  );
  const list = byId("threads");
  const focused = list.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  list.replaceChildren(...shown);
  if (focused) list.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
}

function lineOf(thread, isCurrent) {
  const line = element("a", { href: `#${thread.id}`, "aria-current": isCurrent ? "page" : null, title: thread.title });
  line.append(element("span", { class: "title" }, thread.title || "Untitled"));
  if (thread.open) line.append(element("span", { class: "spinner", role: "img", "aria-label": "being answered" }));
  line.addEventListener("click", () => closeDrawer());
  return line;
}

function dayOf(time) {
  const midnight = new Date().setHours(0, 0, 0, 0);
  if (time >= midnight) return "Today";
  if (time >= midnight - DAY) return "Yesterday";
  return time >= midnight - 7 * DAY ? "Last seven days" : "Earlier";
}

export function isDrawerOpen() {
  return sidebar.classList.contains("open");
}

export function closeDrawer({ refocus = false } = {}) {
  if (!isDrawerOpen()) return;
  sidebar.classList.remove("open");
  scrim.hidden = true;
  byId("main").inert = false;
  opener.setAttribute("aria-expanded", "false");
  settle();
  if (refocus) opener.focus();
}

function openDrawer() {
  sidebar.classList.add("open");
  scrim.hidden = false;
  opener.setAttribute("aria-expanded", "true");
  settle();
  byId("main").inert = true;
  byId("close-menu").focus();
}

// A drawer that is closed is out of reach of the keyboard as well.
function settle() {
  sidebar.inert = narrow.matches && !isDrawerOpen();
}

export function startSidebar() {
  opener.addEventListener("click", openDrawer);
  byId("close-menu").addEventListener("click", () => closeDrawer({ refocus: true }));
  scrim.addEventListener("click", () => closeDrawer({ refocus: true }));
  narrow.addEventListener("change", () => (closeDrawer(), settle()));
  settle();
}
