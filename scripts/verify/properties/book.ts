import type { Property } from "./property.js";
import { at, BOOK, CHANGES, INSPECTOR, LASTING, MODEL, SAME_STATE } from "./property.js";

/* C: the order book. */

const RANDOM = "test/MatchingRandom.ts";
const SORTED = "do what sorting all orders by price and time would do";
const MATCHING = "test/Matching.ts";
const ORDERS = "test/Orders.ts";

export const ORDER_BOOK: readonly Property[] = [
  {
    id: "C1",
    what: "The best bid is below the best ask.",
    checkedBy: [
      ...at(INSPECTOR, "INV-5: best bid and ask"),
      ...at(BOOK, "a live bid meets a live ask"),
    ],
  },
  {
    id: "C2",
    what: "A level has the lots of its orders, and an empty one is not there.",
    checkedBy: [
      ...at(INSPECTOR, "C2: lots of a level", "C2: an empty level has a bit"),
      ...at(BOOK, "a level's lots are not its orders'"),
    ],
  },
  {
    id: "C3",
    what: "The oldest order at the best price is filled first.",
    checkedBy: [...at(RANDOM, SORTED), ...at(CHANGES, 'Broken("C3"'), ...at(MODEL, SAME_STATE)],
  },
  {
    id: "C4",
    what: "Makers get their own price, takers nothing worse than their limit, nobody anything outside the band.",
    checkedBy: [
      ...at(CHANGES, "function c4(", "C4: band"),
      ...at(RANDOM, SORTED),
      ...at(MATCHING, "never goes beyond the taker's limit"),
    ],
  },
  {
    id: "C5",
    what: "Of every order, what was filled, what rests and what was removed is what was asked for.",
    checkedBy: [
      ...at(RANDOM, SORTED),
      ...at("test/Book.ts", "agrees with lists of orders after every step of random sequences"),
    ],
    because: "The models keep every order's lots and are compared after each step.",
  },
  {
    id: "C6",
    what: "A second cancellation ends by name, and nobody but owner and operators cancels.",
    checkedBy: [
      ...at(ORDERS, "refuses a slot without an order, and one that there is not"),
      ...at("test/Accounts.ts", "with the scope to cancel may cancel only"),
      ...at("test/input/matrix.test.ts", '"exchange.execute": { at: 0'),
    ],
  },
  {
    id: "C7",
    what: "A reduce-only order never grows or turns a position, whatever else reduces it.",
    checkedBy: [
      ...at(CHANGES, "function c7("),
      ...at(MATCHING, "removes a reduce-only order once there is nothing to reduce"),
      ...at(MATCHING, "clips a reduce-only order to the position, then removes its rest"),
      ...at("test/properties/orders.test.ts", "that rested while an event cut it (C7)"),
    ],
  },
  {
    id: "C8",
    what: "Post-only takes nothing, an immediate order rests nothing, fill or kill is all or nothing.",
    checkedBy: [
      ...at(CHANGES, "function c8("),
      ...at(ORDERS, "post-only rests in front of the other side and is refused at it"),
      ...at(ORDERS, "fill or kill is refused if a removal leaves too little"),
    ],
  },
  {
    id: "C9",
    what: "One owner's orders do not meet, and two owners who are one person gain nothing by it.",
    checkedBy: [
      ...at(MATCHING, "cancels the resting order where one owner meets himself"),
      ...at(
        "test/attacks/money.test.ts",
        "trading with oneself brings nothing, and costs by default",
      ),
      ...at(LASTING, "function a14("),
    ],
  },
  {
    id: "C10",
    what: "A call fills so many orders at most, each for bounded gas, and leaves the rest in order.",
    checkedBy: [
      ...at(MATCHING, "stops at the bound and says so"),
      ...at("test/attacks/griefing.test.ts", "costs a hundred fills a call, each bounded in gas"),
    ],
  },
  {
    id: "C11",
    what: "A maker without margin is removed and the taker goes on.",
    checkedBy: [
      ...at(MATCHING, "does not let five positions stand on one margin"),
      ...at("contracts/test/invariants/Run.t.sol", "requireSeen(Seen.MakerDropped"),
    ],
  },
  {
    id: "C12",
    what: "Queues have no circle, every live order is in one of them once, and accounts have a bounded number.",
    checkedBy: [
      ...at(INSPECTOR, "C12: a circle", "C12: orders linked"),
      ...at(BOOK, "orders stand in no queue"),
      ...at("test/Book.ts", "refuses the thirty-third order"),
    ],
  },
  {
    id: "C13",
    what: "Orders have whole ticks and lots, and are placed with the least notional at least.",
    checkedBy: [
      ...at(INSPECTOR, "C13: tick of an order"),
      ...at(ORDERS, "too small at its limit", "is enough at the least notional exactly"),
      ...at("test/OrdersReplace.ts", "refuses to shrink below the least notional"),
    ],
    because: "What a partial fill leaves of an order may be less.",
  },
  {
    id: "C14",
    what: "An order that was placed and cancelled leaves everything as it was.",
    checkedBy: [
      ...at("test/properties/orders.test.ts", "is nothing, if one is placed and cancelled (C14)"),
      ...at(ORDERS, "frees slot, queue and reservation"),
    ],
  },
  {
    id: "C15",
    what: "What an owner signs, an operator's right, counts once, in time, at its exchange, for its words.",
    checkedBy: [
      ...at("test/Accounts.ts", "can be named by a signature, once, in any order of nonces"),
      ...at(
        "test/properties/orders.test.ts",
        "counts on its chain, at its exchange, and for its account alone",
      ),
    ],
    because: "There are no signed orders.",
  },
  {
    id: "C16",
    what: "Orders that come and go move the mark no further than its bound, and only through its averages.",
    checkedBy: [
      ...at(LASTING, "function h6("),
      ...at(CHANGES, "function inv17("),
      ...at("test/Funding.ts", "cannot be moved far by one block's book"),
      ...at(
        "test/Prices.ts",
        "pulls the mark no further than index + premium, so it cannot act at once",
      ),
    ],
  },
];
