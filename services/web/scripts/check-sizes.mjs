// Fails when the scripts of a page have outgrown what somebody should download.

import { readdir, readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";

/** Bytes, gzipped; a folder's are those of all its scripts. */
const LIMITS = {
  "widget/loader.js": 10 * 1024,
  "widget/app.js": 60 * 1024,
  "console/assets/": 60 * 1024,
  "supervisor/assets/": 60 * 1024,
};

const dist = new URL("../dist/", import.meta.url);

async function scriptsOf(path) {
  if (!path.endsWith("/")) return [path];
  const names = await readdir(new URL(path, dist));
  return names.filter((name) => name.endsWith(".js")).map((name) => path + name);
}

async function gzippedSize(path) {
  const bytes = await readFile(new URL(path, dist));
  return gzipSync(bytes, { level: 9 }).length;
}

let tooLarge = false;
for (const [path, limit] of Object.entries(LIMITS)) {
  let size = 0;
  try {
    for (const script of await scriptsOf(path)) size += await gzippedSize(script);
  } catch {
    console.error(`dist/${path} is missing: run \`npm run build\` first`);
    process.exit(1);
  }
  console.log(`${path}: ${size} bytes gzipped, at most ${limit}`);
  tooLarge ||= size > limit;
}
if (tooLarge) {
  console.error("too large");
  process.exit(1);
}
