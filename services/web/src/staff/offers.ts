// The conversations that this agent is asked to take, until each expires.

import type { OfferPush } from "../protocol";

export class Offers {
  readonly #offers = new Map<string, OfferPush>();

  /** Takes an offer; true when it is a new one. */
  add(offer: OfferPush): boolean {
    const known = this.#offers.has(offer.offerId);
    this.#offers.set(offer.offerId, offer);
    return !known;
  }

  remove(offerId: string): void {
    this.#offers.delete(offerId);
  }

  /** Those that have not expired by the server's clock, the most urgent first. */
  open(serverNow: number): OfferPush[] {
    return [...this.#offers.values()]
      .filter((offer) => Date.parse(offer.expiresAt) > serverNow)
      .sort((a, b) => Date.parse(a.expiresAt) - Date.parse(b.expiresAt));
  }
}
