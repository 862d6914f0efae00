import { expect } from "chai";
import { ZeroAddress } from "ethers";
import type { SnapshotRestorer } from "@nomicfoundation/hardhat-network-helpers/types";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { createChainEffects } from "../../scripts/keeper/chain.js";
import { isLiquidatable } from "../../scripts/keeper/math.js";
import { BTC, buy, ETH, WHOLE } from "../fixtures.js";
import type { Trader } from "../fixtures.js";
import { keeperWallet, startKeeper, startNode, walletAt } from "./node.js";
import type { Keeper, Node } from "./node.js";

/** Longs of 0.1 at 10,000 with 120 to lose: below maintenance under about 8,890, insolvent under about 8,800. */
const SIZE = "0.1";

describe("keeper: against a live node", function () {
  this.timeout(300_000);
  let node: Node;
  let start: SnapshotRestorer;
  let whale: Trader;
  let longs: Trader[];
  let safe: Trader;
  let own: Trader;

  before(async () => {
    node = await startNode();
    const { world } = node;
    whale = await world.openTrader("1000000");
    longs = [];
    for (let i = 0; i < 6; i += 1) longs.push(await world.openTrader("120"));
    safe = await world.openTrader("1000");
    const signer = world.signers.find(({ address }) => address === keeperWallet.address);
    if (signer === undefined) throw new Error("the node has the keeper's account");
    own = await world.openAccount(signer, "10000");
    for (const buyer of [...longs, safe]) {
      // Every block takes a second at least, so that prices age by transactions.
      await world.setPrice("10000");
      await world.trade(buyer, whale, { price: "10000", size: SIZE });
    }
    start = await world.connection.networkHelpers.takeSnapshot();
  });

  afterEach(async () => start.restore());
  after(async () => (node as Node | undefined)?.close());

  const keeper = (...options: string[]): Keeper =>
    startKeeper(node, "--interval", "100", "--account", String(own.account), ...options);
  const once = async (...options: string[]): Promise<Keeper> => {
    const run = keeper("--once", ...options);
    expect(await run.ended, JSON.stringify(run.lines)).to.equal(0);
    return run;
  };
  const events = ({ lines }: Keeper) => lines.map(({ event }) => event);
  /** The index falls, and the whale bids for everything just under it. */
  const fallOntoBids = async () => {
    await node.world.setPrice("10000");
    await node.world.execute(whale, buy("8849", "10"));
    await node.world.setPrice("8850");
  };
  const isSettled = async () => (await allHealths()).every(({ liquidatable }) => !liquidatable);
  /** Rounds until nobody is below maintenance. A call may leave an account below it: the penalty takes what it won. */
  const untilSettled = async (run: Keeper): Promise<void> => {
    while (!(await isSettled())) {
      if (run.child.exitCode !== null) throw new Error(JSON.stringify(run.lines));
      await delay(100);
    }
    run.child.kill("SIGTERM");
    expect(await run.ended).to.equal(0);
  };
  const allHealths = async () =>
    Promise.all([...longs, safe].map(async (trader) => node.world.health(trader)));

  it("reads what the lens says, and agrees with the contract about who is below", async () => {
    const { world } = node;
    await world.setPrice("8850");
    const { exchange, vault, lens } = world.ballast.addresses;
    const effects = createChainEffects({
      provider: async () => world.connection.ethers.provider,
      exchange: exchange ?? "",
      vault: vault ?? "",
      fund: "",
      lens: lens ?? "",
      from: ZeroAddress,
      send: async () => ({ status: "dropped", reason: "never" }),
      page: 3,
      maxGas: 1n,
      log: () => undefined,
    });
    const head = await effects.head();
    const accounts = await effects.accounts(head);
    expect(accounts.map(({ account }) => account)).to.deep.equal([
      ...[whale, ...longs, safe, own].map(({ account }) => account),
    ]);
    const below: number[] = [];
    for (const view of accounts) {
      const [row] = await world.lens.healths.staticCall([view.account]);
      expect(view.equity).to.equal(row?.health.equity);
      expect(view.maintenance).to.equal(row?.health.maintenance);
      expect(view.prudent).to.equal(row?.health.prudent);
      expect(view.initial).to.equal(row?.health.initial);
      expect(view.equityAtPending).to.equal(row?.health.equityAtPending);
      expect(view.notional).to.equal(row?.health.notional);
      expect(view.owner).to.equal(row?.owner);
      expect(isLiquidatable(view)).to.equal(row?.liquidatable);
      if (isLiquidatable(view)) below.push(view.account);
    }
    expect(below).to.deep.equal(longs.map(({ account }) => account));
    const [btc, eth] = await effects.markets(head);
    expect(btc).to.deep.include({ market: BTC, grade: "fresh", hasEvent: false, clock: 30n });
    expect(btc?.openInterest).to.equal(70_000_000n);
    expect(eth).to.deep.include({ market: ETH, openInterest: 0n });
  });

  it("reduces whoever is below maintenance into the book, and nobody else", async () => {
    const { world } = node;
    await fallOntoBids();
    const before = await world.exchange.balanceOf(own.account);
    const run = keeper();
    await untilSettled(run);
    for (const long of longs) {
      const { clock, health } = await world.health(long);
      expect(clock).to.equal(0n);
      expect(health.equity >= 0n).to.equal(true);
    }
    expect((await world.health(safe)).health.notional).to.equal(885n * WHOLE);
    expect((await world.exchange.balanceOf(own.account)) > before, "reward").to.equal(true);
    expect(events(run)).to.include.members(["tx.sent", "tx.mined", "tick.done"]);
    const again = await once("--poke-after", "0", "--note-above", "0");
    expect(events(again)).to.not.include("tx.sent");
  });

  it("does nothing in a dry run, without a key or with one", async () => {
    const { world } = node;
    await world.setPrice("8850");
    const before = await world.connection.ethers.provider.getBlockNumber();
    const run = await once("--dry-run");
    expect(events(run)).to.include("action.simulated");
    expect(await world.connection.ethers.provider.getBlockNumber()).to.equal(before);
  });

  it("takes positions over when the limit is worth it", async () => {
    const { world } = node;
    await world.setPrice("8850");
    const first = await once("--min-discount", "3000");
    expect(events(first)).to.include("tx.mined");
    expect((await world.health(own)).health.notional).to.equal(0n);
    // The limit moves from 0.2 % to about 0.5 % under mark within 30 s.
    await world.setPrice("8850", BTC, 22n);
    await once("--min-discount", "3000", "--max-takeover", "1000");
    const taken = (await world.health(own)).health.notional;
    expect(taken > 1_000n * WHOLE, "from more than one").to.equal(true);
    for (const { health } of await allHealths()) {
      expect(health.notional <= 885n * WHOLE && health.equity >= 0n).to.equal(true);
    }
  });

  it("closes what has run out and what is insolvent, together in one event", async () => {
    const { world } = node;
    await world.setPrice("8850");
    await once("--min-discount", "500000");
    await world.fund(longs[0] ?? safe, "1");
    await world.setPrice("8850", BTC, 20n);
    await world.setPrice("8840", BTC, 15n);
    const run = await once("--min-discount", "500000");
    const closings = run.lines.filter(
      ({ event, action }) => event === "tx.mined" && action === "deleverage",
    );
    expect(closings).to.have.lengthOf(1);
    expect(closings[0]).to.have.property("subjects", longs.length);
    for (const long of longs) {
      const { health } = await world.health(long);
      expect(health.notional).to.equal(0n);
      expect(health.equity >= 0n).to.equal(true);
    }
  });

  it("closes insolvent accounts at once", async () => {
    const { world } = node;
    await world.setPrice("8700");
    const run = await once();
    expect(run.lines.filter(({ action }) => action === "deleverage")).to.have.lengthOf(1);
    for (const long of longs) {
      const { health } = await world.health(long);
      expect(health.notional).to.equal(0n);
      expect(health.equity).to.equal(0n);
    }
  });

  it("ends within five seconds of SIGTERM in the middle of a wave, and another finishes it", async () => {
    await fallOntoBids();
    const first = keeper("--max-accounts", "1");
    await first.line("tx.sent");
    const asked = performance.now();
    first.child.kill("SIGTERM");
    expect(await first.ended).to.equal(0);
    expect(performance.now() - asked).to.be.below(5_000);
    expect(first.lines.at(-1)).to.deep.include({ event: "keeper.stopped", clean: true });
    const sent = first.lines.filter(({ event }) => event === "tx.sent");
    const mined = first.lines.filter(({ event }) => event === "tx.mined");
    expect(mined.map(({ hash }) => hash)).to.deep.equal(sent.map(({ hash }) => hash));
    expect(mined.length, "the wave was not over").to.be.below(longs.length);
    expect(await isSettled()).to.equal(false);

    await untilSettled(keeper());
  });

  it("survives being killed at once: the next finds everything on the chain", async () => {
    await fallOntoBids();
    const first = keeper("--max-accounts", "1");
    await first.line("tx.sent");
    first.child.kill("SIGKILL");
    await first.ended;
    await untilSettled(keeper());
  });

  it("works beside another keeper", async () => {
    await fallOntoBids();
    const options = ["--interval", "100", "--max-accounts", "2"];
    const other = startKeeper({ ...node, key: walletAt(18).privateKey }, ...options);
    await Promise.all([untilSettled(keeper("--max-accounts", "2")), untilSettled(other)]);
  });

  it("says what is wrong and ends when it cannot start", async () => {
    const bad = startKeeper({ ...node, key: "0x12" });
    expect(await bad.ended).to.equal(1);
    expect(bad.lines).to.have.lengthOf(1);
    expect(bad.lines[0]).to.deep.include({ event: "keeper.failed", level: "fatal" });
    expect(JSON.stringify(bad.lines)).to.not.include("0x12");
  });

  it("ends within five seconds of SIGTERM when its provider hangs", async () => {
    const server = createServer(() => undefined);
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const { port } = server.address() as AddressInfo; // It listens on a port.
    const stuck = startKeeper({ ...node, url: `http://127.0.0.1:${port}` }, "--timeout", "60000");
    await stuck.line("keeper.started");
    const asked = performance.now();
    stuck.child.kill("SIGTERM");
    expect(await stuck.ended).to.equal(0);
    expect(performance.now() - asked).to.be.below(5_000);
    expect(stuck.lines.at(-1)).to.deep.include({ event: "keeper.stopped", clean: false });
    server.closeAllConnections();
    server.close();
  });
});
