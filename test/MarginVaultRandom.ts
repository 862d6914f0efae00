import { expect } from "chai";
import { network } from "hardhat";
import { createRandom } from "../scripts/lib/random.js";
import type { Random } from "../scripts/lib/random.js";
import { BlockingToken__factory } from "../typechain-types/factories/test/BlockingToken__factory.js";
import { HOUR, UNIT, actorsOf, vaultFor } from "./MarginVaultFixture.js";

/*
 * The vault against a model of a queue that is an array: the same random calls, and after each of them the same sums, the
 * same balances and the same rest of every request. The model counts the room in token units × seconds.
 */

const connection = await network.create();
const { networkHelpers } = connection;
const { time } = networkHelpers;

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];
const STEPS = 150;
const LIMIT = { share: 100_000, floor: 500 };

type Request = { readonly id: bigint; readonly to: string; left: bigint };
/** What left beyond net deposits at a time, and the rate until then. */
type Outflow = { readonly at: bigint; readonly rate: bigint; amount: bigint };

function createModel(start: bigint) {
  const floor = BigInt(LIMIT.floor) * UNIT;
  const net = new Map<string, bigint>();
  const parked = new Map<string, bigint>();
  const sent = new Map<string, bigint>();
  const blocked = new Set<string>();
  const queue: Request[] = [];
  const log: Outflow[] = [];
  let [inside, room, since, next] = [0n, floor * HOUR, start, 0n];

  const add = (sums: Map<string, bigint>, key: string, amount: bigint) =>
    sums.set(key, (sums.get(key) ?? 0n) + amount);
  const waiting = () => queue.reduce((sum, { left }) => sum + left, 0n);
  const parkedSum = () => [...parked.values()].reduce((a, b) => a + b, 0n);
  const tracked = () => inside - waiting() - parkedSum();
  const rate = () => max(floor, (max(tracked(), 0n) * BigInt(LIMIT.share)) / 1_000_000n);
  const pass = (now: bigint) => {
    log.push({ at: now, rate: rate(), amount: 0n });
    room = min(room + rate() * min(now - since, HOUR), rate() * HOUR);
    since = now;
  };
  const take = (amount: bigint) => {
    room -= amount * HOUR;
    const last = log.at(-1);
    if (last !== undefined) last.amount += amount;
  };

  return {
    queue,
    blocked,
    log,
    pull(now: bigint, owner: string, amount: bigint) {
      pass(now);
      inside += amount;
      add(net, owner, amount);
      add(sent, owner, -amount);
    },
    pay(now: bigint, owner: string, to: string, amount: bigint) {
      pass(now);
      const principal = min(amount, net.get(owner) ?? 0n);
      const rest = amount - principal;
      const fitting = queue.length === 0 ? min(rest, room / HOUR) : 0n;
      take(fitting);
      add(net, owner, -principal);
      inside -= principal + fitting;
      add(sent, to, principal + fitting);
      if (rest > fitting) queue.push({ id: next++, to, left: rest - fitting });
    },
    release(now: bigint, items: number) {
      pass(now);
      for (let i = 0; i < items; i++) {
        const [head] = queue;
        const reserve = inside - parkedSum();
        const amount = head === undefined ? 0n : min(min(head.left, room / HOUR), reserve);
        if (head === undefined || amount === 0n) return;
        take(amount);
        head.left -= amount;
        if (head.left === 0n) queue.shift();
        if (blocked.has(head.to)) add(parked, head.to, amount);
        else {
          add(sent, head.to, amount);
          inside -= amount;
        }
      }
    },
    claim(now: bigint, to: string) {
      pass(now);
      const amount = parked.get(to) ?? 0n;
      parked.delete(to);
      add(sent, to, amount);
      inside -= amount;
    },
    netOf: (owner: string) => net.get(owner) ?? 0n,
    parkedOf: (to: string) => parked.get(to) ?? 0n,
    sentTo: (to: string) => sent.get(to) ?? 0n,
    sums: () => ({
      inside,
      tracked: tracked(),
      queued: waiting() + parkedSum(),
      reserve: inside - parkedSum(),
    }),
  };
}

const min = (a: bigint, b: bigint) => (a < b ? a : b);
const max = (a: bigint, b: bigint) => (a > b ? a : b);

async function start() {
  const actors = await actorsOf(connection);
  const token = await new BlockingToken__factory(actors.exchange).deploy(6);
  return vaultFor(actors, token, LIMIT);
}

