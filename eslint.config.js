// The lint of this project. Two parts: general rules for everything, and the rules that keep `src/`
// platform-free (docs/architecture.md): no Node, DOM, Moddable, wall clock, timers or locale there,
// and no mutable state at module level, because preloading freezes modules on the device.
import js from "@eslint/js";
import tseslint from "typescript-eslint";

const bannedGlobals = [
  "process",
  "Buffer",
  "require",
  "module",
  "__dirname",
  "__filename",
  "global",
  "console",
  "setTimeout",
  "setInterval",
  "setImmediate",
  "clearTimeout",
  "clearInterval",
  "queueMicrotask",
  "fetch",
  "XMLHttpRequest",
  "WebSocket",
  "window",
  "document",
  "navigator",
  "localStorage",
  "performance",
  "crypto",
  "Intl",
  "TextEncoder",
  "TextDecoder",
  "URL",
  "URLSearchParams",
  "structuredClone",
  "atob",
  "btoa",
  "trace",
  "Date",
  "eval",
  "Function",
].map((name) => ({
  name,
  message: `'${name}' is not in the platform-free core: take it through src/ports (docs/architecture.md).`,
}));

const bannedSyntax = [
  {
    selector: "CallExpression[callee.property.name=/^toLocale/]",
    message: "toLocale… depends on the platform's locale data, which XS has not.",
  },
  {
    selector: "MemberExpression[object.name='Math'][property.name='random']",
    message: "Randomness comes in through src/ports.",
  },
  {
    selector: "Program > VariableDeclaration[kind=/^(let|var)$/]",
    message: "No mutable state at module level: preloaded modules are frozen on the device.",
  },
  {
    selector: "Program > ExportNamedDeclaration > VariableDeclaration[kind=/^(let|var)$/]",
    message: "No mutable state at module level: preloaded modules are frozen on the device.",
  },
  {
    selector:
      ":matches(Program > VariableDeclaration, Program > ExportNamedDeclaration > VariableDeclaration) > VariableDeclarator > NewExpression[callee.name=/^(Map|Set|WeakMap|WeakSet)$/]",
    message: "A Map or Set at module level is mutable state: preloaded modules are frozen on the device.",
  },
  {
    selector:
      ":matches(Literal[regex], NewExpression[callee.name='RegExp'], CallExpression[callee.name='RegExp']):not(:function *, PropertyDefinition[static=false] *)",
    message:
      "No RegExp at module level: it has state, so the device's linker refuses it in a preloaded module.",
  },
  {
    selector: "ImportExpression",
    message: "No dynamic import in the core: modules are linked ahead of time.",
  },
];

export default tseslint.config(
  {
    ignores: ["dist/", "coverage/", "build/", "node_modules/", "host-sim/page/dist/", "test/house/planted/"],
  },
  js.configs.recommended,
  ...tseslint.configs.strict,
  {
    rules: {
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-extraneous-class": "off",
      "@typescript-eslint/no-dynamic-delete": "off",
      "no-console": "off",
      "no-control-regex": "off",
    },
  },
  {
    files: ["src/**/*.ts", "test/house/planted/src/**/*.ts"],
    rules: {
      "no-restricted-globals": ["error", ...bannedGlobals],
      "no-restricted-syntax": ["error", ...bannedSyntax],
    },
  },
  {
    files: ["**/*.{js,mjs,cjs}"],
    languageOptions: {
      globals: {
        process: "readonly",
        console: "readonly",
        Buffer: "readonly",
        setTimeout: "readonly",
        URL: "readonly",
        __dirname: "readonly",
        module: "writable",
        require: "readonly",
      },
    },
  },
);
