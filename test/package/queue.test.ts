import { expect } from "chai";
import { network } from "hardhat";
import {
  connect,
  parseDeployment,
  previewWithdrawal,
  readOutflow,
  readRequest,
  requestsIn,
} from "../../scripts/package/index.js";
import { TOKEN } from "../fixtures.js";
import { createQueued } from "../queued.js";

const connection = await network.create();
const { networkHelpers } = connection;

describe("package: the vault's queue", () => {
  const queued = () => createQueued(connection);

  it("is found from a receipt, with what stands before and how long it takes", async () => {
    const { world, winner, loser, asked } = await networkHelpers.loadFixture(queued);
    const { ballast: deployed, chainId, deployer, signers } = world;
    const { addresses } = deployed;
    const deployment = parseDeployment({ chainId: Number(chainId), addresses, markets: [] });
    const [, , , , anyone = deployer] = signers;
    const ballast = connect(deployment, anyone);

    const ids = await requestsIn(ballast, (await asked.wait())?.logs ?? []);
    expect(ids).to.deep.equal([0n]);
    const [alien] = (await asked.wait())?.logs.filter(({ topics }) => topics.length === 4) ?? [];
    const { topics = [], data = "" } = alien ?? {};
    expect(topics).to.have.lengthOf(4);
    expect(await requestsIn(ballast, [{ address: deployer.address, topics, data }])).to.be.empty;
    const request = await readRequest(ballast, 0n);
    const { waiting, rate, releasable, room } = await readOutflow(ballast);
    expect(request.to).to.equal(winner.signer.address);
    expect([request.left, request.ahead]).to.deep.equal([waiting, 0n]);
    // 1 % of what the loser has left and the fees an hour; at least 1 unit an hour, were all of it gone.
    expect(rate).to.be.closeTo(19n * TOKEN, TOKEN);
    expect(request.expected).to.be.closeTo((waiting * 3_600n) / rate, 5n);
    expect(request.longest).to.be.closeTo((waiting * 3_600n) / TOKEN, 60n);
    expect(releasable).to.equal(room);

    const own = await previewWithdrawal(ballast, loser.signer.address, 500n * TOKEN);
    expect(own).to.deep.equal({ atOnce: 500n * TOKEN, queued: 0n });
    const more = await previewWithdrawal(ballast, winner.signer.address, TOKEN);
    expect(more).to.deep.equal({ atOnce: 0n, queued: TOKEN });

    expect(request.expected).to.be.within(7_200n, 18_000n);
    for (let passed = 0n; passed <= request.expected; passed += 3_600n) {
      await networkHelpers.time.increase(3_600);
      await ballast.vault.release(1n);
    }
    expect(await readRequest(ballast, 0n)).to.include({ left: 0n, expected: 0n, longest: 0n });
  });
});