async function play(random: Random, steps: number) {
  const lab = await networkHelpers.loadFixture(start);
  const { vault, token, alice, bob, carol, mallory } = lab;
  const actors = [alice, bob, carol, mallory];
  const deployment = vault.deploymentTransaction();
  const born = await deployment?.getBlock();
  const model = createModel(BigInt(born?.timestamp ?? 0));
  const initial = await Promise.all(actors.map((actor) => token.balanceOf(actor)));
  const anyone = () => {
    const actor = actors[Number(random.between(0n, 3n))];
    if (actor === undefined) throw new Error("there are four");
    return actor;
  };
  const reached = { queued: 0, partly: 0, parked: 0, behind: 0, beyond: 0, claimed: 0 };
  let now = BigInt(await time.latest());

  const moves: readonly [weight: number, move: () => Promise<unknown>][] = [
    [
      4,
      async () => {
        const [owner, amount] = [anyone(), random.between(1n, 30_000n * UNIT)];
        model.pull(now, owner.address, amount);
        await vault.pull(owner, owner, amount);
      },
    ],
    [
      6,
      async () => {
        const [owner, to] = [anyone(), anyone()];
        // Who is blocked cannot be paid at once: such a call reverts as a whole.
        if (model.blocked.has(to.address)) return vault.release(0);
        const { tracked, queued, reserve } = model.sums();
        const principal = min(model.netOf(owner.address), reserve);
        // Principal may be more than what is tracked: then the ledger had promised it to somebody else too.
        const isPrincipal = tracked <= 0n || random.uniform() < 0.2;
        const amount = isPrincipal ? principal : random.between(1n, min(tracked, 20_000n * UNIT));
        if (amount > tracked) reached.beyond += 1;
        if (model.queue.length > 0) reached.behind += 1;
        model.pay(now, owner.address, to.address, amount);
        if (model.sums().queued > queued) reached.queued += 1;
        return vault.pay(owner, to, amount);
      },
    ],
    [
      5,
      async () => {
        const items = Number(random.between(1n, 4n));
        const before = model.queue[0]?.left;
        const { reserve, inside } = model.sums();
        model.release(now, items);
        const after = model.sums();
        if (after.inside - after.reserve > inside - reserve) reached.parked += 1;
        if (before !== undefined && model.queue[0] !== undefined && model.queue[0].left < before)
          reached.partly += 1;
        await vault.connect(anyone()).release(items);
      },
    ],
    [
      3,
      async () => {
        const to = anyone();
        const isBlocked = random.uniform() < 0.4;
        if (isBlocked) model.blocked.add(to.address);
        else model.blocked.delete(to.address);
        await token.setRefusal(to, isBlocked ? random.between(1n, 2n) : 0n);
      },
    ],
    [
      4,
      async () => {
        const to = anyone();
        if (model.parkedOf(to.address) === 0n || model.blocked.has(to.address)) return;
        reached.claimed += 1;
        model.claim(now, to.address);
        await vault.claim(to);
      },
    ],
  ];

  for (let i = 0; i < steps; i++) {
    now += random.uniform() < 0.2 ? random.between(0n, 3n * HOUR) + 2n : random.between(2n, 300n);
    await time.setNextBlockTimestamp(now);
    const [, move] = moves[random.pick(moves.map(([weight]) => weight))] ?? [];
    await move?.();
    now = BigInt(await time.latest());
    await compare();
  }
  expectBounded(model.log);
  return reached;

  async function compare() {
    const { inside, tracked, queued } = model.sums();
    expect(await vault.tracked()).to.equal(tracked);
    expect(await vault.queued()).to.equal(queued);
    expect(await token.balanceOf(vault)).to.equal(inside);
    for (const [i, actor] of actors.entries()) {
      expect(await vault.netDeposits(actor)).to.equal(model.netOf(actor.address));
      expect(await vault.claimable(actor)).to.equal(model.parkedOf(actor.address));
      const moved = (await token.balanceOf(actor)) - (initial[i] ?? 0n);
      expect(moved).to.equal(model.sentTo(actor.address));
    }
    let ahead = 0n;
    const { first, next } = await vault.outflow();
    expect(next - first).to.equal(BigInt(model.queue.length));
    for (const { id, to, left } of model.queue) {
      const request = await vault.requestOf(id);
      expect(request.slice(0, 3)).to.deep.equal([to, left, ahead]);
      ahead += left;
    }
  }
}

/** Within any hour no more than a full room, and what refilled it since. */
function expectBounded(log: readonly Outflow[]) {
  for (const [i, first] of log.entries()) {
    let [left, most, at] = [0n, first.rate * HOUR, first.at];
    for (const next of log.slice(i)) {
      if (next.at - first.at > HOUR) break;
      most += next.rate * (next.at - at);
      at = next.at;
      left += next.amount * HOUR;
      expect(left <= most, `${left} in the hour from ${first.at}, at most ${most}`).to.equal(true);
    }
  }
}

describe("MarginVault against a model", () => {
  const seen = { queued: 0, partly: 0, parked: 0, behind: 0, beyond: 0, claimed: 0 };

  for (const seed of SEEDS) {
    it(`agrees after each of ${STEPS} random calls (seed ${seed})`, async () => {
      const reached = await play(createRandom(seed), STEPS);
      // Both are made of the same fields.
      for (const name of Object.keys(seen) as (keyof typeof seen)[]) seen[name] += reached[name];
    });
  }

  it("has seen what it is about", () => {
    expect(seen.queued, "requests that waited").to.be.greaterThan(40);
    expect(seen.behind, "requests while others waited").to.be.greaterThan(40);
    expect(seen.partly, "requests paid in part").to.be.greaterThan(40);
    expect(seen.parked, "parts that were parked").to.be.greaterThan(10);
    expect(seen.claimed, "sums that were claimed").to.be.greaterThan(5);
    expect(seen.beyond, "principal beyond what was tracked").to.be.greaterThan(3);
  });
});
