// The event stream. EventSource reconnects by itself with Last-Event-ID; what it does not notice or gives up on
// (a connection that died silently, an error answer of a proxy) is opened anew here, from the last number seen.
import { setServerTime } from "./clock.js";

// The server says something every 15 s.
const SILENCE_MS = 40000;
const CHECK_MS = 5000;
// Reconnections shorter than this are nobody's business.
const PATIENCE_MS = 4000;

export function openStream(inbox, indicator, onItem) {
  let seq = inbox.dataset.seq;
  let heard = Date.now();
  let tries = 0;
  let source;
  let complaint;

  function alive() {
    heard = Date.now();
    tries = 0;
    clearTimeout(complaint);
    complaint = undefined;
    indicator.hidden = false;
    indicator.classList.remove("is-lost");
    if (indicator.textContent !== indicator.dataset.live) indicator.textContent = indicator.dataset.live;
  }

  function lost() {
    complaint ??= setTimeout(() => {
      indicator.hidden = false;
      indicator.classList.add("is-lost");
      indicator.textContent = indicator.dataset.lost;
    }, PATIENCE_MS);
  }

  function open() {
    source?.close();
    heard = Date.now();
    source = new EventSource(`${inbox.dataset.events}?after=${seq}`);
    source.addEventListener("open", alive);
    source.addEventListener("item", (event) => {
      alive();
      seq = event.lastEventId;
      onItem(JSON.parse(event.data));
    });
    source.addEventListener("clock", (event) => {
      alive();
      setServerTime(JSON.parse(event.data));
    });
    source.addEventListener("reload", () => location.assign(inbox.dataset.page)); // logged out, or too far behind
    source.addEventListener("error", () => {
      lost();
      if (source.readyState === EventSource.CLOSED) reopen();
    });
  }

  async function reopen() {
    tries += 1;
    const pause = Math.min(30000, 1000 * 2 ** tries) * (0.5 + Math.random() / 2);
    await new Promise((done) => setTimeout(done, pause));
    if (await loggedOut()) location.assign(inbox.dataset.page);
    else open();
  }

  async function loggedOut() {
    try {
      const page = await fetch(inbox.dataset.page, { method: "HEAD", redirect: "manual" });
      return page.type === "opaqueredirect";
    } catch {
      return false; // the service is down; the stream goes on trying
    }
  }

  setInterval(() => {
    if (Date.now() - heard < SILENCE_MS || source.readyState === EventSource.CLOSED) return;
    lost();
    open();
  }, CHECK_MS);
  // The browser drops the stream of a page in its back-forward cache without telling.
  addEventListener("pageshow", (event) => event.persisted && location.reload());
  open();
}
