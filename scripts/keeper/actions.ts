import type { Interface, Result } from "ethers";
import { IExchange__factory } from "../../typechain-types/factories/interfaces/IExchange__factory.js";
import { IInsuranceFund__factory } from "../../typechain-types/factories/interfaces/IInsuranceFund__factory.js";
import { IMarginVault__factory } from "../../typechain-types/factories/interfaces/IMarginVault__factory.js";

/*
 * What the keeper can send: five functions of the exchange, one of its vault and one of its fund, and nothing else. Whatever is simulated is
 * sent byte for byte.
 */

/** The contracts that are called. */
export type Targets = {
  readonly exchange: string;
  readonly vault: string;
  /** Empty if there is none. */
  readonly fund: string;
};

export type Action =
  | {
      readonly kind: "liquidate";
      readonly accounts: readonly number[];
      readonly maxFills: bigint;
      readonly rewardTo: number;
    }
  | {
      readonly kind: "deleverage";
      readonly accounts: readonly number[];
      readonly maxFills: bigint;
      readonly rewardTo: number;
    }
  | {
      readonly kind: "takeover";
      readonly from: number;
      readonly to: number;
      readonly market: number;
      readonly lots: bigint;
      readonly worstPrice: bigint;
    }
  | {
      readonly kind: "continueEvent";
      readonly market: number;
      readonly maxSteps: bigint;
      readonly rewardTo: number;
    }
  | { readonly kind: "poke"; readonly market: number }
  | { readonly kind: "release"; readonly maxItems: bigint }
  | { readonly kind: "noteIncome" };

const vault = IMarginVault__factory.createInterface();
const fund = IInsuranceFund__factory.createInterface();
const exchange = IExchange__factory.createInterface();
/** The same, for names that are known at run time only. */
const anyExchange: Interface = exchange;

export function encodeAction(action: Action): string {
  switch (action.kind) {
    case "liquidate":
      return exchange.encodeFunctionData("liquidate", [
        [...action.accounts],
        action.maxFills,
        action.rewardTo,
      ]);
    case "deleverage":
      return exchange.encodeFunctionData("deleverage", [
        [...action.accounts],
        action.maxFills,
        action.rewardTo,
      ]);
    case "takeover":
      return exchange.encodeFunctionData("takeover", [
        action.from,
        action.to,
        action.market,
        action.lots,
        action.worstPrice,
      ]);
    case "continueEvent":
      return exchange.encodeFunctionData("continueEvent", [
        action.market,
        action.maxSteps,
        action.rewardTo,
      ]);
    case "poke":
      return exchange.encodeFunctionData("poke", [action.market]);
    case "release":
      return vault.encodeFunctionData("release", [action.maxItems]);
    case "noteIncome":
      return fund.encodeFunctionData("noteIncome");
    default:
      return assertNever(action);
  }
}

export function targetOf({ kind }: Action, targets: Targets): string {
  return targets[TARGETS[kind]];
}

const TARGETS: Readonly<Record<Action["kind"], keyof Targets>> = {
  liquidate: "exchange",
  deleverage: "exchange",
  takeover: "exchange",
  continueEvent: "exchange",
  poke: "exchange",
  release: "vault",
  noteIncome: "fund",
};

/**
 * How much a call did: accounts, lots taken over, token units released; for an event 1 in any case, because a step that does
 * not finish it is progress too.
 */
export function decodeDone(action: Action, result: string): bigint {
  switch (action.kind) {
    case "liquidate":
    case "deleverage":
    case "takeover":
      return countIn(anyExchange, action.kind, result);
    case "release":
      return countIn(vault, action.kind, result);
    case "continueEvent":
    case "poke":
    case "noteIncome":
      return 1n;
    default:
      return assertNever(action);
  }
}

function countIn(contract: Interface, name: string, result: string): bigint {
  const values: Result = contract.decodeFunctionResult(name, result);
  const done: unknown = values[0];
  if (typeof done !== "bigint") throw new TypeError(`${name} returned no number`);
  return done;
}

/** Selectors of the calls above, by contract: whatever signs transactions refuses others. */
export const ALLOWED_SELECTORS: Readonly<Record<keyof Targets, ReadonlySet<string>>> = {
  exchange: new Set(
    (["liquidate", "deleverage", "takeover", "continueEvent", "poke"] as const).map(
      (name) => exchange.getFunction(name).selector,
    ),
  ),
  vault: new Set([vault.getFunction("release").selector]),
  fund: new Set([fund.getFunction("noteIncome").selector]),
};

export function assertNever(value: never): never {
  throw new TypeError(`Unexpected ${JSON.stringify(value)}`);
}
