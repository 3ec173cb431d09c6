// What a visitor and an agent do with their pages, in the words that they see.

/** What the accounts that `frontdesk dev` makes are called, by role. */
export const NAMES = { agent: "Alex", supervisor: "Sam" };

export async function openChat(visitor, demo) {
  await visitor.page.goto(demo);
  await visitor.page.getByRole("button", { name: "Open chat" }).click();
}

export async function startChat(visitor, name, text) {
  await visitor.page.getByLabel("Your name").fill(name);
  await visitor.page.getByLabel("How can we help?").fill(text);
  await visitor.page.getByRole("button", { name: "Start chat" }).click();
}

export async function visitorSays(visitor, text) {
  const field = visitor.page.getByRole("textbox", { name: "Write a message…" });
  await field.fill(text);
  await field.press("Enter");
}

export function signIn(agent, frontdesk, role) {
  return signInAt(agent, frontdesk, role, frontdesk.console);
}

/** Signs in at one of the pages for the staff. */
export async function signInAt(agent, frontdesk, role, address) {
  const account = frontdesk.agents.find((candidate) => candidate.role === role);
  const { page } = agent;
  await page.goto(address);
  await page.getByLabel("Site").fill(frontdesk.site);
  await page.getByLabel("E-mail").fill(account.email);
  await page.getByLabel("Password").fill(account.password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

export async function goOnline(agent) {
  const { page } = agent;
  await page.locator(".status-button").click();
  await page.locator(".menu").getByRole("button", { name: "Online" }).click();
  await page.locator(".status-button", { hasText: "Online" }).waitFor();
}

export async function acceptOffer(agent, preview) {
  const offer = agent.page.locator(".offer", { hasText: preview });
  await offer.getByRole("button", { name: "Accept" }).click();
  await agent.page.getByRole("log").waitFor();
}

export async function agentSays(agent, text) {
  const field = agent.page.getByRole("textbox", { name: "Reply", exact: true });
  await field.fill(text);
  await field.press("Enter");
}

/** Brings a visitor and an agent together on a first message. */
export async function beginChat(visitor, agent, frontdesk, name, text) {
  await openChat(visitor, frontdesk.demo);
  await startChat(visitor, name, text);
  await acceptOffer(agent, text);
}
