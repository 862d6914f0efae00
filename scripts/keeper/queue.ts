import PQueue from "p-queue";

export type SerialQueue = <T>(task: () => Promise<T>) => Promise<T>;

const queues = new Map<string, SerialQueue>();

/** One queue per signer: a nonce is used by one transaction at a time, whoever in this process sends. */
export function serialQueue(signer: string): SerialQueue {
  const known = queues.get(signer);
  if (known !== undefined) return known;
  const queue = new PQueue({ concurrency: 1 });
  const add: SerialQueue = (task) => queue.add(task);
  queues.set(signer, add);
  return add;
}
