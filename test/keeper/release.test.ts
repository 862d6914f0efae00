import { expect } from "chai";
import { network } from "hardhat";
import { createChainEffects } from "../../scripts/keeper/chain.js";
import type { Intent, Sent } from "../../scripts/keeper/send.js";
import { createKeeperTick } from "../../scripts/keeper/tick.js";
import { createQueued } from "../queued.js";
import { TICK_POLICY } from "./fakes.js";
import type { Line } from "./fakes.js";

const connection = await network.create();
const { networkHelpers } = connection;

describe("keeper: the vault's queue", () => {
  const queued = () => createQueued(connection);

  it("is paid once five minutes of refill have come, to its end", async () => {
    const { world, winner } = await networkHelpers.loadFixture(queued);
    const { ballast, signers } = world;
    const [, , , , keeper] = signers;
    if (keeper === undefined) throw new Error("the network has accounts");
    const { exchange = "", vault = "", lens = "" } = ballast.addresses;
    const sent: Intent[] = [];
    const lines: Line[] = [];
    const effects = createChainEffects({
      provider: async () => connection.ethers.provider,
      exchange,
      vault,
      fund: "",
      lens,
      from: keeper.address,
      send: async (intent): Promise<Sent> => {
        sent.push(intent);
        const { to, data } = intent;
        const receipt = await (await keeper.sendTransaction({ to, data })).wait();
        if (receipt === null) throw new Error("it is mined at once");
        return { status: "mined", receipt };
      },
      page: 10,
      maxGas: 16_000_000n,
      log: (event, context = {}) => lines.push({ event, context }),
    });
    const policy = { ...TICK_POLICY, maxGas: 16_000_000n, pokeAfter: 0n };
    const tick = createKeeperTick(effects, policy);

    expect((await tick()).skips).to.include({ "release.noRoom": 1 });
    expect(sent).to.deep.equal([]);
    const before = await ballast.token.balanceOf(winner.signer);
    const waits = await ballast.vault.queued();
    await networkHelpers.time.increase(310);
    expect((await tick()).transactions).to.include({ release: 1 });
    const paid = (await ballast.token.balanceOf(winner.signer)) - before;
    expect(paid).to.be.within(waits / 100n, waits / 2n);
    expect((await tick()).skips).to.include({ "release.noRoom": 1 });
    for (let hours = 0; hours < 5; hours += 1) {
      await networkHelpers.time.increase(3_600);
      await tick();
    }
    expect((await tick()).skips).to.include({ "release.nothingWaits": 1 });
    expect(new Set(sent.map(({ to }) => to))).to.deep.equal(new Set([vault]));
    expect(await ballast.token.balanceOf(winner.signer)).to.equal(before + waits);
    expect(lines.map(({ event }) => event)).to.include("tx.mined");
  });
});
