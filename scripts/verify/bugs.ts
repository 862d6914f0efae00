/* Real mistakes that the checks have found in the contracts, each with the commit that removed it and the test that fails if it comes back. */

export type Bug = {
  readonly what: string;
  readonly foundBy: string;
  /** Short hash of the commit that removed it. */
  readonly fixedIn: string;
  readonly guardedBy: string;
};

export const BUGS: readonly Bug[] = [
  {
    what: "A record of fresh profit that moved to the other side forgot what was left of the side that it left.",
    foundBy: "eager model, random operations",
    fixedIn: "0fa5cce",
    guardedBy: "test/Fresh.ts",
  },
  {
    what: "An average entry lost the fraction of a tick at every addition, always in one direction.",
    foundBy: "eager model, random operations",
    fixedIn: "3b0d597",
    guardedBy: "test/Positions.ts",
  },
  {
    what: "Replacing an order that was dead made it smaller instead of placing it anew.",
    foundBy: "model of the book",
    fixedIn: "1270259",
    guardedBy: "test/OrdersReplace.ts",
  },
  {
    what: "Fresh profit could mature while an event that had counted it waited for its next transaction; a part of a deficit could go to no market.",
    foundBy: "events cut into many transactions against the single event",
    fixedIn: "1d2b914",
    guardedBy: "test/ContinueEvent.ts",
  },
  {
    what: "A forced sale did not count its own penalty, so that five or six calls were needed where one should do.",
    foundBy: "crash replays",
    fixedIn: "83adc9c",
    guardedBy: "test/Liquidation.ts",
  },
  {
    what: "An account of an event that was named as the receiver of the caller's reward did not end at zero (INV-7).",
    foundBy: "audit after every transaction",
    fixedIn: "a81d835",
    guardedBy: "test/DeleverageEdges.ts",
  },
  {
    what: "What a position's size asks for was asked when it was opened, and could be taken out again at once.",
    foundBy: "attack: YFI",
    fixedIn: "b640c31",
    guardedBy: "test/attacks/coalition.test.ts",
  },
  {
    what: "An event with fewer longs than shorts of one market planned principal on lots that did not exist, and reverted.",
    foundBy: "reference model, random commands",
    fixedIn: "81f8113",
    guardedBy: "test/DeleverageNamed.ts, test/exchange/cases/",
  },
  {
    what: "Named together with the account that it had won against, a winner's gain paid its debts elsewhere before anybody was charged, and the fund or others' principal paid instead.",
    foundBy: "attack: both sides of a market in one event",
    fixedIn: "81f8113",
    guardedBy: "test/DeleverageNamed.ts, test/attacks/both-sides.test.ts",
  },
  {
    what: "A solvent account that an event closed got its gain as balance at once: no haircut, no wait.",
    foundBy: "review of the above",
    fixedIn: "81f8113",
    guardedBy: "test/DeleverageNamed.ts",
  },
  {
    what: "Profit that had matured became fresh again when a jump waited or a shortfall began and nobody had touched its side meanwhile (INV-11).",
    foundBy: "reference model, random commands",
    fixedIn: "81f8113",
    guardedBy: "test/Fresh.ts, test/exchange/",
  },
  {
    what: "A takeover passed over bids of the book that were better for the account.",
    foundBy: "attack: bids inside the band",
    fixedIn: "81f8113",
    guardedBy: "test/LiquidationRandom.ts, test/attacks/prices.test.ts",
  },
  {
    what: "An event took too small a penalty from a solvent account whose profit had matured and was not settled yet.",
    foundBy: "reference model, random commands",
    fixedIn: "7f46bc0",
    guardedBy: "test/exchange/cases/penalty-and-unsettled-profit.json",
  },
  {
    what: "An account that owed and could not be closed everywhere yet was closed where a market had ended, so that its debt fell on other markets' winners.",
    foundBy: "review of the keeper's new job",
    fixedIn: "d8ed832",
    guardedBy: "test/Winding.ts",
  },
  {
    what: "Where a market ended with a shortfall all fresh profit in it was held for ever, also what was more than the shortfall.",
    foundBy: "stateful invariants, K3",
    fixedIn: "fcef326",
    guardedBy: "contracts/test/invariants/Endings.t.sol, test/Winding.ts",
  },
  {
    what: "A token that calls back during a stake in the fund found shares that were not paid for yet.",
    foundBy: "re-entry from the ABI",
    fixedIn: "746d78a",
    guardedBy: "test/attacks/reentry.test.ts",
  },
  {
    what: "The oracle's bounds had no role and fell to the admin; nobody but the admin could cancel what a role had scheduled.",
    foundBy: "attack with every key",
    fixedIn: "1b7ee9c",
    guardedBy: "test/attacks/onekey.test.ts",
  },
  {
    what: "Amounts beyond all money, pages longer than memory and shocks of markets that are not there ended in a panic instead of a named error.",
    foundBy: "bad input from the ABI",
    fixedIn: "81f8113",
    guardedBy: "test/input/",
  },
  {
    what: "While a jump of the index waited, whoever came first closed at the old price against bids of before that only shrank their makers' positions: 19,839 of 20,000 at their cost.",
    foundBy: "attack: leaving at the old price",
    fixedIn: "eeb964a",
    guardedBy:
      "test/Matching.ts, test/attacks/prices.test.ts, test/exchange/cases/held-back-by-a-jump.json",
  },
];
