// For the tests: the inputs that are kept, by the file of `corpus` that they are in. What
// breaks a decoder is added there; `why` says what it was.

interface Kept {
  why: string;
  input: unknown;
}

// As text: what reads JSON for the build takes no half a character.
const files = import.meta.glob<string>("./corpus/*.json", {
  eager: true,
  query: "?raw",
  import: "default",
});

/** The inputs of one file. */
export function corpus(file: string): unknown[] {
  const kept = JSON.parse(files[`./corpus/${file}.json`] ?? "[]") as Kept[];
  if (kept.length === 0) throw new Error(`nothing is kept for ${file}`);
  return kept.map((one) => one.input);
}

/** As examples of a property with one argument. */
export function examples<T>(...inputs: T[]): [T][] {
  return inputs.map((input) => [input]);
}
