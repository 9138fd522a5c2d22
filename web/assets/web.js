// What pages do while one looks: they follow their runs, keys lead on, and a form shows
// at once what it asks for. Without this script every page works by links and buttons.
"use strict";

const main = () => document.getElementById("main");
const status = (text) => {
  const s = document.getElementById("status");
  s.textContent = text;
  clearTimeout(status.timer);
  status.timer = setTimeout(() => { s.textContent = ""; }, 4000);
};

// What is being loaded; a newer wish takes its place.
let loading = null;

// load shows the page of an address in the place of this one. Focus stays where it is, if
// there is still such a place.
async function load(address, keep) {
  if (loading) loading.abort();
  const mine = loading = new AbortController();
  document.body.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(address, { signal: mine.signal, headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const focus = document.activeElement;
    const at = focus && main().contains(focus) ? place(focus) : null;
    const chosen = new Set([...document.querySelectorAll("input[type=checkbox][name=dir]:checked")].map((c) => c.value));
    const before = folds();
    main().replaceChildren(...page.getElementById("main").childNodes);
    fold(before);
    for (const c of document.querySelectorAll("input[type=checkbox][name=dir]")) if (chosen.has(c.value)) c.checked = true;
    document.title = page.title;
    if (!keep) history.pushState(null, "", address);
    document.dispatchEvent(new Event("shown"));
    if (at) (document.querySelector(at) || main()).focus({ preventScroll: true });
  } catch (e) {
    if (e.name !== "AbortError") status("The server does not answer.");
  } finally {
    if (loading === mine) {
      loading = null;
      document.body.removeAttribute("aria-busy");
    }
  }
}

// What is folded stays so on the next page; on a small screen what is asked for is folded to begin
// with, where there is something to see under it.
const small = matchMedia("(max-width:34rem)");
const folded = (d) => d.id || (d.closest("figure[id]") ? "of " + d.closest("figure[id]").id : "");
const folds = () => new Map([...document.querySelectorAll("main details")].map((d) => [folded(d), d.open]));

function fold(before) {
  for (const d of document.querySelectorAll("main details")) {
    if (before.has(folded(d))) d.open = before.get(folded(d));
    else if (d.matches(".asked") && small.matches && document.querySelector(".drawn figure")) d.open = false;
  }
}

fold(new Map());

// place is a selector that finds an element again on the next page.
function place(e) {
  if (e.id) return "#" + CSS.escape(e.id);
  if (e.dataset.cell && e.closest("figure")) return "#" + CSS.escape(e.closest("figure").id) + ` [data-cell="${e.dataset.cell}"]`;
  if (e.name && e.value) return `[name="${CSS.escape(e.name)}"][value="${CSS.escape(e.value)}"]`;
  if (e.name) return `[name="${CSS.escape(e.name)}"]`;
  return "#main";
}

addEventListener("popstate", () => load(location.href, true));

// Runs as they go on.
if (document.body.hasAttribute("data-live") && "EventSource" in window) {
  let seen = null;
  const events = new EventSource("/events");
  events.addEventListener("runs", (e) => {
    if (seen !== null && e.data !== seen) load(location.href, true);
    seen = e.data;
  });
  addEventListener("pagehide", () => events.close());
}

// What is being sorted says how far it is, and is shown once it is done.
setInterval(async () => {
  const sorting = document.querySelector("[data-again]");
  if (!sorting || loading) return;
  const link = sorting.querySelector("a").href;
  try {
    const page = new DOMParser().parseFromString(await (await fetch(link, { headers: { Accept: "text/html" } })).text(), "text/html");
    if (document.querySelector("[data-again]") !== sorting || loading) return;
    const now = page.querySelector("[data-again] progress");
    if (now) sorting.querySelector("progress").value = now.value;
    else load(link, true);
  } catch { /* the next look may go better */ }
}, 1000);

// A form's answer is shown as soon as something in it is chosen.
function wish(form) {
  const q = new URLSearchParams();
  for (const [name, value] of new FormData(form)) q.append(name, value);
  return form.getAttribute("action") + "?" + q;
}

document.addEventListener("submit", (e) => {
  if (!e.target.matches("[data-form]")) return;
  e.preventDefault();
  load(wish(e.target));
});

document.addEventListener("change", (e) => {
  const form = e.target.form;
  if (form && form.matches("[data-form]") && e.target.name !== "step" && e.target.name !== "do" && form.reportValidity()) load(wish(form));
});

// Keys lead where their links do.
document.addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.altKey || e.metaKey || e.target.closest("input, select, textarea, .table, .cell")) return;
  const link = document.querySelector(`a[data-key="${CSS.escape(e.key)}"]`);
  if (!link) return;
  e.preventDefault();
  load(link.href);
});

