// Starts the real binary in a folder of its own and stops it again.

import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

const READY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 15_000;

/**
 * Starts `frontdesk dev` from FRONTDESK_BIN on a free port, or on `listen`, on a fresh
 * folder, with a settings file if there are `settings`.
 * Resolves with what it prints when it is ready, with `stop`, `ctl`, `apply` and
 * `killAndRestart`, which ends it by SIGKILL and starts it again where it was.
 */
export async function startFrontdesk({ settings, listen = "127.0.0.1:0" } = {}) {
  const data = await mkdtemp(path.join(tmpdir(), "frontdesk-browser-"));
  const more = [];
  if (settings) {
    const file = path.join(data, "frontdesk.toml");
    await writeFile(file, settings);
    more.push("--config", file);
  }
  let running = await run(data, listen, more);
  const { host } = new URL(running.ready.listen);
  /** What `frontdesk ctl` prints for a supervisor. */
  const ctl = async (...words) => {
    const { email, password } = running.ready.agents.find((one) => one.role === "supervisor");
    const all = ["ctl", "--target", running.ready.listen, "--email", email, ...words];
    const env = { ...cleanEnv(), FRONTDESK_PASSWORD: password };
    return (await promisify(execFile)(process.env.FRONTDESK_BIN, all, { env })).stdout;
  };
  return {
    ...running.ready,
    ctl,
    async killAndRestart() {
      running.child.kill("SIGKILL");
      await running.exited;
      running = await run(data, host, more);
    },
    /** Puts a configuration in force, as a supervisor does with `ctl apply`. */
    async apply(document) {
      const file = path.join(data, "desk.yaml");
      await writeFile(file, document);
      await ctl("apply", "-f", file);
    },
    async stop() {
      await end(running);
      await rm(data, { recursive: true, force: true });
    },
  };
}

async function run(data, listen, more) {
  const binary = process.env.FRONTDESK_BIN;
  if (!binary) throw new Error("set FRONTDESK_BIN to the path of the frontdesk binary");
  const args = ["dev", "--data", data, "--listen", listen, "--print", "json", ...more];
  const child = spawn(binary, args, { stdio: ["ignore", "pipe", "inherit"], env: cleanEnv() });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  try {
    return { child, exited, ready: await readiness(child, exited) };
  } catch (error) {
    await end({ child, exited });
    throw error;
  }
}

async function end({ child, exited }) {
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
  await exited;
  clearTimeout(timer);
}

/** Without FRONTDESK_…, which the binary would take for settings. */
function cleanEnv() {
  const entries = Object.entries(process.env);
  return Object.fromEntries(entries.filter(([name]) => !name.startsWith("FRONTDESK_")));
}

async function readiness(child, exited) {
  const timeout = AbortSignal.timeout(READY_TIMEOUT_MS);
  const lines = createInterface({ input: child.stdout });
  return new Promise((resolve, reject) => {
    timeout.addEventListener("abort", () => reject(new Error("frontdesk did not get ready")));
    void exited.then((code) => reject(new Error(`frontdesk ended with ${code}`)));
    child.once("error", reject);
    // Reading goes on afterwards, so that the pipe never fills.
    lines.on("line", (line) => {
      if (!line.startsWith("{")) return;
      const message = JSON.parse(line);
      if (message.event === "ready") resolve(message);
    });
  });
}
