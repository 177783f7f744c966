import type { Clock } from './clock.ts';
import { Draft } from './draft.ts';
import { WattmeshError } from './errors.ts';
import type { Gateways } from './gateways.ts';
import { GroupCommit } from './group-commit.ts';
import { bringsEvent, type Harvest, type Input, takeIn, type Verdict } from './intake.ts';
import { type JoinContext, type Joined, join } from './joining.ts';
import type { Outbox } from './outbox.ts';
import type { Registry } from './registry.ts';
import { noteStarts } from './start-registers.ts';
import type { CommitGroup, CommitResult, Store } from './store/store.ts';
import type { Telling } from './telling.ts';

/** A change that somebody asks for; it goes down in the same groups as packets. */
interface Order {
  change(draft: Draft): void;
  /** It is durable, or why it is not. */
  settled(failure: unknown): void;
}

/** What became of an input in its group. `listed`: its device waits for the operator now. */
export type Fate =
  | { readonly verdict: Verdict }
  | { readonly joined: Joined }
  | { readonly listed: true }
  | { readonly refused: true };

export interface CommitterParts {
  readonly clock: Clock;
  readonly commitDelayMs: number;
  readonly store: Store;
  readonly registry: Registry;
  readonly gateways: Gateways;
  readonly outbox: Outbox;
  readonly telling: Telling;
  /** Surroundings of a handshake that came through this gateway. */
  joinContext(gatewayRef: string): JoinContext;
  /** A group is durable. */
  settle(inputs: readonly Input[], fates: readonly Fate[], result: CommitResult, lost: Harvest['lost']): void;
}

/** Takes packets and orders in groups into a draft, the draft into the store, and only then lets anybody know. */
export class Committer {
  readonly #parts: CommitterParts;
  readonly #group: GroupCommit<Input | Order>;
  /** Outbox cursor as the store has it. */
  #cursor = 0;
  #problem: string | undefined;

  constructor(parts: CommitterParts) {
    this.#parts = parts;
    this.#group = new GroupCommit(parts.clock, parts.commitDelayMs, (items) => this.#commit(items));
  }

  /** Why the last commit failed; undefined when it did not. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** True when a packet with so many rows fits the present group. */
  hasRoom(rows: number): boolean {
    return this.#group.hasRoom(rows);
  }

  add(input: Input, rows: number): void {
    this.#group.add(input, rows);
    // Somebody waits for what devices tell at once.
    if (bringsEvent(input.opened)) this.#group.within(0);
  }

  /** Takes a change into the next group; what `change` returned, once that is durable. Rejects with its error or the store's. */
  submit<Result>(change: (draft: Draft) => Result): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (!this.#group.hasRoom(0)) {
        reject(new WattmeshError('queueFull', 'the store does not keep up: try again later'));
        return;
      }
      let result: Result;
      const order: Order = {
        change: (draft) => {
          result = change(draft);
        },
        settled: (failure) => (failure === undefined ? resolve(result) : reject(failure)),
      };
      this.#group.add(order, 0);
    });
  }

  /** Commits a change by itself, before packets come in. */
  async now(change: (draft: Draft) => void): Promise<void> {
    const { registry, outbox } = this.#parts;
    const draft = new Draft(registry);
    change(draft);
    await this.#store({ ...draft.changes(), rows: [], outboxSent: outbox.sent });
    draft.adopt();
  }

  /** Sees to it that the outbox cursor goes down within `delayMs`. */
  saveCursorWithin(delayMs: number): void {
    if (this.#parts.outbox.sent !== this.#cursor) this.#group.within(delayMs);
  }

  /** Commits everything collected so far; resolves when no commit is running or due. */
  flush(): Promise<void> {
    return this.#group.flush();
  }

  async #commit(items: readonly (Input | Order)[]): Promise<void> {
    const { registry, outbox, gateways, telling, settle } = this.#parts;
    const inputs = items.filter((item): item is Input => 'opened' in item);
    const orders = new Map<Order, unknown>();
    try {
      const draft = new Draft(registry);
      const harvest: Harvest = { rows: [], lost: new Map() };
      const fates: Fate[] = [];
      for (const item of items) {
        if ('opened' in item) fates.push(this.#take(draft, item, harvest));
        else
          orders.set(
            item,
            failureOf(() => item.change(draft)),
          );
      }
      const { rows, lost } = harvest;
      noteStarts(draft, registry.admissions, rows);
      const result = await this.#store({ ...draft.changes(), rows, outboxSent: outbox.sent });
      draft.adopt();
      settle(inputs, fates, result, lost);
    } catch (error) {
      telling.problem(error);
      for (const [order, failure] of orders) orders.set(order, failure ?? error);
    }
    for (const { gateway, upNumber } of inputs) gateways.get(gateway)?.inFlight.delete(upNumber);
    for (const [order, failure] of orders) order.settled(failure);
    telling.stateChanged();
  }

  #take(draft: Draft, input: Input, harvest: Harvest): Fate {
    const { opened } = input;
    if (opened.kind === 'transport') return { verdict: takeIn(draft, opened, input, harvest) };
    const { telling, joinContext } = this.#parts;
    const fate = telling.attempt((): Fate => {
      const joined = join(draft, opened.handshake, opened.hash, joinContext(input.gatewayRef));
      return joined ? { joined } : { listed: true };
    });
    return fate ?? { refused: true };
  }

  /** Commits a group; one of nothing new costs no transaction. */
  async #store(group: CommitGroup): Promise<CommitResult> {
    const { outboxSent, ...changes } = group;
    const isEmpty = Object.values(changes).every((list) => list.length === 0);
    if (isEmpty && outboxSent === this.#cursor) return { outbox: [], duplicates: 0, conflicts: [] };
    try {
      const result = await this.#parts.store.commit(group);
      this.#cursor = outboxSent;
      this.#problem = undefined;
      return result;
    } catch (error) {
      this.#problem = error instanceof Error ? error.message : String(error);
      throw error;
    }
  }
}

/** What an action throws. */
function failureOf(action: () => void): unknown {
  try {
    action();
    return undefined;
  } catch (error) {
    return error;
  }
}
