import { cohortName, LEVERAGES, sideOfFlags, TOP_CLASS } from "../../scripts/lib/keys.js";
import { settledPosition } from "../../scripts/lib/cohorts.js";
import { freshOf as freshIn } from "../../scripts/lib/fresh.js";
import type { MarketState, State } from "../../scripts/lib/state.js";
import { accountOf, cohortLots, freshOf, marketOf } from "../model/cohorts.js";
import type { AccountId, MarketId } from "../model/types.js";
import { openInterest } from "../reference/caps.js";
import { residue } from "../reference/exchange.js";
import { assetsOf, FUND_OWNER, sharesOf, streamingOf, supplyOf } from "../reference/fund.js";
import { outflowOf, principalOf } from "../reference/vault.js";
import { heldBy } from "../reference/positions.js";
import type { Exchange, Venue } from "../reference/types.js";
import { MICRO } from "../reference/types.js";

/*
 * The model and storage, figure by figure. Nothing is compared with a tolerance here. What follows from other figures and is kept for
 * speed, as bitmaps and totals are, is worked out of the model once more.
 */

export type Figures = Readonly<Record<string, string>>;

/** @returns One line for every figure in which they differ, and how many were compared. */
export function differences(
  x: Exchange,
  state: State,
  tokens: Figures,
): { lines: string[]; count: number } {
  const model: Figures = { ...ofModel(x), ...tokensIn(x) };
  const real: Figures = { ...ofChain(x, state), ...tokens };
  const keys = new Set([...Object.keys(model), ...Object.keys(real)]);
  const lines = [...keys]
    .filter((key) => model[key] !== real[key])
    .map((key) => `${key}: model ${model[key] ?? "-"}, chain ${real[key] ?? "-"}`);
  return { lines, count: keys.size };
}

export function ofModel(x: Exchange): Figures {
  const figures: Record<string, string> = {
    fund: x.core.fund.toString(),
    treasury: x.core.treasury.toString(),
    residue: residue(x).toString(),
    drawn: `${x.drawn.amount} ${x.drawn.size} ${x.drawn.since}`,
    distress: `${sumOf([...x.clocks.values()].map(({ distress }) => distress))} ${x.distressSince}`,
  };
  for (const id of x.owners.keys()) {
    const account = accountOf(x.core, id);
    figures[`balance ${id}`] = account.balance.toString();
    figures[`fresh ${id}`] = freshOf(account).toString();
    const { since, distress } = x.clocks.get(id) ?? { since: 0n, distress: 0n };
    figures[`clock ${id}`] = `${since} ${distress}`;
    for (const market of x.venues.keys()) {
      const held = heldBy(x, id, market);
      if (held === undefined) continue;
      const { side, lots, cost, entry, leverageClass } = held;
      figures[`position ${id}/${market}`] = [side * lots, cost, entry, leverageClass].join(" ");
    }
  }
  for (const [id, venue] of x.venues) {
    const { book, fees, bonds, bucket } = venue;
    Object.assign(figures, pricesIn(x, venue), queueIn(x, id));
    const { config, growth } = venue;
    figures[`cap ${id}`] = `${config.openInterestCap} ${growth.full} ${growth.since}`;
    figures[`bucket ${id}`] = `${bucket.wave} ${bucket.day} ${bucket.since} ${bucket.drawdown}`;
    figures[`fund target ${id}`] = String(venue.fundTarget / MICRO);
    figures[`status ${id}`] = String(statusIn(venue));
    const { from, until, seen, sum } = venue.wind ?? { from: 0n, until: 0n, seen: 0n, sum: 0n };
    figures[`wind ${id}`] = `${from} ${until} ${seen} ${sum}`;
    figures[`best ${id}`] = `${book.best(0n)} ${book.best(1n)}`;
    figures[`open interest ${id}`] = String(openInterest(x, id));
    figures[`fees ${id}`] = String(fees);
    figures[`bonds ${id}`] = String(bonds);
    figures[`shortfall ${id}`] = marketOf(x.core, id).shortfall.toString();
    const levels = new Map<string, string[]>();
    for (const order of book.orders) {
      if (!order.isLinked) continue;
      const level = levels.get(`${order.side}/${order.tick}`) ?? [];
      level.push(`${order.id}:${order.lots}:${order.expiry}:${Number(order.isReduceOnly)}`);
      levels.set(`${order.side}/${order.tick}`, level);
    }
    for (const [level, orders] of levels) figures[`level ${id}/${level}`] = orders.join(" ");
    for (const account of x.owners.keys()) {
      const [bids, asks] = [0n, 1n].map((side) => book.reserved(BigInt(account), side));
      figures[`reserved ${id}/${account}`] = `${bids} ${asks} ${book.of(BigInt(account)).length}`;
      figures[`leverage ${id}/${account}`] = leverageIn(x, account, id);
    }
    for (const { side, tick } of book.levels()) figures[`tick ${id}/${side}/${tick}`] = "set";
  }
  return figures;
}

