import { sideOfFlags } from "../../scripts/lib/keys.js";
import { settledPosition } from "../../scripts/lib/cohorts.js";
import { freshOf as freshIn } from "../../scripts/lib/fresh.js";
import type { MarketState, State } from "../../scripts/lib/state.js";
import { accountOf, freshOf, marketOf } from "../model/cohorts.js";
import { openInterest, residue } from "../reference/exchange.js";
import { heldBy } from "../reference/positions.js";
import type { Exchange } from "../reference/types.js";

/* The model and storage, figure by figure. Nothing is compared with a tolerance here. */

export type Figures = Readonly<Record<string, string>>;

/** @returns One line for every figure in which they differ, and how many were compared. */
export function differences(x: Exchange, state: State): { lines: string[]; count: number } {
  const [model, real] = [ofModel(x), ofChain(x, state)];
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
  };
  for (const id of x.owners.keys()) {
    const account = accountOf(x.core, id);
    figures[`balance ${id}`] = account.balance.toString();
    figures[`fresh ${id}`] = freshOf(account).toString();
    figures[`clock ${id}`] = String(x.clocks.get(id)?.since ?? 0n);
    for (const market of x.venues.keys()) {
      const held = heldBy(x, id, market);
      if (held === undefined) continue;
      const { side, lots, cost, entry, leverageClass } = held;
      figures[`position ${id}/${market}`] = [side * lots, cost, entry, leverageClass].join(" ");
    }
  }
  for (const [id, { book, fees, bonds }] of x.venues) {
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
    }
  }
  return figures;
}

function ofChain(x: Exchange, state: State): Figures {
  const balanceOf = (id: number) => state.money.get(id)?.balance ?? 0n;
  const figures: Record<string, string> = {
    fund: String(balanceOf(1)),
    treasury: String(balanceOf(2)),
    residue: "0",
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
    figures[`clock ${id}`] = String(state.accounts.get(id)?.clock ?? 0n);
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
  }
}
