// What waits for the agent's answer: offers with their countdown, and what
// colleagues ask.

import type { OfferPush } from "../protocol";
import { shortAge } from "../ui/format";
import { useNow } from "../ui/model";
import type { Knock } from "./knocks";
import type { Workplace } from "./workplace";

export function OfferCards({ desk }: { desk: Workplace }) {
  // Drawn anew each second for the countdown; expired offers drop out by it.
  useNow(1_000, true);
  return (
    <section class="offers" aria-label="Offers" aria-live="assertive">
      {desk.offers.map((offer, index) => (
        <OfferCard key={offer.offerId} desk={desk} offer={offer} first={index === 0} />
      ))}
      {desk.knocks.map((knock) => (
        <KnockCard key={`${knock.kind}${knock.conversationId}`} desk={desk} knock={knock} />
      ))}
    </section>
  );
}

interface OfferProps {
  desk: Workplace;
  offer: OfferPush;
  first: boolean;
}

function OfferCard({ desk, offer, first }: OfferProps) {
  const left = Math.ceil((Date.parse(offer.expiresAt) - desk.serverNow()) / 1000);
  const waited = offer.waitingSince ? desk.serverNow() - Date.parse(offer.waitingSince) : 0;
  return (
    <article class="offer">
      <header>
        <strong>{offer.visitor?.name || "New visitor"}</strong>
        <span class="countdown" role="timer" aria-live="off" data-urgent={left <= 5}>
          {left} s
        </span>
      </header>
      {offer.preview && (
        <p class="preview" dir="auto">
          {offer.preview}
        </p>
      )}
      {offer.note && <p class="hand-over">{offer.note}</p>}
      <p class="soft">
        {[offer.queue, offer.language, `waits ${waitText(waited)}`].filter(Boolean).join(" · ")}
      </p>
      <div class="actions">
        <button
          type="button"
          class="secondary"
          title={first ? "Alt+D" : undefined}
          onClick={() => void desk.decline(offer)}
        >
          Decline
        </button>
        <button
          type="button"
          class="primary"
          title={first ? "Alt+A" : undefined}
          onClick={() => void desk.accept(offer)}
        >
          Accept
        </button>
      </div>
    </article>
  );
}

function KnockCard({ desk, knock }: { desk: Workplace; knock: Knock }) {
  const invites = knock.kind === "invitation";
  return (
    <article class="offer knock">
      <header>
        <strong>
          {knock.by} {invites ? "asks you to join" : "mentions you"}
        </strong>
      </header>
      {knock.text && <p class="hand-over">{knock.text}</p>}
      {knock.preview && (
        <p class="preview" dir="auto">
          {knock.preview}
        </p>
      )}
      {invites && <p class="soft">{[knock.visitor, knock.queue].filter(Boolean).join(" · ")}</p>}
      <div class="actions">
        <button type="button" class="secondary" onClick={() => desk.dismiss(knock)}>
          Not now
        </button>
        <button type="button" class="secondary" onClick={() => desk.look(knock)}>
          Look
        </button>
        {invites && (
          <button
            type="button"
            class="primary"
            onClick={() => void desk.join(knock.conversationId)}
          >
            Join
          </button>
        )}
      </div>
    </article>
  );
}

/** How long somebody waits, in a list. */
export function waitText(ms: number): string {
  return ms < 60_000 ? "<1 m" : shortAge(ms);
}
