import hre from "hardhat";
import { z } from "zod";

/*
 * Loaded before the tests of a build that tells what runs: telling costs gas. Where a test allows about as much as a transaction can
 * take, it means no limit, and gets more than any transaction could have, and so do blocks. Smaller limits are what a test is about, and stay.
 */

const LIMITED = new Set(["eth_sendTransaction", "eth_call", "eth_estimateGas"]);
const NEARLY_ALL = 10_000_000n;
const PLENTY = "0x17d78400";
const PLENTY_IN_A_BLOCK = "0xee6b2800";

/** A transaction with a limit, and whatever comes after it. */
const Params = z.tuple([z.looseObject({ gas: z.string() })], z.unknown());

hre.hooks.registerHandlers("network", {
  async newConnection(context, next) {
    const connection = await next(context);
    if (connection.networkConfig.type === "edr-simulated") {
      const params = [PLENTY_IN_A_BLOCK];
      await connection.provider.request({ method: "evm_setBlockGasLimit", params });
    }
    return connection;
  },
  onRequest(...[context, connection, request, next]) {
    const { success, data } = Params.safeParse(request.params);
    if (!LIMITED.has(request.method) || !success || BigInt(data[0].gas) < NEARLY_ALL) {
      return next(context, connection, request);
    }
    const [transaction, ...others] = data;
    const params = [{ ...transaction, gas: PLENTY }, ...others];
    return next(context, connection, { ...request, params });
  },
});
