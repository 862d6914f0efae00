import { expect } from "chai";
import { network } from "hardhat";
import { MaxUint256 } from "ethers";
import { createRandom } from "../../scripts/lib/random.js";
import { buy, createWorld, sell, TOKEN } from "../fixtures.js";
import type { World } from "../fixtures.js";

/* Shares of the fund at random: what goes in and comes back is never more, whoever gave what away before (E4, E5). */

const connection = await network.create();
const { networkHelpers } = connection;

const SEED = 0xba11a57;
const GIFTS = 12;
const STATES = 6;
const AMOUNTS = 12;
const COOLDOWN = 864_000n;
/** From one unit of the token to a million of settlement units, as often of each length. */
const LENGTHS = [0n, 2n, 4n, 6n, 8n, 10n, 12n];

const random = createRandom(SEED);

function amount(): bigint {
  const length = LENGTHS[Number(random.between(0n, BigInt(LENGTHS.length - 1)))] ?? 0n;
  return random.between(10n ** length, 10n ** (length + 1n));
}

async function staged() {
  const world = await createWorld(connection);
  const { token, fund } = world.ballast;
  const [attacker, victim] = [world.signers[3], world.signers[4]];
  if (attacker === undefined || victim === undefined) throw new Error("there are accounts");
  for (const who of [attacker, victim]) {
    await token.mint(who, 10n ** 15n);
    await token.connect(who).approve(fund, MaxUint256);
  }
  return { world, token, fund, attacker, victim };
}

describe("shares of the fund", () => {
  it("cannot be inflated: no gift before a stake brings its giver anything (E4)", async () => {
    for (let i = 0; i < GIFTS; i++) {
      const { world, token, fund, attacker, victim } = await networkHelpers.loadFixture(staged);
      const [first, gift, stake] = [amount(), amount(), amount()];
      const text = `${first}, a gift of ${gift}, ${stake}`;
      const before = await token.balanceOf(attacker);
      await fund.connect(attacker).deposit(first, attacker);
      const places = [fund, world.ballast.vault, world.exchange];
      const place = places[Number(random.between(0n, 2n))] ?? fund;
      await token.connect(attacker).transfer(place, gift);
      await fund.connect(victim).deposit(stake, victim);
      const worth = await fund.previewRedeem(await fund.balanceOf(victim));
      expect(worth, text).to.be.within(stake - 1n, stake);
      await fund.connect(attacker).requestExit(await fund.balanceOf(attacker));
      await world.pass(COOLDOWN);
      await fund.executeExit(attacker);
      expect(before - (await token.balanceOf(attacker)), text).to.be.at.least(gift);
    }
  });

  /** Income, half of which has streamed in, or a loss: whatever makes a share worth an odd sum. */
  async function disturb(world: World): Promise<void> {
    const [one, other] = [await world.openTrader("100000"), await world.openTrader("100000")];
    await world.again();
    const size = (random.uniform() * 9 + 1).toFixed(3);
    await world.execute(one, sell("10000", size));
    await world.execute(other, buy("10000", size, { timeInForce: "ioc" }));
    await world.exchange.poke(0);
    await world.ballast.fund.noteIncome();
    await networkHelpers.time.increase(random.between(1n, 90_000n));
  }

  it("never bring more on a way there and back, and previews are what is done (E5)", async () => {
    for (let i = 0; i < STATES; i++) {
      const { world, fund, attacker, victim } = await networkHelpers.loadFixture(staged);
      await fund.connect(victim).deposit(amount(), victim);
      await disturb(world);
      for (let j = 0; j < AMOUNTS; j++) {
        const [assets, shares] = [amount(), amount() * 10n ** random.between(0n, 12n)];
        const text = `${assets} and ${shares} at ${await fund.convertToAssets(10n ** 24n)}`;
        // What a deposit gives, redeemed or withdrawn.
        const given = await fund.previewDeposit(assets);
        expect(await fund.previewRedeem(given), text).to.be.at.most(assets);
        expect(await fund.previewWithdraw(assets), text).to.be.at.least(given);
        // What minting costs, redeemed or withdrawn.
        const cost = await fund.previewMint(shares);
        const back = await fund.previewRedeem(shares);
        expect(back, text).to.be.at.most(cost);
        expect(await fund.previewWithdraw(cost), text).to.be.at.least(shares);
        // What redeeming gives, deposited; what withdrawing costs, minted.
        expect(await fund.previewDeposit(back), text).to.be.at.most(shares);
        expect(await fund.previewMint(await fund.previewWithdraw(assets)), text).to.be.at.least(
          assets,
        );
      }
      await expectPreviews({ world, fund }, attacker);
    }
  });

  type Stage = Awaited<ReturnType<typeof staged>>;

  /** Each way in and the way out, as its preview at that moment says. */
  async function expectPreviews(
    { world, fund }: Pick<Stage, "world" | "fund">,
    who: Stage["attacker"],
  ): Promise<void> {
    const own = fund.connect(who);
    const assets = amount() + TOKEN;
    const [start, held] = [await own.balanceOf(who), await world.ballast.token.balanceOf(who)];
    const wouldGet = await own.deposit.staticCall(assets, who, { blockTag: "pending" });
    const preview = await own.previewDeposit(assets, { blockTag: "pending" });
    await own.deposit(assets, who);
    const got = (await own.balanceOf(who)) - start;
    expect([wouldGet, preview]).to.deep.equal([got, got]);
    const shares = got / 3n + 1n;
    const cost = await own.previewMint(shares, { blockTag: "pending" });
    const paid = held - assets - (await world.ballast.token.balanceOf(who));
    expect(paid).to.equal(0n);
    await own.mint(shares, who);
    expect(held - assets - (await world.ballast.token.balanceOf(who))).to.equal(cost);
    await own.requestExit(await own.balanceOf(who));
    await world.pass(COOLDOWN);
    const leaves = await own.previewRedeem(got + shares, { blockTag: "pending" });
    const before = await world.ballast.token.balanceOf(who);
    await own.executeExit(who);
    expect((await world.ballast.token.balanceOf(who)) - before).to.equal(leaves);
  }
});
