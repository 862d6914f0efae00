import { createRequire } from "node:module";
import hardhatToolboxMochaEthers from "@nomicfoundation/hardhat-toolbox-mocha-ethers";
import { defineConfig } from "hardhat/config";
import type { HardhatPlugin } from "hardhat/types/plugins";

/** The compiler is the npm package's own build, so nothing is downloaded. The path must be absolute. */
const compiler = {
  version: "0.8.37",
  path: createRequire(import.meta.url).resolve("solc/soljson.js"),
  settings: {
    evmVersion: "cancun",
    optimizer: { enabled: true, runs: 200 },
    viaIR: true,
    // The hash in it depends on which other files are compiled in the same run, so that equal sources would differ.
    metadata: { bytecodeHash: "none" },
  },
};

/** Both profiles are the same on purpose: tests and deployments must run the same bytecode. */
const profile = { compilers: [compiler], isolated: false };

const tidyBuild: HardhatPlugin = {
  id: "tidy-build",
  hookHandlers: {
    solidity: async () => ({
      default: async () => ({
        /** Shows warnings about our own code only; nobody here can act on the others. */
        async getCompilationJobErrors(context, job, output, next) {
          const messages = await next(context, job, output);
          return messages.filter(
            ({ severity, formattedMessage = "" }) =>
              severity === "error" || !formattedMessage.includes("--> ./node_modules/"),
          );
        },

        /**
         * Hardhat lists the artifacts in the order the disk answers, and typechain writes its indexes in
         * that order. Sorted in place, because the next plugin receives the same array; this is what
         * the cast is for. Without it, equal contracts would generate different files.
         */
        async processArtifactsAfterSuccessfulBuild(_context, artifactPaths) {
          (artifactPaths as string[]).sort();
        },
      }),
    }),
  },
};

export default defineConfig({
  // The order matters: artifacts are sorted before typechain reads them.
  plugins: [tidyBuild, hardhatToolboxMochaEthers],
  solidity: { profiles: { default: profile, production: profile } },
  typechain: { outDir: "typechain-types" },
  networks: {
    // In process; keeps the production limits on contract size and gas. What a transaction may use is not estimated.
    default: { type: "edr-simulated", chainType: "l1", gas: 16_777_216n },
    localhost: { type: "http", chainType: "l1", url: "http://127.0.0.1:8545" },
  },
  test: {
    mocha: { timeout: 120_000, forbidOnly: process.env.CI !== undefined },
    solidity: {
      fuzz: { runs: 256, seed: "0xba11a57" },
      invariant: { runs: 64, depth: 64, failOnRevert: true },
      // Where a run of the invariants leaves its counts; see scripts/verify/invariants.ts.
      fsPermissions: { writeFile: ["cache/invariants.json"] },
    },
  },
});
