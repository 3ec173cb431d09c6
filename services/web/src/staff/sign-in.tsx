// The sign-in form.

import { useEffect, useState } from "preact/hooks";
import { HttpError } from "../protocol";
import { type SignInMethods, signInMethods, startAddress } from "./provider";
import type { AgentSession, Remembered } from "./session";

/** Where one can sign in. */
export type PageName = "console" | "supervisor";

interface Props {
  page: PageName;
  /** What one signs in for. */
  purpose: string;
  session: AgentSession;
  /** Why the form is shown, after an earlier session. */
  reason: string | undefined;
  done(): void;
}

export function SignIn({ page, purpose, session, reason, done }: Props) {
  const { remembered } = session;
  const [methods, setMethods] = useState<SignInMethods>();
  useEffect(() => {
    void signInMethods().then(setMethods);
  }, []);
  const [problem, setProblem] = useState(reason);
  const [busy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const field = (name: string) => String(form.get(name) ?? "").trim();
    setBusy(true);
    setProblem(undefined);
    try {
      await session.signIn(field("site"), field("email"), String(form.get("password") ?? ""));
      done();
    } catch (error) {
      setProblem(problemText(error));
      setBusy(false);
    }
  };
  return (
    <main class="sign-in">
      <form onSubmit={submit}>
        <h1>
          <Mark /> Frontdesk
        </h1>
        <p class="soft">{purpose}</p>
        {problem && (
          <p class="problem" role="alert">
            {problem}
          </p>
        )}
        {methods?.oidc && (
          <a
            class="primary provider"
            href={startAddress(methods.oidc.start, page, session.askedSite)}
          >
            Sign in with {methods.oidc.label}
          </a>
        )}
        {methods?.oidc && methods.password && <p class="or soft">or with a password</p>}
        {methods?.password !== false && <Fields {...{ remembered, busy }} />}
      </form>
    </main>
  );
}

interface FieldsProps {
  remembered: Remembered;
  busy: boolean;
}

function Fields({ remembered, busy }: FieldsProps) {
  return (
    <>
      <label>
        Site
        <input
          name="site"
          required
          maxLength={64}
          autocomplete="organization"
          autocapitalize="none"
          spellcheck={false}
          defaultValue={remembered.site}
        />
      </label>
      <label>
        E-mail
        <input
          name="email"
          type="email"
          required
          maxLength={254}
          autocomplete="username"
          defaultValue={remembered.email}
        />
      </label>
      <label>
        Password
        <input
          name="password"
          type="password"
          required
          maxLength={200}
          autocomplete="current-password"
        />
      </label>
      <button type="submit" class="primary" disabled={busy}>
        {busy ? "Signing in…" : "Sign in"}
      </button>
    </>
  );
}

export function Mark() {
  return (
    <svg class="brand-mark" viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
      <rect width="32" height="32" rx="8" />
      <path d="M7 8.5h18v12H15.5L10.5 25v-4.5H7z" />
    </svg>
  );
}

function problemText(error: unknown): string {
  const status = error instanceof HttpError ? error.status : -1;
  if (status === 401 || status === 403) return "Site, e-mail or password is wrong.";
  if (status === 429) return "Too many attempts. Please wait a moment.";
  if (status === 0) return "The server does not answer. Is the network up?";
  return "Signing in did not work. Please try again.";
}
