// What somebody wrote: text as text, line breaks kept, addresses clickable.

import { splitLinks } from "./links";

export function RichText({ text }: { text: string }) {
  return (
    <span class="text" dir="auto">
      {splitLinks(text).map((part, index) =>
        part.href ? (
          // By its own direction it is set apart from what turns the text round it.
          <a
            key={index}
            dir="ltr"
            href={part.href}
            target="_blank"
            rel="noopener noreferrer nofollow"
          >
            {part.text}
          </a>
        ) : (
          part.text
        ),
      )}
    </span>
  );
}
