// Draws the agent's attention: a soft sound and a desktop notification.

import { browserStorage, flag, readJson, writeJson } from "../protocol";

const KEY = "frontdesk:console:signals";

export class Signals {
  #audio: AudioContext | undefined;
  /** Whether the agent wants sounds and notifications. */
  enabled = readJson(browserStorage("localStorage"), KEY, flag) ?? true;

  constructor() {
    // Browsers allow sound only after the person has touched the page.
    const touched = () => {
      this.#audio ??= new AudioContext();
      void this.#audio.resume();
    };
    document.addEventListener("pointerdown", touched, { once: true });
    document.addEventListener("keydown", touched, { once: true });
  }

  /** Turns sounds and notifications on or off. */
  toggle(): void {
    this.enabled = !this.enabled;
    writeJson(browserStorage("localStorage"), KEY, this.enabled);
    this.askOnce();
  }

  /** Asks for notifications unless the person has answered before; from a click. */
  askOnce(): void {
    if (!this.enabled || !("Notification" in window)) return;
    if (Notification.permission === "default") void Notification.requestPermission();
  }

  /** Two rising notes, and a notification when the page is not looked at. */
  offer(title: string, body: string, onClick: () => void): void {
    this.#play([660, 880]);
    this.#notify(title, body, onClick);
  }

  /** One low note, and a notification when the page is not looked at. */
  message(title: string, body: string, onClick: () => void): void {
    this.#play([520]);
    this.#notify(title, body, onClick);
  }

  #play(notes: number[]): void {
    const audio = this.#audio;
    if (!this.enabled || audio?.state !== "running") return;
    notes.forEach((frequency, index) => {
      const from = audio.currentTime + index * 0.16;
      const tone = audio.createOscillator();
      const volume = audio.createGain();
      tone.frequency.value = frequency;
      volume.gain.setValueAtTime(0.0001, from);
      volume.gain.exponentialRampToValueAtTime(0.14, from + 0.02);
      volume.gain.exponentialRampToValueAtTime(0.0001, from + 0.32);
      tone.connect(volume).connect(audio.destination);
      tone.start(from);
      tone.stop(from + 0.34);
    });
  }

  #notify(title: string, body: string, onClick: () => void): void {
    const looked = document.visibilityState === "visible" && document.hasFocus();
    if (!this.enabled || looked) return;
    if (!("Notification" in window) || Notification.permission !== "granted") return;
    const notification = new Notification(title, { body, tag: title });
    notification.onclick = () => {
      window.focus();
      notification.close();
      onClick();
    };
  }
}
