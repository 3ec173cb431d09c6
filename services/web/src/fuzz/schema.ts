// For the tests: the messages of `proto/frontdesk/v1` as arbitraries, in the JSON that a
// server writes: without what is absent or has its default.

import { readFileSync } from "node:fs";
import fc from "fast-check";

interface Field {
  /** In JSON. */
  name: string;
  type: string;
  repeated: boolean;
  /** Of a map: the type of its values. */
  map: boolean;
  oneof: boolean;
}

const FILES = ["auth", "chat", "event", "queue"];
const messages = new Map<string, Field[]>();
const enums = new Map<string, string[]>();

for (const file of FILES) {
  const path = new URL(`../../../../proto/frontdesk/v1/${file}.proto`, import.meta.url);
  read(readFileSync(path, "utf8").replace(/\/\/.*/g, ""));
}

/** No message of the schema has another within it. */
function read(schema: string): void {
  for (const [, kind, name = "", body = ""] of schema.matchAll(
    /^(message|enum) (\w+) \{(?:\}|\n(.*?)^\})/gms,
  )) {
    if (kind === "enum")
      enums.set(
        name,
        [...body.matchAll(/(\w+) = [1-9]/g)].map(([, v]) => v ?? ""),
      );
    else messages.set(name, fieldsOf(body));
  }
}

function fieldsOf(body: string): Field[] {
  const pattern = /(repeated |map<string, )?([\w.]+)>? (\w+) = \d+/g;
  const choice = /oneof \w+ \{[^}]*\}/s.exec(body)?.[0] ?? "";
  return [...body.matchAll(pattern)].map(([whole, before, type = "", name = ""]) => ({
    name: name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
    type,
    repeated: before?.startsWith("repeated") ?? false,
    map: before?.startsWith("map") ?? false,
    oneof: choice.includes(whole),
  }));
}

/** Without these a message means nothing, so a server always writes them. */
const NEEDED = new Set([
  "conversationId",
  "offerId",
  "seq",
  "at",
  "event",
  "expiresAt",
  "token",
  "version",
]);

const name = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 });
const time = fc
  .date({ min: new Date(0), max: new Date("9999-12-31T23:59:59Z"), noInvalidDate: true })
  .map((date) => date.toISOString());

const SCALARS: Record<string, fc.Arbitrary<unknown>> = {
  string: name,
  bool: fc.constant(true),
  uint32: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
  int32: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }).filter((value) => value !== 0),
  double: fc.double({ min: 0, max: 1, noNaN: true }).map((value) => value + 0),
  "google.protobuf.Timestamp": time,
  "google.protobuf.Duration": fc.nat(10_000_000).map((ms) => `${ms / 1000}s`),
};

/** A message as it is written, never without those of its members that are `always` there. */
export function anyMessage(
  type: string,
  always: readonly string[] = [],
  depth = 0,
): fc.Arbitrary<Record<string, unknown>> {
  const fields = messages.get(type);
  if (!fields) throw new Error(`the schema has no message ${type}`);
  const common = fields.filter((field) => !field.oneof);
  const choice = fields.filter((field) => field.oneof);
  const isNeeded = (member: string) => NEEDED.has(member) || always.includes(member);
  const members = Object.fromEntries(
    common.map((field) => [field.name, ofField(field, always, depth)]),
  );
  const requiredKeys = common.map((field) => field.name).filter(isNeeded);
  const base = fc.record(members, { requiredKeys, noNullPrototype: true });
  if (choice.length === 0) return base;
  const bodies = choice.map((field) =>
    ofField(field, always, depth).map((value) => ({ [field.name]: value })),
  );
  return fc.tuple(base, fc.oneof(...bodies)).map(([own, body]) => ({ ...own, ...body }));
}

function ofField(field: Field, always: readonly string[], depth: number): fc.Arbitrary<unknown> {
  const one = ofType(field, always, depth);
  const maxLength = depth > 2 ? 1 : 3;
  if (field.map) return fc.dictionary(name, one, { maxKeys: maxLength, noNullPrototype: true });
  return field.repeated ? fc.array(one, { minLength: 1, maxLength }) : one;
}

function ofType(
  { name, type }: Field,
  always: readonly string[],
  depth: number,
): fc.Arbitrary<unknown> {
  if (type === "string" && /^id$|Ids?$/.test(name)) return fc.uuid();
  const values = enums.get(type);
  if (values) return fc.constantFrom(...values);
  return SCALARS[type] ?? anyMessage(type, always, depth + 1);
}
