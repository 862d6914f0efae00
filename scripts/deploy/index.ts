import { Command } from "commander";
import hre from "hardhat";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { checkDeployment } from "./check.js";
import { deployBallast } from "./deploy.js";
import { journalName, NothingToResumeError } from "./journal.js";
import { ParametersError, readParameters } from "./parameters.js";

/* `npm run deploy -- --network NAME`: deploys, checks its own work, writes the addresses. */

type Options = { network: string; parameters: string; out?: string; resume: boolean };

const DEFAULT_PARAMETERS = resolve(import.meta.dirname, "parameters/default.json");

async function main({ network, parameters: file, out, resume }: Options): Promise<void> {
  const parameters = readParameters(file);
  const connection = await hre.network.create(network);
  const { chainId } = await connection.ethers.provider.getNetwork();
  const [deployer] = await connection.ethers.getSigners();

  const ballast = await deployBallast(connection, parameters, {
    displayUi: true,
    deploymentId: journalName(join(hre.config.paths.ignition, "deployments"), chainId, resume),
  });
  const problems = await checkDeployment({
    ballast,
    parameters,
    deployer: deployer?.address ?? "",
  });

  const path = resolve(out ?? `out/deployments/${network}.json`);
  mkdirSync(dirname(path), { recursive: true });
  const record = {
    chainId: Number(chainId),
    addresses: ballast.addresses,
    markets: parameters.markets.map(({ name }) => name),
  };
  writeFileSync(path, `${JSON.stringify(record, undefined, 2)}\n`);
  for (const problem of problems) console.error(`wrong: ${problem}`);
  console.log(`${problems.length === 0 ? "Checked" : "NOT SOUND"}. Addresses are in ${path}`);
  await connection.close();
  if (problems.length > 0) process.exitCode = 1;
}

const command = new Command("deploy")
  .description("Deploys Ballast, lists the markets of a parameter file, and checks the result.")
  .requiredOption("--network <name>", "a network of hardhat.config.ts")
  .option("--parameters <file>", "what to deploy", DEFAULT_PARAMETERS)
  .option("--out <file>", "where the addresses go (default: out/deployments/<network>.json)")
  .option("--resume", "go on with a deployment to this chain that was cut off", false)
  .action(async (options: Options) => {
    try {
      await main(options);
    } catch (error) {
      const isExpected = error instanceof ParametersError || error instanceof NothingToResumeError;
      if (!isExpected) throw error;
      console.error(error.message);
      process.exitCode = 1;
    }
  });
await command.parseAsync();
