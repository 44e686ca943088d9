import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

/** The bench's page: one folder of static files that the bench serves; nothing is loaded from elsewhere. */
export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  base: "./",
  build: {
    outDir: fileURLToPath(new URL("../../dist/page", import.meta.url)),
    emptyOutDir: true,
    target: "es2022",
  },
});
