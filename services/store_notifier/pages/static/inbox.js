// The live part of the inbox. Without it every form still works and the page reloads itself.
import { startClock, tick } from "./clock.js";
import { openStream } from "./stream.js";
import { soundSwitch } from "./sound.js";

const inbox = document.getElementById("inbox");
const announcer = document.getElementById("announcer");
const chime = soundSwitch(document.getElementById("sound"));

// A card that ended stays where the eye last saw it for this long, then goes down to "Earlier".
const SETTLE_MS = 6000;
// A counter is a public place: a contact that somebody left open closes by itself.
const CONTACT_MS = 120000;

function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html; // rendered and escaped by the server
  return template.content.firstElementChild;
}

function cardsOf(section) {
  return document.querySelector(`#${section} .cards`);
}

function place(card) {
  const list = cardsOf(card.dataset.section);
  const later = [...list.children].find((other) => other !== card && Number(other.dataset.sort) > Number(card.dataset.sort));
  list.insertBefore(card, later ?? null);
  count();
}

function count() {
  for (const section of inbox.querySelectorAll(".section")) {
    const number = section.querySelectorAll(`.card[data-section="${section.id}"]`).length;
    const badge = section.querySelector(".count");
    badge.textContent = number;
    badge.classList.toggle("is-zero", number === 0);
  }
  const open = inbox.querySelectorAll('.card[data-state="new"]').length;
  document.title = open > 0 ? `(${open}) ${inbox.dataset.title}` : inbox.dataset.title;
}

function settle(card) {
  setTimeout(() => {
    if (!card.isConnected || card.parentElement === cardsOf(card.dataset.section)) return;
    if (card.contains(document.activeElement)) settle(card);
    else place(card);
  }, SETTLE_MS);
}

// Puts a card from the server in the page. `byHand`: the person at this page caused it, so it may move at once.
function show(fresh, byHand) {
  const old = document.getElementById(fresh.id);
  if (!old) {
    fresh.classList.add("has-arrived");
    place(fresh);
    tick();
    return true;
  }
  const news = old.dataset.state !== fresh.dataset.state;
  if (!news && !byHand) return remind(old, fresh); // or an echo of what is shown; keeps open forms and contacts
  keepContact(old, fresh);
  const hadFocus = old.contains(document.activeElement);
  old.replaceWith(fresh);
  if (byHand) place(fresh);
  else settle(fresh);
  count();
  tick();
  if (hadFocus) fresh.focus({ preventScroll: !byHand });
  return news;
}

// The time of a lead is running out: only that is added, so that nobody's half-made answer is lost.
function remind(card, fresh) {
  if (!("reminded" in fresh.dataset) || "reminded" in card.dataset) return false;
  card.dataset.reminded = "";
  card.querySelector(".hurry").hidden = false;
  return true;
}

// Somebody who is on the phone with the customer must not lose the number because the card was accepted meanwhile.
function keepContact(old, fresh) {
  const contact = old.querySelector(".contact");
  const reveal = fresh.querySelector(".reveal");
  if (contact && reveal) {
    fresh.querySelector(".actions").before(contact);
    reveal.hidden = true;
  }
}

function hideContact(card) {
  const shown = card?.querySelector(".contact");
  if (!shown) return;
  const actions = card.querySelector(".actions");
  if (actions && !actions.querySelector(".reveal")) actions.append(parse(shown.dataset.reveal));
  for (const form of card.querySelectorAll(".reveal")) form.hidden = false;
  shown.remove();
}

function notice(card, text) {
  const place = card.querySelector(".notice");
  place.textContent = text;
  place.hidden = false;
}

async function send(form, card) {
  const reveal = form.classList.contains("reveal") ? form.outerHTML : null;
  if (card.getAttribute("aria-busy") === "true") return; // a second click on the way of the first
  card.setAttribute("aria-busy", "true"); // disabled buttons would lose the focus
  try {
    const answer = await fetch(form.action, {
      method: "POST",
      body: new URLSearchParams(new FormData(form)),
      headers: { accept: "application/json" },
      redirect: "error",
    });
    if (answer.status === 401 || answer.status === 403) return location.assign(inbox.dataset.page);
    const { html, announce } = await answer.json();
    const fresh = parse(html);
    show(fresh, true);
    if (announce) announcer.textContent = announce;
    const contact = fresh.querySelector(".contact");
    if (reveal && contact) {
      contact.dataset.reveal = reveal;
      contact.focus();
      setTimeout(() => hideContact(contact.closest(".card")), CONTACT_MS);
    }
  } catch {
    card.removeAttribute("aria-busy");
    notice(card, inbox.dataset.notSent);
  }
}

inbox.addEventListener("submit", (event) => {
  const card = event.target.closest(".card");
  if (!card) return;
  event.preventDefault();
  send(event.target, card);
});

inbox.addEventListener("click", (event) => {
  const hide = event.target.closest(".hide-contact");
  if (!hide) return;
  event.preventDefault();
  const card = hide.closest(".card");
  hideContact(card);
  (card.querySelector(".reveal button") ?? card).focus();
});

count();
startClock(inbox);
openStream(inbox, document.getElementById("live"), ({ html, announce }) => {
  const fresh = parse(html);
  if (!show(fresh, false)) return;
  announcer.textContent = announce;
  if (fresh.dataset.state === "new") chime();
});
