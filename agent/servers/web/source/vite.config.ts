import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { defineConfig } from "vite";

/** The sources' own hash, by which tests/test_web_files.py knows that what was built is of these sources. */
function sources(): string {
  const own = ["index.html", "package-lock.json", "tsconfig.json", "vite.config.ts"];
  const files = [...own, ...["public", "src"].flatMap((folder) => readdirSync(folder).map((name) => `${folder}/${name}`))];
  const hash = createHash("sha256");
  for (const file of files.sort()) hash.update(`${file}\0`).update(readFileSync(file)).update("\0");
  return hash.digest("hex");
}

// Names without hashes: the files are committed, and served with tags by their content.
export default defineConfig({
  esbuild: { jsx: "automatic", jsxImportSource: "preact", legalComments: "inline" },
  build: {
    outDir: "../static",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: false,
    assetsInlineLimit: 0,
    rollupOptions: {
      output: {
        banner: `/*! pagesight, built from ${sources()}. With Preact and its signals, and marked: MIT licence. */`,
        entryFileNames: "app.js",
        assetFileNames: "app[extname]",
        inlineDynamicImports: true,
      },
    },
  },
});
