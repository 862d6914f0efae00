import type { Mutant } from "./mutant.js";

/* Mistakes in the vault's limit and queue. */

const VAULT = "test/MarginVault.ts";

export const VAULT_MUTANTS: readonly Mutant[] = [
  {
    id: "queue-overtaken",
    file: "MarginVault.sol",
    what: "who comes later is paid before those who wait",
    from: "split.fitting = waiting == 0 ? rest.min(flow.room / HOUR) : 0;",
    to: "split.fitting = rest.min(flow.room / HOUR);",
    test: VAULT,
  },
  {
    id: "principal-limited",
    file: "MarginVault.sol",
    what: "principal waits when nothing fits",
    from: "split.principal = amount.min(principalLeft);",
    to: "split.principal = amount.min(principalLeft).min(flow.room / HOUR);",
    test: VAULT,
  },
  {
    id: "deposit-makes-room",
    file: "MarginVault.sol",
    what: "the room refills for the time before a deposit as if it had been there",
    from: "FlowSlot memory flow = _refilled();\n        flow.reserve = (flow.reserve + amount).toUint104();",
    to: "_flow.reserve += uint104(amount);\n        FlowSlot memory flow = _refilled();",
    test: VAULT,
  },
  {
    id: "parked-whole",
    file: "MarginVault.sol",
    what: "a receiver that is refused can claim what has not passed the limit",
    from: "claimable[request.to] += amount;",
    to: "claimable[request.to] += amount + left;",
    test: VAULT,
  },
  {
    id: "blocked-blocks",
    file: "MarginVault.sol",
    what: "a receiver that is refused stops the queue",
    from: "if (IERC20(token).trySafeTransfer(request.to, amount)) {",
    to: "IERC20(token).safeTransfer(request.to, amount);\n        if (true) {",
    test: VAULT,
  },
];
