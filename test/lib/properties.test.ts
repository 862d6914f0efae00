import { expect } from "chai";
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import {
  PROPERTIES,
  propertiesChecked,
  propertiesPage,
  SECTIONS,
  standingOf,
} from "../../scripts/verify/properties.js";

const ROOT = resolve(import.meta.dirname, "../..");
/** Raise it when more are checked: none may be lost. */
const LEAST_CHECKED = 134;

describe("the register of properties", () => {
  for (const { prefix, count, title, properties } of SECTIONS) {
    it(`has all of ${title}, in order`, () => {
      const wanted = Array.from({ length: count }, (_, i) => `${prefix}${i + 1}`);
      expect(properties.map(({ id }) => id)).to.deep.equal(wanted);
    });
  }

  it("names files that exist, and words that stand in them", () => {
    const wrong = PROPERTIES.flatMap(({ id, checkedBy }) =>
      checkedBy
        .filter(({ file, says }) => !holds(file, says))
        .map(({ file, says }) => `${id}: ${file} does not say "${says}"`),
    );
    expect(wrong).to.deep.equal([]);
  });

  it("says of each what holds, and where, or what is missing", () => {
    for (const property of PROPERTIES) {
      const { id, what, because = ".", missing = "." } = property;
      for (const text of [what, because, missing]) expect(text, id).to.match(/\.$/);
      if (standingOf(property) === "missing") expect(property.missing, id).to.be.a("string");
    }
  });

  it("counts as checked only what is checked whole", () => {
    const whole = PROPERTIES.filter(
      ({ checkedBy, missing }) => checkedBy.length > 0 && missing === undefined,
    );
    expect(propertiesChecked()).to.equal(whole.length).and.to.be.at.least(LEAST_CHECKED);
  });

  it("is what the page shows", () => {
    const page = readFileSync(resolve(ROOT, "docs/properties.md"), "utf8");
    expect(page, "npm run verify:page writes it").to.equal(propertiesPage());
  });
});

function holds(file: string, says: string): boolean {
  const path = resolve(ROOT, file);
  return existsSync(path) && readFileSync(path, "utf8").includes(says);
}
