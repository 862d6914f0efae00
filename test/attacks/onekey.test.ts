import { expect } from "chai";
import { network } from "hardhat";
import type { BaseContract } from "ethers";
import { DELAYED, ROLE_IDS } from "../../scripts/deploy/roles.js";
import type { RoleName } from "../../scripts/deploy/roles.js";
import { BTC, createWorld } from "../fixtures.js";
import { outcomeOf } from "../lib/reverts.js";

/* Somebody has one key. What it may do waits, and whoever has another key can stop it. */

const connection = await network.create();
const { networkHelpers, ethers } = connection;

const DELAY = 172_800n;
const ADMIN_ROLE = 0n;

const plain = () => createWorld(connection);

describe("somebody who has one key", () => {
  /** One role is the thief's; the guardian is somebody else's. He asks for something that his role may do. */
  async function askWithOneKey(role: RoleName) {
    const world = await networkHelpers.loadFixture(plain);
    const { exchange, oracle, roles } = world.ballast;
    const [thief, guardian, stranger] = world.signers.slice(-3);
    if (!thief || !guardian || !stranger) throw new Error("the network has accounts");
    await roles.grantRole(ROLE_IDS[role], thief.address, DELAY);
    await roles.grantRole(ROLE_IDS.guardian, guardian.address, 0n);
    const asks: Record<string, [BaseContract, string]> = {
      listing: [exchange, exchange.interface.encodeFunctionData("setFeeShare", [1])],
      treasury: [
        exchange,
        exchange.interface.encodeFunctionData("payTreasury", [1n, thief.address]),
      ],
      oracle: [oracle, oracle.interface.encodeFunctionData("setBounds", [BTC, 0n, 1n])],
    };
    const [target, data] = asks[role] ?? [roles, "0x"];
    await roles.connect(thief).schedule(target, data, 0n);
    const cancelBy = (who: typeof thief) =>
      outcomeOf(async () => roles.connect(who).cancel(thief.address, target, data));
    const doBy = (who: typeof thief) =>
      outcomeOf(async () => roles.connect(who).execute(target, data));
    return { ...world, cancelBy, doBy, thief, guardian, stranger };
  }

  for (const role of DELAYED) {
    it(`of ${role} is stopped in time by the guardian or the admin, and by nobody else`, async () => {
      for (const by of ["guardian", "deployer"] as const) {
        const asked = await askWithOneKey(role);
        expect(await asked.cancelBy(asked.stranger)).to.equal("AccessManagerUnauthorizedCancel");
        expect(await asked.cancelBy(asked[by])).to.equal("done");
        await networkHelpers.time.increase(DELAY);
        expect(await asked.doBy(asked.thief)).to.equal("AccessManagerNotScheduled");
      }
    });
  }

  it("of the guardian cannot stop what the admin asks for", async () => {
    const { ballast, deployer, guardian } = await askWithOneKey("listing");
    const { roles } = ballast;
    const admin = (await ethers.getSigners())[5];
    if (admin === undefined) throw new Error("the network has accounts");
    await roles.grantRole(ADMIN_ROLE, admin.address, DELAY);
    const data = roles.interface.encodeFunctionData("revokeRole", [
      ROLE_IDS.guardian,
      guardian.address,
    ]);
    await roles.connect(admin).schedule(roles, data, 0n);
    const cancelBy = (who: typeof guardian) =>
      outcomeOf(async () => roles.connect(who).cancel(admin.address, roles, data));
    expect(await cancelBy(guardian)).to.equal("AccessManagerUnauthorizedCancel");
    expect(await cancelBy(deployer)).to.equal("done");
  });
});
