// Builds everything the binary embeds into `dist`:
//   widget/loader.js, widget/app.js   classic scripts with fixed names
//   console/, supervisor/, demo/      pages with hashed assets

import { rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const root = fileURLToPath(new URL("..", import.meta.url));
const target = "es2022";

/** One self-contained script that any page may load by a plain script tag. */
function script(name, entry) {
  return build({
    configFile: false,
    root,
    logLevel: "warn",
    json: { stringify: false },
    build: {
      target,
      outDir: "dist/widget",
      emptyOutDir: false,
      lib: { entry, formats: ["iife"], name: "frontdeskScript", fileName: () => `${name}.js` },
    },
  });
}

/** One page with its styles and scripts, served under `/NAME/`. */
function page(name) {
  return build({
    configFile: false,
    root: `${root}/src/${name}`,
    base: `/${name}/`,
    logLevel: "warn",
    build: {
      target,
      outDir: `${root}/dist/${name}`,
      emptyOutDir: false,
      // Inlined assets would need `data:` in the content security policy.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
    },
  });
}

await rm(`${root}/dist`, { recursive: true, force: true });
await script("loader", "src/widget/loader.ts");
await script("app", "src/widget/app.tsx");
await page("console");
await page("supervisor");
await page("demo");
