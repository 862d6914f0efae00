import type { Property } from "./property.js";
import { at, CHANGES, ENDINGS, TIME } from "./property.js";

/* I: keys. J: tokens. K: liveness. L: keepers. */

const KEYS = "test/attacks/keys.test.ts";
const TOKENS = "test/attacks/tokens.test.ts";
const REENTRY = "test/attacks/reentry.test.ts";
const LIVE = "test/keeper/live.test.ts";
const SEND = "test/keeper/send.test.ts";
const TICK = "test/keeper/tick.test.ts";

export const ADMIN: readonly Property[] = [
  {
    id: "I1",
    what: "Whatever keys do, who is flat leaves and who is not reduces.",
    checkedBy: [
      ...at(KEYS, "keeps nobody from cancelling, reducing, closing and leaving"),
      ...at(KEYS, "shuts restricted functions and nothing else"),
      ...at(CHANGES, "function inv9("),
      ...at("test/InsuranceFund.ts", "not for longer than an hour by an account that stays"),
    ],
    because: "There is no pause; a stored event freezes a side until anyone has gone on with it.",
    missing: "That the fund is not kept shut by one account after the other, an hour each.",
  },
  {
    id: "I2",
    what: "Every restricted function has a role and a delay, and answers nobody else.",
    checkedBy: [
      ...at("test/Listing.ts", "are asked for by every restricted function"),
      ...at("test/Listing.ts", "go to who was named, with the delay, and the deployer keeps none"),
      ...at(KEYS, "finds no restricted function without a role of its own"),
    ],
  },
  {
    id: "I3",
    what: "Parameters have bounds in code, and no change counts before its delay.",
    checkedBy: [
      ...at("test/Listing.ts", "refuses ${what}"),
      ...at(KEYS, "takes nothing by calls that he has scheduled, until their last second"),
    ],
  },
  {
    id: "I4",
    what: "A new market starts with a part of its cap, which grows with days.",
    checkedBy: [
      ...at("test/Caps.ts", "start at a part, where a control trades all at once"),
      ...at(KEYS, "lists markets, and raises a cap only by days"),
    ],
    because: "There is one collateral, for ever.",
  },
  {
    id: "I5",
    what: "The guardian only lowers.",
    checkedBy: [
      ...at(KEYS, "raises nothing as guardian, by one step or by all"),
      ...at("test/Listing.ts", "only goes down"),
    ],
  },
  {
    id: "I6",
    what: "What is bound once stays bound, and storage is where the readers look for it.",
    checkedBy: [
      ...at("test/Listing.ts", "cannot bind a second fund"),
      ...at("test/lib/layout.test.ts", "has every field of ${name} where the compiler puts it"),
    ],
    because: "Nothing is upgradeable, and constructors do all the initialising.",
  },
  {
    id: "I7",
    what: "No contract can destroy itself, make others, or keep what somebody's code did.",
    checkedBy: [
      ...at("test/properties/opcodes.test.ts", "neither destroys itself nor makes contracts"),
      ...at(
        "test/properties/opcodes.test.ts",
        "delegates only to libraries that it is linked with",
      ),
      ...at(
        "test/properties/opcodes.test.ts",
        "that somebody brings along runs in `simulate` and leaves nothing",
      ),
    ],
    because: "The manager of roles calls what an admin asks for, after the delay.",
  },
  {
    id: "I8",
    what: "Profit leaves at a bounded pace, and who waits knows how long at most.",
    checkedBy: [
      ...at("test/MarginVaultAttacks.ts", "gets no more in an hour by asking for it in parts"),
      ...at(
        "test/MarginVault.ts",
        "say what stands before a request, and how long it takes at most",
      ),
      ...at("test/MarginVaultRandom.ts", "random calls (seed ${seed})"),
    ],
  },
  {
    id: "I9",
    what: "Events alone rebuild what is stored.",
    checkedBy: [
      ...at("scripts/lib/auditor.ts", "compareStates(auditor.rebuild.state, after)"),
      ...at("test/lib/read.test.ts", "finds everything that events led to, and nothing else"),
    ],
  },
  {
    id: "I10",
    what: "Who holds every key takes nothing of users before the delay is over.",
    checkedBy: at(
      KEYS,
      "takes nothing, whatever he calls",
      "takes nothing by calls that he has scheduled, until their last second",
      "takes nothing of who left meanwhile",
    ),
  },
];

export const ODD_TOKENS: readonly Property[] = [
  {
    id: "J1",
    what: "A deposit counts what came, whatever kind of token it is, or is refused.",
    checkedBy: [
      ...at(TOKENS, "is refused on the way in, and nothing is credited"),
      ...at(TOKENS, "count exactly with ${decimals} decimals"),
      ...at(TOKENS, "that return nothing are paid in and out exactly"),
      ...at(TOKENS, "that return false are taken at their word, and nothing is booked"),
      ...at(TOKENS, "upwards change no equity, no share and no figure of the fund"),
    ],
  },
  {
    id: "J2",
    what: "Whom the token blocks is in nobody else's way.",
    checkedBy: [
      ...at(TOKENS, "is kept from his own money alone, and may send it elsewhere"),
      ...at("test/MarginVault.ts", "does not stop the others (${refusal})"),
    ],
  },
  {
    id: "J3",
    what: "From within a token's call every function of exchange, vault and fund is shut, and views agree.",
    checkedBy: at(
      REENTRY,
      "is met with a row for every function that changes something",
      "can do nothing with the exchange during ${phase}",
      "finds money, shares and what the vault counts as they will be afterwards",
    ),
    because:
      "While a stake is on its way to the fund the exchange is open, and the fund shows the price of before.",
  },
  {
    id: "J4",
    what: "Whoever is called by a token sees the books as they will be, or as they were and shut.",
    checkedBy: at(
      REENTRY,
      "finds money, shares and what the vault counts as they will be afterwards",
      "on the way from a staker to the fund sees the price and the shares of before",
      "on the way from a staker to the fund is met by a locked fund",
    ),
  },
  {
    id: "J5",
    what: "A permit that somebody else used first does no harm.",
    checkedBy: at(
      "test/Accounts.ts",
      "takes a permit, and does not mind that somebody else used it first",
    ),
  },
];