document.addEventListener("click", (e) => {
  const link = e.target.closest("a[data-key]");
  if (!link || e.ctrlKey || e.metaKey || e.shiftKey) return;
  e.preventDefault();
  load(link.href);
});

// A file that is dropped is brought.
async function bring(file) {
  const body = new FormData();
  body.append("file", file);
  status(`${file.name} is being brought.`);
  try {
    const answer = await fetch("/upload", { method: "POST", body });
    if (answer.ok && new URL(answer.url).pathname === "/wafers") {
      load(answer.url);
      return;
    }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    status((page.querySelector(".lead") || { textContent: "The file could not be brought." }).textContent);
  } catch {
    status("The file could not be brought: it may be too large.");
  }
}

const drops = () => document.querySelector("[data-drop]");
document.addEventListener("dragover", (e) => { if (drops()) e.preventDefault(); });
document.addEventListener("drop", (e) => {
  if (!drops() || !e.dataTransfer.files.length) return;
  e.preventDefault();
  bring(e.dataTransfer.files[0]);
});

// Wafers to play with: cells take charge by clicks and keys.
const boards = { "board-a": "a", "board-b": "b" };

function charges(text) {
  const m = new Map();
  for (const part of text.split(/[\s,;]+/)) {
    const [cell, charge] = part.split(":");
    if (charge !== undefined) m.set(+cell, (m.get(+cell) || 0) + +charge);
  }
  return m;
}

function put(cell, change) {
  const form = document.querySelector("[data-play]");
  const field = form.elements[boards[cell.closest("figure").id]];
  const m = charges(field.value);
  const i = +cell.dataset.cell;
  const v = change(m.get(i) || 0, Math.max(+form.elements.step.value || 0, 0));
  if (v > 0) m.set(i, v); else m.delete(i);
  field.value = [...m].sort((x, y) => x[0] - y[0]).map(([c, q]) => `${c}:${q}`).join(",");
  load(wish(form));
}

const add = (v, step) => v + step;
const take = (v, step) => v - step;

// ready makes the cells of the boards reachable: one of each by Tab, the others by arrows.
function ready() {
  if (!document.querySelector("[data-play]")) return;
  for (const id of Object.keys(boards)) {
    const cells = document.querySelectorAll(`#${id} .cell`);
    cells.forEach((c, i) => {
      c.setAttribute("role", "button");
      c.setAttribute("tabindex", i ? "-1" : "0");
    });
  }
}

document.addEventListener("click", (e) => {
  const cell = e.target.closest(".cell");
  if (!cell || !document.querySelector("[data-play]")) return;
  put(cell, document.getElementById("away").checked !== e.shiftKey ? take : add);
});

document.addEventListener("keydown", (e) => {
  const cell = e.target.closest(".cell");
  if (!cell || !document.querySelector("[data-play]") || e.ctrlKey || e.altKey || e.metaKey) return;
  const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[e.key];
  if (way) next(cell, way);
  else if (e.key === "Enter" || e.key === " ") put(cell, document.getElementById("away").checked ? take : add);
  else if (e.key === "+") put(cell, add);
  else if (e.key === "-") put(cell, take);
  else if (e.key === "0" || e.key === "Delete") put(cell, () => 0);
  else return;
  e.preventDefault();
});

// next moves on to the nearest cell in a direction.
function next(cell, [dx, dy]) {
  const middle = (c) => { const b = c.getBBox(); return [b.x + b.width / 2, b.y + b.height / 2]; };
  const [x, y] = middle(cell);
  let best = null, least = Infinity;
  for (const c of cell.parentNode.querySelectorAll(".cell")) {
    const [u, v] = middle(c);
    const along = (u - x) * dx + (v - y) * dy, aside = Math.abs((u - x) * dy) + Math.abs((v - y) * dx);
    if (along > 1 && along + 2.5 * aside < least) { best = c; least = along + 2.5 * aside; }
  }
  if (best) best.focus();
}

// The cell that has the focus is the one that Tab leads back to.
document.addEventListener("focusin", (e) => {
  if (!e.target.matches(".cell[role=button]")) return;
  for (const c of e.target.parentNode.querySelectorAll('.cell[tabindex="0"]')) c.setAttribute("tabindex", "-1");
  e.target.setAttribute("tabindex", "0");
});

document.addEventListener("shown", ready);
ready();
