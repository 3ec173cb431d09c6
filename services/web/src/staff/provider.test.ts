import { expect, test, vi } from "vitest";
import { outcomeText, signInMethods, startAddress, takeOutcome } from "./provider";

function at(hash: string): string[] {
  const shown: string[] = [];
  vi.stubGlobal("location", { hash, pathname: "/console/", search: "?site=demo" });
  vi.stubGlobal("history", { replaceState: (_: null, __: string, to: string) => shown.push(to) });
  return shown;
}

test("the outcome is taken out of the address", () => {
  const shown = at("#sign-in=no-account");
  expect(takeOutcome()).toBe("no-account");
  expect(shown).toEqual(["/console/?site=demo"]);
});

test("another fragment is left alone", () => {
  for (const hash of ["", "#chat", "#sign-in=", "#sign-in=<b>x</b>"]) {
    const shown = at(hash);
    expect(takeOutcome()).toBeUndefined();
    expect(shown).toEqual([]);
  }
});

test("each outcome has words, and none repeats what is in the address", () => {
  expect(outcomeText("denied")).not.toBe(outcomeText("expired"));
  expect(outcomeText("something-new")).toBe("Signing in did not work. Please try again.");
});

test("the start names the page, and the site if one was asked for", () => {
  const start = "https://chat.example/auth/oidc/start";
  expect(startAddress(start, "console", null)).toBe(`${start}?page=console`);
  expect(startAddress(start, "supervisor", "a&b")).toBe(`${start}?page=supervisor&site=a%26b`);
});

test("a gateway that does not say takes passwords", async () => {
  vi.stubGlobal("fetch", async () => new Response("{}", { status: 404 }));
  expect(await signInMethods()).toEqual({ password: true, oidc: null });
});
