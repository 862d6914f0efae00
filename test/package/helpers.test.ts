import { expect } from "chai";
import { AbiCoder, Interface } from "ethers";
import fc from "fast-check";
import { DeploymentError, parseDeployment } from "../../scripts/package/deployments.js";
import { decodeError, decodeErrorData } from "../../scripts/package/errors.js";
import {
  cancelAllOrders,
  cancelOrder,
  limitOrder,
  marketOrder,
  replaceOrder,
  setLeverage,
  slotOf,
} from "../../scripts/package/orders.js";
import * as units from "../../scripts/package/units.js";
import { IExchange__factory } from "../../typechain-types/index.js";

/** Ticks of 0.1, lots of 1e-8: 1e17 / 1e8 quote per lot and tick. */
const BTC = { unit: 10n ** 9n, lotDecimals: 8 };

describe("package: units", () => {
  it("counts ticks and lots", () => {
    expect(units.toTicks("10000.1", BTC)).to.equal(100_001n);
    expect(units.fromTicks(100_001n, BTC)).to.equal("10000.1");
    expect(units.toLots("0.01", BTC)).to.equal(1_000_000n);
    expect(units.fromLots(1_000_000n, BTC)).to.equal("0.01");
    expect(units.toQuote("1.5")).to.equal(1_500_000_000_000_000_000n);
    expect(units.fromQuote(-1_500_000_000_000_000_000n)).to.equal("-1.5");
    // 10,000 a coin is 1e22 / 1e8 a lot.
    expect(units.fromPrice(10n ** 14n, BTC)).to.equal("10000.0");
    expect(units.fromScore(-25n * 10n ** 16n)).to.equal("-0.25");
  });

  it("rounds only where the name says so", () => {
    expect(units.toTicksDown("10000.19", BTC)).to.equal(100_001n);
    expect(units.toTicksUp("10000.11", BTC)).to.equal(100_002n);
    expect(units.toTicksUp("10000.1", BTC)).to.equal(100_001n);
    expect(() => units.toTicks("10000.11", BTC)).to.throw(
      units.NotOnTickError,
      "10000.11 is no multiple of 0.1",
    );
    expect(() => units.toLots("0.000000001", BTC)).to.throw();
  });

  it("reads back what it wrote, in any market", () => {
    const market = fc.record({
      unit: fc.bigInt({ min: 1n, max: 2n ** 40n }),
      lotDecimals: fc.integer({ min: 0, max: 12 }),
    });
    fc.assert(
      fc.property(market, fc.bigInt({ min: 0n, max: 2n ** 56n }), (scale, value) => {
        expect(units.toTicks(units.fromTicks(value, scale), scale)).to.equal(value);
        expect(units.toLots(units.fromLots(value, scale), scale)).to.equal(value);
        expect(units.fromPrice(value * scale.unit, scale)).to.equal(units.fromTicks(value, scale));
      }),
      { seed: 3 },
    );
  });
});

describe("package: orders", () => {
  // Kinds and times in force as contracts/types/Action.sol numbers them.
  const order = { market: 1, side: "sell", tick: 7n, lots: 9n } as const;
  const rest = {
    market: 1,
    side: 0,
    timeInForce: 0,
    reduceOnly: false,
    tick: 0n,
    lots: 0n,
    expiry: 0,
    slot: 0,
  };
  const cases = [
    ["a limit order", limitOrder(order), { ...rest, kind: 0, side: 1, tick: 7n, lots: 9n }],
    [
      "a limit order with everything",
      limitOrder({ ...order, side: "buy", timeInForce: "postOnly", reduceOnly: true, expiry: 5 }),
      { ...rest, kind: 0, tick: 7n, lots: 9n, timeInForce: 3, reduceOnly: true, expiry: 5 },
    ],
    [
      "a market order",
      marketOrder(order),
      { ...rest, kind: 0, side: 1, tick: 7n, lots: 9n, timeInForce: 1 },
    ],
    [
      "a replacement",
      replaceOrder(4, order),
      { ...rest, kind: 1, side: 1, tick: 7n, lots: 9n, slot: 4 },
    ],
    ["a cancellation", cancelOrder(1, 31), { ...rest, kind: 2, slot: 31 }],
    ["cancelling all", cancelAllOrders(1), { ...rest, kind: 3 }],
    ["choosing a leverage", setLeverage(1, 20), { ...rest, kind: 4, slot: 5 }],
  ] as const;
  for (const [name, action, expected] of cases) {
    it(name, () => {
      expect(action).to.deep.equal(expected);
      const abi = IExchange__factory.createInterface();
      expect(() => abi.encodeFunctionData("execute", [12, [action]])).to.not.throw();
    });
  }

  it("an id's slot", () => expect(slotOf((12n << 8n) | 31n)).to.equal(31));
});

describe("package: errors", () => {
  const abi = IExchange__factory.createInterface();
  const data = abi.encodeErrorResult("MarginTooLow", [-5n, 100n]);

  it("are found wherever a provider puts them", () => {
    const shapes: unknown[] = [
      data,
      { data },
      { info: { error: { data } } },
      { error: { data: { originalError: { data } } } },
      Object.assign(new Error("execution reverted"), { cause: { data } }),
    ];
    for (const shape of shapes) expect(decodeError(shape)?.text).to.equal("MarginTooLow(-5, 100)");
  });

  it("of the token, the manager and Solidity are known too", () => {
    const foreign = new Interface(["error ERC20InsufficientBalance(address,uint256,uint256)"]);
    const address = "0x00000000000000000000000000000000000000A1";
    const encoded = foreign.encodeErrorResult("ERC20InsufficientBalance", [address, 1n, 2n]);
    expect(decodeErrorData(encoded)?.text).to.equal(`ERC20InsufficientBalance(${address}, 1, 2)`);
    const panic = `0x4e487b71${AbiCoder.defaultAbiCoder().encode(["uint256"], [0x11]).slice(2)}`;
    expect(decodeErrorData(panic)?.text).to.equal("Panic(17)");
  });

  it("are not invented", () => {
    const circular: { cause?: unknown } = {};
    circular.cause = circular;
    for (const shape of [undefined, null, 5, "no", "0x", "0x12345678", { data: "0x" }, circular]) {
      expect(decodeError(shape)).to.equal(undefined);
    }
  });
});

describe("package: deployments", () => {
  const address = "0x00000000000000000000000000000000000000a1";
  const addresses = { exchange: address, lens: address, vault: address, Orders: address };

  it("are checked and checksummed", () => {
    const deployment = parseDeployment({ chainId: 31_337, addresses, markets: ["BTC-PERP"] });
    expect(deployment.addresses.exchange).to.equal("0x00000000000000000000000000000000000000A1");
    expect(deployment.addresses["Orders"]).to.equal("0x00000000000000000000000000000000000000A1");
    expect(deployment.markets).to.deep.equal(["BTC-PERP"]);
  });

  it("say everything that is wrong at once", () => {
    for (const [json, problems] of [
      [
        null,
        [
          "chainId is no chain id",
          "addresses.exchange is missing",
          "addresses.lens is missing",
          "addresses.vault is missing",
        ],
      ],
      [
        { chainId: 1.5, addresses: { ...addresses, lens: "0x1" } },
        ["chainId is no chain id", "addresses.lens is no address"],
      ],
    ] as const) {
      const failure = caught(() => parseDeployment(json));
      expect(failure).to.be.instanceOf(DeploymentError);
      expect(failure).to.have.deep.property("problems", problems);
    }
  });
});

function caught(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}
