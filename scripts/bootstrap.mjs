// Installs the dependencies when they are missing or differ from package-lock.json.
//
// Plain JavaScript for any Node from 18 on, because it runs before anything is installed. The install itself
// runs under Node 24: older versions make npm skip Hardhat's native engine without a word. Afterwards npm
// scripts run under Node 24 too, since the devDependency `node` comes first in their PATH.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

const reason = reasonToInstall();
if (reason !== undefined) {
  console.log(
    `Installing dependencies with Node 24, because ${reason}. This takes about a minute.`,
  );
  install();
}

function reasonToInstall() {
  const installedLock = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(installedLock)) return "node_modules is missing";

  // Compared by content: file times say nothing after a checkout or a copy.
  const wanted = readPackages(join(root, "package-lock.json"));
  const installed = readPackages(installedLock);
  for (const [path, { version, optional, devOptional }] of Object.entries(wanted)) {
    if (path === "") continue;
    const found = installed[path];
    // Optional packages for other platforms stay out.
    if (found === undefined && (optional || devOptional)) continue;
    if (found?.version !== version) return `${path} is not at version ${version}`;
  }

  const hardhatPackages = readdirSync(join(root, "node_modules", "@nomicfoundation"));
  if (!hardhatPackages.some((name) => name.startsWith("edr-"))) {
    return "Hardhat's native engine is missing";
  }
  if (!existsSync(join(root, "node_modules", "node", "bin"))) return "Node 24 is missing";
  return undefined;
}

function readPackages(path) {
  return JSON.parse(readFileSync(path, "utf8")).packages ?? {};
}

function install() {
  const windows = process.platform === "win32";
  const { status, error } = spawnSync("npx", ["-y", "-p", "node@24", "--", "npm", "ci"], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    shell: windows,
  });
  if (status === 0) return;
  if (error !== undefined) console.error(error.message);
  console.error("Installing the dependencies failed; see the output above.");
  process.exit(1);
}
