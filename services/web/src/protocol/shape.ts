// Reads what came from outside as JSON into the types of this library, as proto3 readers
// do: what is null or of another type counts as absent, and what is not known is dropped.
// Nothing is read deeper than its type is, however deep it goes on.

/** Reads a value; `undefined` when it is absent or not of this shape. */
export type Shape<T> = (value: unknown) => T | undefined;

/** A shape for each member of a message. */
export type Members<T> = { readonly [K in keyof T]-?: Shape<NonNullable<T[K]>> };

export const text: Shape<string> = (value) => (typeof value === "string" ? value : undefined);

export const flag: Shape<boolean> = (value) => (typeof value === "boolean" ? value : undefined);

/** A number that need not be whole. */
export const share: Shape<number> = (value) =>
  typeof value === "number" && Number.isFinite(value) ? value : undefined;

/** A whole number, which JSON may also have as digits in quotes. */
export function whole(least: number, most: number): Shape<number> {
  return (value) => {
    const read = typeof value === "string" && /^-?\d{1,16}$/.test(value) ? Number(value) : value;
    const fits = Number.isInteger(read) && (read as number) >= least && (read as number) <= most;
    // Of the two zeros only the one that is shown as "0".
    return fits ? (read as number) + 0 : undefined;
  };
}

/** A `uint32`. */
export const count = whole(0, 2 ** 32 - 1);

/** An `int32`. */
export const signed = whole(-(2 ** 31), 2 ** 31 - 1);

/** What names something to the server: not empty, and of characters that fit into an address. */
export const id: Shape<string> = (value) =>
  typeof value === "string" && /^[\x21-\x7e]{1,128}$/.test(value) ? value : undefined;

/** A time that can be read. */
export const instant: Shape<string> = (value) =>
  typeof value === "string" && !Number.isNaN(Date.parse(value)) ? value : undefined;

/**
 * A value of an enumeration: one of the names of `T`, one that a newer server has made, or
 * the number of one that the server itself has no name for. Whoever looks words up by it
 * must have one for the others.
 */
export function word<T extends string>(value: unknown): T | undefined {
  const name = typeof value === "number" ? String(value) : value;
  return typeof name === "string" && /^[A-Z\d_]{1,64}$/.test(name) ? (name as T) : undefined;
}

/** A message of which nothing is read. */
export const nothing: Shape<Record<string, never>> = (value) => (isObject(value) ? {} : undefined);

/** As many as can be read. */
export function list<T>(of: Shape<T>): Shape<T[]> {
  return (value) => (Array.isArray(value) ? value.flatMap((one) => of(one) ?? []) : undefined);
}

/** By name; what cannot be read is left out. */
export function map<T>(of: Shape<T>): Shape<Record<string, T>> {
  return (value) => {
    if (!isObject(value)) return undefined;
    const read = Object.entries(value).map(([name, one]) => [name, of(one)] as const);
    // Unlike an assignment this makes "__proto__" a name as any other.
    return Object.fromEntries(read.filter(([, one]) => one !== undefined)) as Record<string, T>;
  };
}

/** A message; `undefined` when one of the `needed` members cannot be read. */
export function message<T extends object>(
  members: Members<T>,
  ...needed: (keyof T & string)[]
): Shape<T> {
  const shapes = Object.entries<Shape<unknown>>(members);
  return (value) => {
    if (!isObject(value)) return undefined;
    const read: Record<string, unknown> = {};
    for (const [name, shape] of shapes) {
      const one = shape(Object.hasOwn(value, name) ? value[name] : undefined);
      if (one !== undefined) read[name] = one;
    }
    return needed.every((name) => name in read) ? (read as T) : undefined;
  };
}

/** As `shape`, with something in place of what cannot be read. */
export function orElse<T>(shape: Shape<T>, other: T): Shape<T> {
  return (value) => shape(value) ?? other;
}

/** What JSON says; `undefined` when it is none, longer than `most`, or of another shape. */
export function readJsonText<T>(json: string, shape: Shape<T>, most: number): T | undefined {
  if (json.length > most) return undefined;
  try {
    return shape(JSON.parse(json));
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
