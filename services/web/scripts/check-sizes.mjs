// Fails when a script of the widget has outgrown what a visitor should download.

import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";

const LIMITS = { "widget/loader.js": 10 * 1024, "widget/app.js": 60 * 1024 };

let tooLarge = false;
for (const [path, limit] of Object.entries(LIMITS)) {
  const bytes = await readFile(new URL(`../dist/${path}`, import.meta.url)).catch(() => {
    console.error(`dist/${path} is missing: run \`npm run build\` first`);
    process.exit(1);
  });
  const size = gzipSync(bytes, { level: 9 }).length;
  console.log(`${path}: ${size} bytes gzipped, at most ${limit}`);
  tooLarge ||= size > limit;
}
if (tooLarge) {
  console.error("too large");
  process.exit(1);
}