export const LIVENESS: readonly Property[] = [
  {
    id: "K1",
    what: "Calls are bounded in gas, whatever is in the book, the queue and the sources.",
    checkedBy: [
      ...at("test/attacks/griefing.test.ts", "costs a hundred fills a call, each bounded in gas"),
      ...at("test/attacks/griefing.test.ts", "costs a call at most eight levels"),
      ...at(
        "test/IndexOracle.ts",
        "five that burn their gas or flood memory cost a bounded amount",
      ),
    ],
    missing: "Every function with as much as there may be of everything.",
  },
  {
    id: "K2",
    what: "From any state a bounded series of calls that anyone may make resolves every account.",
    checkedBy: at(ENDINGS, "function inv16("),
  },
  {
    id: "K3",
    what: "After the end of all markets everybody leaves, and what stays is what nobody could pay.",
    checkedBy: [
      ...at(ENDINGS, "function k3("),
      ...at("test/Winding.ts", "lets everybody out with what is theirs, to the last"),
    ],
  },
  {
    id: "K4",
    what: "Whoever turns a crank twice has turned it once.",
    checkedBy: [
      ...at(TIME, "function k4("),
      ...at(
        "test/MarginVault.ts",
        "does no more than it is asked to, and nothing when nothing can go",
      ),
    ],
  },
  {
    id: "K5",
    what: "A crank that makes no progress costs users nothing.",
    checkedBy: [
      ...at("test/properties/forced.test.ts", "called again and again without progress (K5)"),
      ...at(
        "test/Liquidation.ts",
        "takes a penalty for what the book took, not for what it was offered",
      ),
    ],
  },
  {
    id: "K6",
    what: "A call that lets price or time go on closes those it hurts, or goes no further than a step.",
    checkedBy: [],
    because:
      "Prices go on without closing anybody; a jump waits, and what that may cost is bounded (A14).",
    missing:
      "There is no such rule to check: a move below the bound of a jump may be more than a step.",
  },
];

export const KEEPERS: readonly Property[] = [
  {
    id: "L1",
    what: "A keeper acts once on what it has decided.",
    checkedBy: [
      ...at(TICK, "never overlaps: a second call gets the first one's report"),
      ...at(SEND, "sends one at a time for one signer"),
    ],
    because: "The contracts look again at everything, so that a doubled call changes nothing.",
    missing: "A count of effects over restarts and several keepers.",
  },
  {
    id: "L2",
    what: "A keeper that is killed is followed by one that finds everything on the chain.",
    checkedBy: at(
      LIVE,
      "survives being killed at once: the next finds everything on the chain",
      "ends within five seconds of SIGTERM in the middle of a wave, and another finishes it",
    ),
    missing: "Kills at other places than after the first call was sent.",
  },
  {
    id: "L3",
    what: "After a reorganisation a keeper decides as if it had seen the new chain only.",
    checkedBy: at(
      "test/keeper/decide.test.ts",
      "gives the same decisions for the same state and does not touch it",
    ),
    because: "It keeps nothing of the chain from round to round.",
    missing: "A chain that is reorganised.",
  },
  {
    id: "L4",
    what: "One call at a time has a nonce, and is replaced under the same one by itself.",
    checkedBy: at(
      SEND,
      "replaces what is not mined in time, under the same nonce",
      "sends one at a time for one signer",
    ),
    missing: "How long a gap may stand after a call was given up.",
  },
  {
    id: "L5",
    what: "A keeper sends nothing that a trial run refuses, and nothing beyond its limits of gas and fees.",
    checkedBy: [
      ...at(TICK, "finds the account that spoils a batch, and lets it rest"),
      ...at(SEND, "anything but the seven calls within the limits"),
    ],
    missing: "There is no budget for an hour.",
  },
  {
    id: "L6",
    what: "Several keepers finish a wave side by side.",
    checkedBy: at(LIVE, "works beside another keeper"),
    missing: "The share of calls that are wasted, and the blocks that it takes.",
  },
  {
    id: "L7",
    what: "A provider that is behind is left, and two that disagree are both.",
    checkedBy: at(
      "test/keeper/rpc.test.ts",
      "none, as two disagree",
      "the second, as the first is far behind",
    ),
    missing: "The age of a head: a lone provider that stands still is believed.",
  },
  {
    id: "L8",
    what: "A keeper's key signs nothing but calls that anyone may make, and appears nowhere.",
    checkedBy: [
      ...at(SEND, "anything but the seven calls within the limits"),
      ...at("test/keeper/parts.test.ts", "keeps the key out of its result"),
    ],
    because: "Rewards go to the account that is named, by default the keeper's own.",
    missing: "That the key holds no role.",
  },
  {
    id: "L9",
    what: "A keeper decides by the chain's time.",
    checkedBy: at(
      "test/keeper/decide.test.ts",
      "gives the same decisions for the same state and does not touch it",
    ),
    missing: "A run with a clock that is an hour off.",
  },
  {
    id: "L10",
    what: "A keeper whose rounds fail says so within its patience.",
    checkedBy: at(
      "test/keeper/parts.test.ts",
      "is ready while rounds are done, and counts every line",
    ),
    missing: "A bell for each kind of fault.",
  },
];
