import hre from "hardhat";

/*
 * Loaded before the tests of a mutant: counts what they ask of the chain. The run ends with the first test that fails, so that the
 * last number is how much it took to find the mistake. What a fixture restores is not sent again and not counted again.
 */

const SENT = new Set(["eth_sendTransaction", "eth_sendRawTransaction"]);
const counts = { sent: 0, read: 0 };

hre.hooks.registerHandlers("network", {
  onRequest(...[context, connection, request, next]) {
    if (SENT.has(request.method)) counts.sent += 1;
    if (request.method === "eth_call") counts.read += 1;
    return next(context, connection, request);
  },
});

process.on("exit", () => {
  console.log(`counted ${counts.sent} sent, ${counts.read} read`);
});
