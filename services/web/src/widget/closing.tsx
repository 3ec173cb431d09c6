// After a chat: a rating, and the ways on.

import { useState } from "preact/hooks";
import { StarIcon } from "../ui/icons";
import type { Chat } from "./chat";
import { fill, type Texts } from "./texts";

const SCORES = [1, 2, 3, 4, 5];

export function Closing({ chat, texts }: { chat: Chat; texts: Texts }) {
  return (
    <div class="closing">
      {chat.rated === 0 && chat.served && <Rating chat={chat} texts={texts} />}
      <div class="row">
        {chat.served && (
          <button type="button" class="secondary" onClick={() => chat.reopen()}>
            {texts.continueChat}
          </button>
        )}
        <button type="button" class="secondary" onClick={() => chat.startAnew()}>
          {texts.newChat}
        </button>
      </div>
    </div>
  );
}

function Rating({ chat, texts }: { chat: Chat; texts: Texts }) {
  const [score, setScore] = useState(0);
  const [comment, setComment] = useState("");
  return (
    <form
      class="rating"
      onSubmit={(event) => {
        event.preventDefault();
        if (score > 0) chat.rate(score, comment);
      }}
    >
      <fieldset>
        <legend>{texts.rateTitle}</legend>
        <div class="stars">
          {SCORES.map((value) => (
            <label key={value} class="star" data-lit={value <= score}>
              <input
                type="radio"
                name="score"
                value={value}
                checked={value === score}
                aria-label={fill(texts.rateStars, { score: value })}
                onChange={() => setScore(value)}
              />
              <StarIcon />
            </label>
          ))}
        </div>
      </fieldset>
      {score > 0 && (
        <>
          <textarea
            rows={2}
            maxLength={600}
            aria-label={texts.rateComment}
            placeholder={texts.rateComment}
            value={comment}
            onInput={(event) => setComment(event.currentTarget.value)}
          />
          <button type="submit" class="primary">
            {texts.rateSend}
          </button>
        </>
      )}
    </form>
  );
}
