// Agents and supervisors sign in by way of a real OpenID provider.

import assert from "node:assert/strict";
import { createServer } from "node:net";
import { after, before, test } from "node:test";
import { eventually, launchBrowser, openPage } from "./support/browser.mjs";
import { startFrontdesk } from "./support/frontdesk.mjs";
import { CLIENT, signInThere, startProvider, withoutExtras } from "./support/provider.mjs";

const PEOPLE = {
  lea: { email: "lea@acme.example", email_verified: true, name: "Lea", groups: ["leads"] },
  tom: { email: "tom@acme.example", email_verified: true, name: "Tom", groups: ["support"] },
  eve: { email: "eve@acme.example", email_verified: false, name: "Eve", groups: ["leads"] },
  joe: { email: "joe@acme.example", email_verified: true, name: "Joe", groups: ["cooks"] },
  kim: { email: "kim@acme.example", email_verified: true, name: "Kim", groups: ["support"] },
  heir: { email: "heir@acme.example", email_verified: true, name: "Heir", groups: ["support"] },
};

let browser;
let frontdesk;
let provider;

before(async () => {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  [browser, provider] = await Promise.all([launchBrowser(), startProvider(origin, PEOPLE)]);
  const settings = `
[gateway.oidc]
issuer = "${provider.issuer}"
client_id = "${CLIENT.id}"
client_secret = "${CLIENT.secret}"
public_origin = "${origin}"
label = "Acme"
scopes = ["openid", "email", "profile", "groups"]
create_accounts = true
grants = [
  { site = "demo", role = "supervisor", claim = "groups", values = ["leads"] },
  { site = "demo", role = "agent", claim = "groups", values = ["support"] },
]
`;
  frontdesk = await startFrontdesk({ settings, listen: `127.0.0.1:${port}` });
});

after(async () => {
  await browser?.close();
  await frontdesk?.stop();
  await provider?.stop();
});

test("an agent signs in with the provider, and stays signed in", async () => {
  const agent = await open();
  const addresses = watchAddresses(agent.page);
  await agent.page.goto(frontdesk.console);
  await agent.page.getByRole("link", { name: "Sign in with Acme" }).click();
  await signInThere(agent.page, "tom");
  await agent.page.locator(".status-button").waitFor();
  assert.equal(agent.page.url(), frontdesk.console);
  await agent.page.reload();
  await agent.page.locator(".status-button").waitFor();
  // No token was ever in an address (it begins so), and no cookie is left behind.
  assert.ok(addresses.every((address) => !address.includes("eyJ")), addresses.join("\n"));
  const left = await agent.context.cookies(frontdesk.console);
  assert.deepEqual(left.filter(({ name }) => name.includes("frontdesk")), []);
  assert.deepEqual(agent.problems, []);
  await agent.context.close();
});

test("a supervisor signs in on the board with the role of the provider's group", async () => {
  const boss = await open();
  await boss.page.goto(new URL("/supervisor/", frontdesk.console).href);
  await boss.page.getByRole("link", { name: "Sign in with Acme" }).click();
  await signInThere(boss.page, "lea");
  await boss.page.getByRole("heading", { name: "Queues" }).waitFor();
  assert.deepEqual(boss.problems, []);
  await boss.context.close();
});

test("whoever may not sign in is told why, in words", async () => {
  const cases = [
    ["eve", /not verified/],
    ["joe", /may not sign in here/],
  ];
  for (const [login, words] of cases) {
    const stranger = await open();
    await stranger.page.goto(frontdesk.console);
    await stranger.page.getByRole("link", { name: "Sign in with Acme" }).click();
    await signInThere(stranger.page, login);
    const said = stranger.page.getByRole("alert");
    await eventually(async () => assert.match(await said.innerText(), words));
    assert.equal(stranger.page.url(), frontdesk.console);
    await stranger.context.close();
  }
});

test("giving up at the provider, and coming back a second time, are told", async () => {
  const somebody = await open();
  const { page } = somebody;
  await page.goto(frontdesk.console);
  await page.getByRole("link", { name: "Sign in with Acme" }).click();
  await page.getByRole("link", { name: "[ Cancel ]" }).click();
  const said = page.getByRole("alert");
  await eventually(async () => assert.match(await said.innerText(), /did not let you in/));
  const callback = new URL("/auth/oidc/callback?code=x&state=y", frontdesk.console);
  await page.goto(callback.href);
  await eventually(async () => assert.match(await said.innerText(), /not begun here/));
  await somebody.context.close();
});

test("an account stays with its person, whatever becomes of the address", async () => {
  const kim = await signedIn("kim");
  PEOPLE.kim.email = "kim.new@acme.example";
  assert.equal(await signedIn("kim"), kim, "the same account by another address");

  // Somebody else is given the address.
  PEOPLE.heir.email = "kim@acme.example";
  const heir = await open();
  await heir.page.goto(frontdesk.console);
  await heir.page.getByRole("link", { name: "Sign in with Acme" }).click();
  await signInThere(heir.page, "heir");
  const said = heir.page.getByRole("alert");
  await eventually(async () => assert.match(await said.innerText(), /may not sign in here/));
  await heir.context.close();
  const log = JSON.parse(await frontdesk.ctl("-o", "json", "audit", "--subject", kim));
  const refused = log.filter((record) => record.act === "refused_sign_in");
  assert.deepEqual(refused.map((record) => record.details.subject), ["heir"]);
  assert.equal(log.filter((record) => record.act === "bind").length, 1);
  assert.equal(log.filter((record) => record.act === "sign_in").length, 2);

  // Until a supervisor says that it is rightly theirs.
  const freed = await frontdesk.ctl("agents", "unbind", "kim@acme.example");
  assert.match(freed, /no longer bound to kim of http/);
  assert.equal(await signedIn("heir"), kim);
});

/** Signs in with the provider; the id of the account that it is. */
async function signedIn(login) {
  const agent = await open();
  await agent.page.goto(frontdesk.console);
  await agent.page.getByRole("link", { name: "Sign in with Acme" }).click();
  await signInThere(agent.page, login);
  await agent.page.locator(".status-button").waitFor();
  const kept = await agent.page.evaluate(() => sessionStorage.getItem("frontdesk:console:token"));
  const [, claims] = JSON.parse(kept).token.split(".");
  await agent.context.close();
  return JSON.parse(Buffer.from(claims, "base64url").toString()).sub;
}

async function open() {
  const user = await openPage(browser);
  await withoutExtras(user.context);
  return user;
}

function watchAddresses(page) {
  const addresses = [];
  page.on("request", (request) => addresses.push(request.url()));
  page.on("framenavigated", (frame) => addresses.push(frame.url()));
  return addresses;
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
