// Starts the crash replay. Plain JavaScript for any Node from 18 on: it looks for the Node 24 among the
// dependencies, which the TypeScript command line needs, and hands everything over to it.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const modules = join(root, "node_modules");
const tsx = join(modules, "tsx", "dist", "loader.mjs");
if (!existsSync(tsx)) {
  console.error("The dependencies are not installed. `npm start` installs them.");
  process.exit(1);
}

const windows = process.platform === "win32";
const local = join(modules, "node", "bin", windows ? "node.exe" : "node");
const node = existsSync(local) ? local : process.execPath;
const cli = join(root, "scripts", "replay", "cli.ts");
const { status, error } = spawnSync(
  node,
  ["--import", pathToFileURL(tsx).href, cli, ...process.argv.slice(2)],
  {
    cwd: root,
    stdio: "inherit",
    // Where the command was given, as npm tells it: paths are seen from there.
    env: { ...process.env, INIT_CWD: process.env.INIT_CWD ?? process.cwd() },
  },
);
if (error !== undefined) console.error(error.message);
process.exit(status ?? 1);
