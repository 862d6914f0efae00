import js from "@eslint/js";
import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";

export default defineConfig(
  globalIgnores(["typechain-types/", "artifacts/", "cache/", "coverage/", "out/", "**/dist/"]),
  js.configs.recommended,
  {
    files: ["**/*.{ts,tsx}"],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-non-null-assertion": "error",
      "@typescript-eslint/return-await": "error",
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "no-restricted-exports": ["error", { restrictDefaultExports: { direct: true } }],
      "no-restricted-syntax": [
        "error",
        { selector: "TSEnumDeclaration", message: "Use a union of string literals." },
      ],
      // Leaving fields out by destructuring.
      "@typescript-eslint/no-unused-vars": ["error", { ignoreRestSiblings: true }],
      "prefer-const": ["error", { destructuring: "all" }],
      // Functions that are async to fit an interface need no await.
      "@typescript-eslint/require-await": "off",
      eqeqeq: "error",
    },
  },
  {
    files: ["scripts/**/*.ts"],
    rules: {
      "max-lines": ["error", { max: 350, skipBlankLines: true, skipComments: true }],
      "max-lines-per-function": ["error", { max: 60, skipBlankLines: true, skipComments: true }],
      "max-params": ["error", 3],
    },
  },
  {
    files: ["test/**/*.ts"],
    rules: {
      "max-lines": ["error", 600],
      "no-restricted-properties": [
        "error",
        ...["it", "describe", "context"].map((object) => ({ object, property: "only" })),
      ],
      // Chai's assertions are property reads.
      "@typescript-eslint/no-unused-expressions": "off",
    },
  },
  {
    // Tools that demand a default export.
    files: ["**/*.config.ts", "ignition/**/*.ts"],
    rules: { "no-restricted-exports": "off" },
  },
  {
    files: ["**/*.mjs"],
    languageOptions: { globals: { console: "readonly", process: "readonly", URL: "readonly" } },
  },
);
