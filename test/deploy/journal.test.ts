import { expect } from "chai";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { journalName, NothingToResumeError } from "../../scripts/deploy/journal.js";

describe("journalName", () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "journals-"))));
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });
  const begin = (...names: string[]) => {
    for (const name of names) mkdirSync(join(folder, name));
  };

  it("begins a deployment of its own each time", () => {
    expect(journalName(folder, 31337n, false)).to.equal("ballast-31337-1");
    begin("ballast-31337-1");
    expect(journalName(folder, 31337n, false)).to.equal("ballast-31337-2");
    begin("ballast-31337-9", "ballast-31337-10");
    expect(journalName(folder, 31337n, false)).to.equal("ballast-31337-11");
  });

  it("goes on with the last of the chain, and with no other", () => {
    begin("ballast-31337-1", "ballast-31337-2", "ballast-1-7", "ballast-31337-x", "chain-31337");
    expect(journalName(folder, 31337n, true)).to.equal("ballast-31337-2");
    expect(journalName(folder, 1n, true)).to.equal("ballast-1-7");
    expect(() => journalName(folder, 10n, true))
      .to.throw(NothingToResumeError)
      .with.property("chainId", 10n);
  });

  it("needs no folder", () => {
    expect(journalName(join(folder, "none"), 1n, false)).to.equal("ballast-1-1");
  });
});
