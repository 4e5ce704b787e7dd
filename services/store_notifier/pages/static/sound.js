// An optional chime for a new lead. Browsers allow sound only after a click, and that click is the switch.
export function soundSwitch(button) {
  let audio;
  button.hidden = false;
  button.addEventListener("click", () => {
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(on));
    button.textContent = on ? button.dataset.off : button.dataset.on;
    if (on) {
      audio ??= new AudioContext();
      audio.resume();
      ring();
    }
  });

  function ring() {
    [660, 880].forEach((hertz, at) => {
      const start = audio.currentTime + at * 0.16;
      const tone = new OscillatorNode(audio, { frequency: hertz });
      const volume = new GainNode(audio, { gain: 0 });
      volume.gain.setValueAtTime(0, start);
      volume.gain.linearRampToValueAtTime(0.18, start + 0.02);
      volume.gain.exponentialRampToValueAtTime(0.001, start + 0.4);
      tone.connect(volume).connect(audio.destination);
      tone.start(start);
      tone.stop(start + 0.42);
    });
  }

  return () => {
    if (button.getAttribute("aria-pressed") === "true") ring();
  };
}
