import { expect } from "chai";
import { parseUnits } from "ethers";
import { execFile } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { BTC, WHOLE } from "../fixtures.js";
import { startNode, walletAt } from "../keeper/node.js";
import type { Node } from "../keeper/node.js";

const ROOT = resolve(import.meta.dirname, "../..");
const run = promisify(execFile);
const MARKER = "<!-- snippet -->";

/** The README's if it has one, else the handbook's. */
function snippet(): string {
  const texts = ["README.md", "docs/sdk.md"].map((file) => readFileSync(join(ROOT, file), "utf8"));
  const text = texts.find((each) => each.includes(MARKER)) ?? "";
  const [, code] = /^```js\n([\s\S]*?)^```/m.exec(text.slice(text.indexOf(MARKER))) ?? [];
  if (code === undefined) throw new Error("there is no snippet");
  return code;
}

describe("package: the tarball", function () {
  this.timeout(300_000);
  let folder: string;
  let installed: string;
  let node: Node | undefined;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "ballast-pack-"));
    installed = join(folder, "node_modules/ballast");
    await run("npm", ["pack", "--silent", "--pack-destination", folder], { cwd: ROOT });
    const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz")) ?? "";
    await run("tar", ["-xzf", join(folder, tarball), "-C", folder]);
    mkdirSync(dirname(installed), { recursive: true });
    cpSync(join(folder, "package"), installed, { recursive: true });
    // What an installation would fetch; nothing else may be needed.
    symlinkSync(join(ROOT, "node_modules/ethers"), join(folder, "node_modules/ethers"));
    writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module", private: true }));
  });

  after(async () => {
    await node?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("is what publint asks for", async () => {
    const { messages, pkg } = await publint({ pkgDir: installed, pack: false, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg))).to.deep.equal([]);
  });

  it("imports nothing of Node", () => {
    const scripts = readdirSync(join(installed, "dist"), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".js"))
      .map((name) => readFileSync(join(installed, "dist", name), "utf8"));
    expect(scripts.length).to.be.above(10);
    const imports = scripts.flatMap((script) =>
      [...script.matchAll(/(?:from|import) ['"]([^.'"][^'"]*)['"]/g)].map(([, name]) => name),
    );
    expect([...new Set(imports)]).to.deep.equal(["ethers"]);
  });

  it("has declarations that a strict compiler accepts", async () => {
    const source = `
      import { connect, limitOrder, readHealth, toTicks } from "ballast";
      import type { Ballast, Health, Order } from "ballast";
      import { IExchange__factory, IExchangeLens__factory } from "ballast/contracts";
      import type { IExchange } from "ballast/contracts";
      import { parseDeployment } from "ballast/deployments";
      import { JsonRpcProvider } from "ethers";
      const ballast: Ballast = connect(parseDeployment({}), new JsonRpcProvider());
      export const exchange: IExchange = IExchange__factory.connect("0x", ballast.exchange.runner);
      export const lens = IExchangeLens__factory.createInterface();
      export const health: Promise<Health> = readHealth(ballast, 12);
      const order: Order = { market: 0, side: "buy", tick: toTicks("1", { unit: 1n, lotDecimals: 0 }), lots: 1n };
      export const sent = exchange.execute(12, [limitOrder(order)]);
      // @ts-expect-error a side is buy or sell
      limitOrder({ ...order, side: "long" });
    `;
    writeFileSync(join(folder, "consumer.ts"), source);
    const options = { strict: true, noEmit: true, target: "es2023", module: "nodenext", types: [] };
    const project = { compilerOptions: options, files: ["consumer.ts"] };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(project));
    const compiler = join(ROOT, "node_modules/typescript/bin/tsc");
    const compiled = run(process.execPath, [compiler], { cwd: folder });
    const output = await compiled.then(
      ({ stdout }) => stdout,
      (error: unknown) => String((error as { stdout?: unknown }).stdout), // What a failed process has.
    );
    expect(output).to.equal("");
  });

  it("runs the ten lines of the handbook against a live node", async () => {
    node = await startNode();
    const { world } = node;
    const [maker, taker] = [await world.openTrader("10000"), await world.openTrader("10000")];
    await world.setPrice("10000");
    await world.trade(taker, maker, { price: "10000", size: "0.5" });
    const lines = snippet()
      .trim()
      .split("\n")
      .filter((line) => line !== "");
    expect(lines).to.have.lengthOf.at.most(12);
    const code = lines.join("\n").replace("http://127.0.0.1:8545", node.url);
    writeFileSync(join(folder, "snippet.js"), code);
    const addresses = join(folder, "out/deployments/localhost.json");
    mkdirSync(dirname(addresses), { recursive: true });
    cpSync(node.deployment, addresses);

    const index = world.signers.findIndex(({ address }) => address === taker.signer.address);
    const env = { ...process.env, KEY: walletAt(index).privateKey, ACCOUNT: String(taker.account) };
    const { stdout } = await run(process.execPath, ["snippet.js"], { cwd: folder, env });

    // 5,000 bought at 0.05 %: 2.5 of 10,000 are gone, and perhaps the bond of a new cohort. No other long stands before it.
    const [equity = "", lights, placed] = stdout.split("\n");
    const gone = 10_000n * WHOLE - parseUnits(equity.replace("equity ", ""), 18);
    expect(gone >= (25n * WHOLE) / 10n && gone < (27n * WHOLE) / 10n, equity).to.equal(true);
    expect(lights).to.equal("lights 5 of 5: 5 is closed first");
    expect(placed).to.match(/^placed in 0x[0-9a-f]{64}$/);
    const [order] = await world.lens.orders.staticCall(taker.account, BTC);
    expect(order?.tick).to.equal(99_000n);
    expect(order?.lots).to.equal(1_000_000n);
  });
});
