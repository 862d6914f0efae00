import type { NetworkConnection } from "hardhat/types/network";
import { createChainEffects } from "../../scripts/keeper/chain.js";
import type { Intent, Sent } from "../../scripts/keeper/send.js";
import { createKeeperTick } from "../../scripts/keeper/tick.js";
import type { TickPolicy } from "../../scripts/keeper/tick.js";
import type { World } from "../fixtures.js";
import { TICK_POLICY } from "./fakes.js";
import type { Line } from "./fakes.js";

const MAX_GAS = 16_000_000n;

/** A keeper on a chain of this process, round by round, and what it sent and said. */
export function createRunner(
  { ethers }: NetworkConnection,
  { signers, ballast }: World,
  changes: Partial<TickPolicy> = {},
) {
  const [, , , , signer] = signers;
  if (signer === undefined) throw new Error("the network has accounts");
  const { exchange = "", vault = "", fund = "", lens = "" } = ballast.addresses;
  const sent: Intent[] = [];
  const lines: Line[] = [];
  const effects = createChainEffects({
    provider: async () => ethers.provider,
    exchange,
    vault,
    fund,
    lens,
    from: signer.address,
    send: async (intent): Promise<Sent> => {
      sent.push(intent);
      const { to, data, gas } = intent;
      const receipt = await (await signer.sendTransaction({ to, data, gasLimit: gas })).wait();
      if (receipt === null) throw new Error("it is mined at once");
      return { status: "mined", receipt };
    },
    page: 10,
    maxGas: MAX_GAS,
    log: (event, context = {}) => lines.push({ event, context }),
  });
  const policy = { ...TICK_POLICY, maxGas: MAX_GAS, ...changes };
  return { tick: createKeeperTick(effects, policy), effects, sent, lines };
}
