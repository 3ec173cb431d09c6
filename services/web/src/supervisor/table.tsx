// A table of the board: its heading, its columns, what is said when it is empty, and the
// rows that narrow down the list of conversations.

import type { ComponentChildren } from "preact";

interface Props {
  /** Id of the heading, and class of the section. */
  name: string;
  title: string;
  columns: readonly string[];
  /** What is said instead of a table without rows. */
  empty: string;
  /** Rows; none when there is nothing to show. */
  rows: readonly ComponentChildren[];
  /** Beside the heading. */
  tools?: ComponentChildren;
  /** Below the table. */
  more?: string | false | undefined;
}

export function Table({ name, title, columns, empty, rows, tools, more }: Props) {
  const heading = <h2 id={name}>{title}</h2>;
  return (
    <section class={`table ${name}`} aria-labelledby={name}>
      {tools ? (
        <header>
          {heading}
          {tools}
        </header>
      ) : (
        heading
      )}
      {rows.length === 0 ? (
        <p class="soft nothing">{empty}</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: whoever has no mouse scrolls it by keys.
        <section class="scroll" aria-label={`${title} as a table`} tabIndex={0}>
          <table>
            <thead>
              <tr>
                {columns.map((column) => (
                  <th key={column} scope="col">
                    {column}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>{rows}</tbody>
          </table>
        </section>
      )}
      {more && <p class="soft more">{more}</p>}
    </section>
  );
}

interface FilterRowProps {
  /** Whether the list is narrowed down to it. */
  chosen: boolean;
  name: string;
  title: string;
  toggle(): void;
  /** Beside its name. */
  beside: ComponentChildren;
  /** The other cells. */
  children: ComponentChildren;
}

/** A row headed by a button that lists only its conversations, and all when pressed again. */
export function FilterRow({ chosen, name, title, toggle, beside, children }: FilterRowProps) {
  return (
    <tr data-chosen={chosen}>
      <th scope="row">
        <button type="button" class="cell" aria-pressed={chosen} title={title} onClick={toggle}>
          {name}
        </button>
        {beside}
      </th>
      {children}
    </tr>
  );
}
