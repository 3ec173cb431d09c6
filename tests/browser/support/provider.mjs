// A certified OpenID provider (oidc-provider) on loopback, with the people that a test
// gives it. Its pages are the provider's own, for development.

import { createServer } from "node:http";
import { Provider } from "oidc-provider";

export const CLIENT = { id: "frontdesk", secret: "only-for-this-test-0123456789" };

/**
 * `people` by the login that they type: `{ email, email_verified, name, groups }`.
 * The only client is Frontdesk at `origin`.
 */
export async function startProvider(origin, people) {
  const server = createServer((request, response) => handle(request, response));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT.id,
        client_secret: CLIENT.secret,
        redirect_uris: [`${origin}/auth/oidc/callback`],
        response_types: ["code"],
        grant_types: ["authorization_code"],
      },
    ],
    claims: {
      openid: ["sub"],
      email: ["email", "email_verified"],
      profile: ["name"],
      groups: ["groups"],
    },
    scopes: ["openid", "email", "profile", "groups"],
    pkce: { required: () => true },
    cookies: { keys: ["only for this test"] },
    findAccount: (_, login) =>
      people[login] && { accountId: login, claims: () => ({ sub: login, ...people[login] }) },
  });
  const handle = provider.callback();
  return {
    issuer,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Spares a context what the provider's pages want from elsewhere, or have not got. */
export async function withoutExtras(context) {
  await context.route(/^https:|\/favicon\.ico$/, (route) => route.fulfill({ body: "" }));
}

/** Signs in on the provider's own pages, and agrees to whatever it asks for. */
export async function signInThere(page, login) {
  await page.locator("input[name=login]").fill(login);
  await page.locator("input[name=password]").fill("anything");
  await page.getByRole("button", { name: "Sign-in" }).click();
  await page.getByRole("button", { name: "Continue" }).click();
}
