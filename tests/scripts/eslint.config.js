/* What the linter asks of the page's scripts and of their tests. */

import js from "@eslint/js";
import globals from "globals";

const SCRIPTS = ["assets/**/*.js", "tests/scripts/**/*.js"];

// The forms that logitspec/publish/modules.py understands.
const OTHER_FORMS = [
  ["ImportNamespaceSpecifier", "Import names, not a namespace."],
  ["ImportDeclaration[specifiers.length=0]", "Import names; a module has no effects of its own."],
  ["ImportDeclaration > ImportDefaultSpecifier ~ ImportSpecifier", "Import a default alone."],
  ["ExportDefaultDeclaration", "Export by name."],
  ["ExportAllDeclaration", "Import from where a thing is."],
  ["ExportNamedDeclaration[declaration=null]", "Write export before the thing."],
  ["ExportNamedDeclaration > VariableDeclaration[kind!='const']", "Export constants and functions only."],
  ["ExportNamedDeclaration > VariableDeclaration[declarations.length>1]", "One export a line."],
  ["ExportNamedDeclaration > VariableDeclaration > VariableDeclarator > ObjectPattern", "One export a line."],
].map(([selector, message]) => ({ selector, message }));

export default [
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  { files: SCRIPTS, ...js.configs.recommended },
  {
    files: SCRIPTS,
    languageOptions: { ecmaVersion: 2025, sourceType: "module", globals: globals.browser },
    rules: {
      eqeqeq: "error",
      "max-lines-per-function": ["error", 60], // a function is seen whole
      "no-control-regex": "off", // tokens have control characters
      "no-duplicate-imports": "error",
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-new-func": "error",
      "no-restricted-syntax": ["error", ...OTHER_FORMS],
      "no-shadow": "error",
      "no-unused-vars": ["error", { ignoreRestSiblings: true }],
      "no-use-before-define": ["error", { functions: false, classes: false, variables: false }],
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-const": "error",
      "sort-imports": ["error", { ignoreDeclarationSort: true }],
    },
  },
  { files: ["assets/take/draw.js", "tests/scripts/**/*.js"], languageOptions: { globals: globals.node } },
  // What Gradio gives to a script of gr.HTML, which is a function's body.
  {
    files: ["assets/page/component.js"],
    languageOptions: {
      sourceType: "script",
      globals: { element: "readonly", trigger: "readonly", props: "readonly", server: "readonly", watch: "readonly" },
    },
  },
  { files: ["tests/scripts/eslint.config.js"], rules: { "no-restricted-syntax": "off" } },
];