function statusIn({ reduceOnly, isDrawnDown, wind, isEnded }: Venue): number {
  const ending = isEnded ? 32 : 8;
  return 1 + (reduceOnly ? 2 : 0) + (isDrawnDown ? 16 : 0) + (wind === undefined ? 0 : ending);
}

const sumOf = (values: readonly bigint[]) => values.reduce((sum, value) => sum + value, 0n);

/** As vault and fund say it of themselves. */
function tokensIn(x: Exchange): Figures {
  const { waiting, room, rate, releasable, first, next } = outflowOf(x);
  const principals = [...new Set(x.owners.values()), FUND_OWNER].map(
    (owner) => [`principal ${owner}`, String(principalOf(x.vault, owner))] as const,
  );
  const shares = x.stakers.map((it) => [`shares ${it}`, String(sharesOf(x, it))] as const);
  return {
    outflow: [waiting, 0n, room, rate, releasable, first, next].join(" "),
    tracked: String(x.vault.reserve - waiting),
    assets: String(assetsOf(x)),
    supply: String(supplyOf(x)),
    streaming: String(streamingOf(x)),
    ...Object.fromEntries([...principals, ...shares]),
  };
}

function pricesIn(x: Exchange, { id, prices }: Venue): Figures {
  const { mark, funding } = marketOf(x.core, id);
  return {
    [`price ${id}`]: `${mark} ${prices.index} ${funding}`,
    [`grade ${id}`]: `${prices.grade} ${prices.publishTime} ${prices.freshSince} ${prices.refreshed}`,
    [`waiting ${id}`]: `${prices.waiting} ${prices.waitingSince}`,
    [`sample ${id}`]: `${prices.premium} ${prices.bid} ${prices.ask} ${prices.sampled}`,
    [`trade ${id}`]: `${prices.lastTick} ${prices.lastTradeTime}`,
    [`storm ${id}`]: `${prices.variance} ${prices.varianceIndex} ${prices.varianceSampled} ${prices.volatilityRate}`,
  };
}

/** Chosen class, the class that waits and since when. */
function leverageIn(x: Exchange, id: AccountId, market: MarketId): string {
  const { leverage, pending } = accountOf(x.core, id);
  const waiting = pending.get(market);
  const since = waiting === undefined ? 0n : waiting.at - waiting.delay;
  return `${leverage.get(market) ?? -1} ${waiting?.leverageClass ?? -1} ${since}`;
}

/** Cohorts with their lots and members, price classes, and the lots of the top leverages. */
function queueIn(x: Exchange, id: MarketId): Figures {
  const market = marketOf(x.core, id);
  const figures: Record<string, string> = {};
  const classes = new Map<string, [bigint, number]>();
  const top = [0n, 0n];
  for (const cohort of market.cohorts.values()) {
    const { side, leverageClass, priceClass, members } = cohort;
    const [lots, index] = [cohortLots(x.core, market, cohort).num, side === 1n ? 0 : 1];
    figures[`cohort ${id}/${index}/${leverageClass}/${priceClass}`] = `${lots} ${members.size}`;
    if (lots > 0n) figures[`queued ${id}/${index}/${leverageClass}/${priceClass}`] = "set";
    const key = `class ${id}/${index}/${priceClass}`;
    const [others, count] = classes.get(key) ?? [0n, 0];
    classes.set(key, [others + lots, count + members.size]);
    if (leverageClass >= TOP_CLASS) top[index] = (top[index] ?? 0n) + lots;
  }
  for (const [key, words] of classes) figures[key] = words.join(" ");
  figures[`top ${id}`] = top.join(" ");
  figures[`dust ${id}`] = [market.dust.long.lots, market.dust.short.lots].join(" ");
  return figures;
}

function ofChain(x: Exchange, state: State): Figures {
  const balanceOf = (id: number) => state.money.get(id)?.balance ?? 0n;
  const figures: Record<string, string> = {
    fund: String(balanceOf(1)),
    treasury: String(balanceOf(2)),
    residue: "0",
    drawn: `${state.drawn.drawn} ${state.drawn.size} ${state.drawn.since}`,
    distress: `${state.distress.maintenance} ${state.distress.since}`,
  };
  for (const id of x.owners.keys()) {
    let [balance, fresh] = [balanceOf(id), 0n];
    for (const [marketId, market] of state.markets) {
      const amounts = freshIn(market, id, x.core.now);
      fresh += amounts.fresh;
      balance += amounts.matured;
      const stored = market.positions.get(id);
      if (stored === undefined) continue;
      const { side, lots, cost, cash } = settledPosition(market, stored);
      balance += cash;
      if (lots === 0n) continue;
      const signed = side === 0 ? lots : -lots;
      const words = [signed, cost, stored.entry, stored.kind >> 1n];
      figures[`position ${id}/${marketId}`] = words.join(" ");
    }
    figures[`balance ${id}`] = String(balance);
    figures[`fresh ${id}`] = String(fresh);
    const clock = state.accounts.get(id)?.clock ?? 0n;
    figures[`clock ${id}`] = `${clock} ${state.money.get(id)?.distress ?? 0n}`;
  }
  for (const [id, market] of state.markets) marketFigures(figures, x, id, market);
  return figures;
}

