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
    main().replaceChildren(...page.getElementById("main").childNodes);
    for (const c of document.querySelectorAll("input[type=checkbox][name=dir]")) if (chosen.has(c.value)) c.checked = true;
    document.title = page.title;
    if (!keep) history.pushState(null, "", address);
    if (at) (document.querySelector(at) || main()).focus({ preventScroll: true });
    document.dispatchEvent(new Event("shown"));
  } catch (e) {
    if (e.name !== "AbortError") status("The server does not answer.");
  } finally {
    if (loading === mine) {
      loading = null;
      document.body.removeAttribute("aria-busy");
    }
  }
}

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
