import { MemoryStore } from '../../../nodes/headend/store/memory.ts';
import type { CommitGroup, CommitResult } from '../../../nodes/headend/store/store.ts';

type Entry = { readonly epochUtcS: number } | { readonly group: CommitGroup };

/** A memory store that remembers how it came to its content, so that a copy can be made as of any moment: a backup. */
export class JournaledStore extends MemoryStore {
  readonly #journal: Entry[] = [];
  /** Called when a group is durable, before the head-end hears of it. */
  committed: (group: CommitGroup) => void = () => undefined;

  /** Operations so far: what `backup` takes for a moment. */
  get moment(): number {
    return this.#journal.length;
  }

  override async takeEpoch(utcS: number): Promise<number> {
    const epoch = await super.takeEpoch(utcS);
    this.#journal.push({ epochUtcS: utcS });
    return epoch;
  }

  override async commit(group: CommitGroup): Promise<CommitResult> {
    const result = await super.commit(group);
    this.#journal.push({ group });
    this.committed(group);
    return result;
  }

  /** Another store with what this one held at a moment; closed. */
  async backup(moment: number): Promise<JournaledStore> {
    const copy = new JournaledStore();
    await copy.open();
    for (const entry of this.#journal.slice(0, moment)) {
      if ('group' in entry) await copy.commit(entry.group);
      else await copy.takeEpoch(entry.epochUtcS);
    }
    await copy.close();
    return copy;
  }
}
