// Countdown to every "answer by". Counts on the server's clock: a till whose clock is wrong still shows the right time.
const SOON_S = 120;

let aheadOfServerMs = 0;
let texts;

export function startClock(inbox) {
  aheadOfServerMs = Date.now() - Number(inbox.dataset.now) * 1000;
  texts = inbox.dataset;
  tick();
  setInterval(tick, 1000);
}

export function setServerTime(seconds) {
  aheadOfServerMs = Date.now() - seconds * 1000;
}

export function tick() {
  const now = (Date.now() - aheadOfServerMs) / 1000;
  for (const deadline of document.querySelectorAll("[data-respond-by]")) {
    const left = Math.floor(Number(deadline.dataset.respondBy) - now);
    deadline.querySelector(".left").textContent = left > 0 ? texts.timeLeft.replace("{time}", clock(left)) : texts.timeOver;
    deadline.classList.toggle("is-over", left <= 0);
    deadline.classList.toggle("is-soon", left > 0 && left <= SOON_S);
  }
}

function clock(seconds) {
  const two = (n) => String(n).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}