function marketFigures(
  figures: Record<string, string>,
  x: Exchange,
  id: number,
  market: MarketState,
): void {
  figures[`open interest ${id}`] = String(market.flow.openInterest);
  figures[`fees ${id}`] = String(market.flow.fees);
  figures[`bonds ${id}`] = String(market.flow.bonds);
  figures[`shortfall ${id}`] = String(market.pool.shortfall);
  Object.assign(figures, pricesOf(id, market), queueOf(id, market));
  const { bucket, book, volatility, config, caps, wind } = market;
  figures[`wind ${id}`] = `${wind.from} ${wind.until} ${wind.last} ${wind.sum}`;
  figures[`cap ${id}`] = `${config.openInterestCap} ${caps.full} ${caps.since}`;
  figures[`bucket ${id}`] = `${bucket.wave} ${bucket.day} ${bucket.since} ${bucket.drawdown}`;
  figures[`fund target ${id}`] = String(volatility.fundTarget);
  figures[`status ${id}`] = String(book.status);
  figures[`best ${id}`] = `${book.bestBid} ${book.bestAsk}`;
  for (const [key, word] of market.ticks) {
    const [side, place] = [key >> 18, key & 0x3ffff];
    if (place >= 2 ** 16) continue;
    for (const bit of bitsOf(word)) figures[`tick ${id}/${side}/${place * 256 + bit}`] = "set";
  }
  for (const [key, level] of market.levels) {
    if (level.lots === 0n) continue;
    const [side, tick] = [key >> 24, key & 0xffffff];
    const orders: string[] = [];
    let total = 0n;
    for (let at = level.head; at !== 0n;) {
      const order = market.orders.get(Number(at));
      if (order === undefined) throw new Error(`order ${at} is in its level`);
      const flags = `${order.expiry}:${Number((order.flags & 2n) !== 0n)}`;
      if (sideOfFlags(order.flags) !== side) throw new Error(`order ${at} is on its side`);
      orders.push(`${at}:${order.lots}:${flags}`);
      total += order.lots;
      at = order.next;
    }
    if (total !== level.lots) orders.push(`sum ${total} of ${level.lots}`);
    figures[`level ${id}/${side}/${tick}`] = orders.join(" ");
  }
  for (const account of x.owners.keys()) {
    const { used = 0n, bidLots = 0n, askLots = 0n } = market.resting.get(account) ?? {};
    const count = used.toString(2).replaceAll("0", "").length;
    figures[`reserved ${id}/${account}`] = `${bidLots} ${askLots} ${count}`;
    figures[`leverage ${id}/${account}`] = leverageOf(market, account);
  }
}

function bitsOf(word: bigint): number[] {
  const digits = [...word.toString(2)].reverse();
  return digits.flatMap((digit, bit) => (digit === "1" ? [bit] : []));
}

function pricesOf(id: number, { price, book, sample, volatility }: MarketState): Figures {
  const grade = ["dead", "aged", "fresh"][Number(book.grade)];
  return {
    [`price ${id}`]: `${price.mark} ${price.index} ${price.funding}`,
    [`grade ${id}`]: `${grade} ${sample.publishTime} ${book.freshSince} ${book.refreshed}`,
    [`waiting ${id}`]: `${sample.pendingIndex} ${book.pendingSince}`,
    [`sample ${id}`]: `${sample.premium} ${sample.bid} ${sample.ask} ${sample.sampled}`,
    [`trade ${id}`]: `${book.lastTick} ${book.lastTradeTime}`,
    [`storm ${id}`]: `${volatility.variance} ${volatility.index} ${volatility.sampled} ${book.volatilityRate}`,
  };
}

function leverageOf({ resting }: MarketState, account: number): string {
  const { leverage = 0n, pendingSince = 0n } = resting.get(account) ?? {};
  const [chosen, pending] = [(leverage & 15n) - 1n, (leverage >> 4n) - 1n];
  return `${chosen} ${pending} ${pending < 0n ? 0n : pendingSince}`;
}

function queueOf(id: number, market: MarketState): Figures {
  const figures: Record<string, string> = {};
  for (const [key, { lots, members }] of market.cohorts) {
    if (lots + members === 0n) continue;
    const { side, leverage, priceClass } = cohortName(key);
    figures[`cohort ${id}/${side}/${leverage}/${priceClass}`] = `${lots} ${members}`;
  }
  for (const [key, word] of market.occupied) {
    const [side, leverage, place] = [key >> 8, (key >> 4) & 15, key & 15];
    if (leverage === LEVERAGES.length) continue;
    for (const bit of bitsOf(word)) {
      figures[`queued ${id}/${side}/${leverage}/${place * 256 + bit}`] = "set";
    }
  }
  for (const [key, { lots, members }] of market.classes) {
    if (lots + members === 0n) continue;
    figures[`class ${id}/${key >> 12}/${key & 0xfff}`] = `${lots} ${members}`;
  }
  figures[`top ${id}`] = `${market.caps.topLong} ${market.caps.topShort}`;
  figures[`dust ${id}`] = `${market.dust.longLots} ${market.dust.shortLots}`;
  return figures;
}
