import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Bench, ecc, secured } from './support/bench.ts';
import { FakeLink } from './support/fake-link.ts';
import { rowOf, ScriptedNode } from './support/scripted-node.ts';

/** One thing that happens to a meter, its packets or the head-end. */
type Step =
  | { readonly does: 'measure'; readonly rows: number }
  | { readonly does: 'send'; readonly back: number; readonly rows: number }
  | { readonly does: 'deliver'; readonly pick: number; readonly keep: boolean; readonly gateway: string }
  | { readonly does: 'lose'; readonly pick: number }
  | { readonly does: 'commitFails' }
  | { readonly does: 'crash' }
  | { readonly does: 'rejoin' }
  /** The meter sends many packets that nobody hears: what is under way falls below the replay window. */
  | { readonly does: 'silence' };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ does: fc.constant('measure' as const), rows: fc.integer({ min: 1, max: 5 }) }) },
  {
    weight: 5,
    arbitrary: fc.record({ does: fc.constant('send' as const), back: fc.nat(8), rows: fc.integer({ min: 1, max: 6 }) }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      does: fc.constant('deliver' as const),
      pick: fc.nat(),
      keep: fc.boolean(),
      gateway: fc.constantFrom('one', 'two'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('lose' as const), pick: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('commitFails' as const) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('crash' as const) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('rejoin' as const) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('silence' as const) }) },
);

const suites = {
  'suite 0x00': { node: {}, headEnd: {} },
  'suite 0x01': { node: { security: ecc }, headEnd: secured() },
};
type Suite = (typeof suites)[keyof typeof suites];

/** Rows that the meter's log holds at most. */
const LOG_ROWS_MAX = 12;

/** A meter with a short log, the network between, and one head-end after another on one store. */
class Story {
  readonly node: ScriptedNode;
  readonly #options: Parameters<typeof Bench.started>[0];
  readonly delivered = new Set<number>();
  readonly told: { seq: number; redelivered: boolean }[] = [];
  bench: Bench;
  #last = 0;
  #underWay: Uint8Array[] = [];
  /** Highest `oldest` that reached the head-end. */
  #oldestTold = 1;

  constructor(bench: Bench, suite: Suite) {
    this.bench = bench;
    this.node = new ScriptedNode({ seed: 'meter', ...suite.node });
    this.#options = suite.headEnd;
  }

  get #oldest(): number {
    return Math.max(1, this.#last - LOG_ROWS_MAX + 1);
  }

  async begin(): Promise<void> {
    await this.bench.joinAndSpeak(this.node);
  }

  async take(step: Step): Promise<void> {
    switch (step.does) {
      case 'measure':
        this.#last += step.rows;
        return;
      case 'send': {
        if (this.#last === 0) return;
        const first = Math.max(this.#oldest, this.#last - step.back);
        const last = Math.min(this.#last, first + step.rows - 1);
        const packet = this.node.up([this.node.readings(first, last, this.#oldest)]);
        this.#underWay.push(Object.assign(packet, { first, last, oldest: this.#oldest }));
        return;
      }
      case 'deliver':
        return await this.#deliver(step);
      case 'lose':
        if (this.#underWay.length > 0) this.#underWay.splice(step.pick % this.#underWay.length, 1);
        return;
      case 'commitFails':
        return await this.#deliverInto(new Error('disk full'));
      case 'crash':
        return await this.#crash();
      case 'silence':
        this.node.counter += 70;
        return;
      case 'rejoin':
        await this.bench.join(this.node);
        this.bench.up(this.node.up([this.node.telemetry()]), { route: [this.node.shortId] });
        return await this.bench.run(100);
    }
  }

  async #deliver({ pick, keep, gateway }: Extract<Step, { does: 'deliver' }>): Promise<void> {
    if (this.#underWay.length === 0) return;
    const index = pick % this.#underWay.length;
    const packet = this.#underWay[index] as Uint8Array & { first: number; last: number; oldest: number };
    if (!keep) this.#underWay.splice(index, 1);
    // Of a session that is forgotten; its number may be another session's by now.
    const refused = () => (this.bench.errors().notJoined ?? 0) + (this.bench.errors().badTag ?? 0);
    const before = refused();
    this.bench.up(packet, { gateway, route: [this.node.shortId] });
    await this.bench.run(60);
    if (refused() > before) return;
    for (let seq = packet.first; seq <= packet.last; seq++) this.delivered.add(seq);
    this.#oldestTold = Math.max(this.#oldestTold, packet.oldest);
  }

  async #deliverInto(failure: Error): Promise<void> {
    const packet = this.#underWay[0];
    if (!packet) return;
    this.bench.store.fail = failure;
    this.bench.up(packet, { gateway: 'one', route: [this.node.shortId] });
    await this.bench.run(60);
    this.bench.store.fail = undefined;
  }

  async #crash(): Promise<void> {
    this.checkAcknowledgements();
    this.#hear();
    await this.bench.store.close();
    this.bench.clock.advance(2000);
    const { store, clock } = this.bench;
    this.bench = await Bench.started({ ...this.#options, store, clock, link: new FakeLink() });
  }

  #hear(): void {
    for (const { wattmesh } of this.bench.readings) this.told.push(wattmesh);
    this.bench.readings.length = 0;
  }

  /** No acknowledgement may claim a row that is neither stored nor a gap that the meter declared itself. */
  checkAcknowledgements(): void {
    const marks = this.bench.acks(this.node).map(({ cumulative, ranges }) => ({ cumulative, ranges }));
    for (const { cumulative, ranges } of marks) {
      for (let seq = 1; seq <= cumulative; seq++) {
        assert.ok(
          this.delivered.has(seq) || seq < this.#oldestTold,
          `row ${seq} is acknowledged but was never delivered`,
        );
      }
      for (const [first, last] of ranges) {
        for (let seq = first; seq <= last; seq++) assert.ok(this.delivered.has(seq), `range claims row ${seq}`);
      }
    }
  }

  async end(): Promise<void> {
    await this.bench.run(3000);
    this.checkAcknowledgements();
    this.#hear();
    const rows = await this.bench.store.readings({});
    assert.deepEqual(
      rows.map(({ seq }) => seq),
      [...this.delivered].sort((a, b) => a - b),
      'each delivered row once',
    );
    for (const row of rows) assert.equal(row.importDwh, rowOf(row.seq).importDwh);
    const first = this.told.filter(({ redelivered }) => !redelivered).map(({ seq }) => seq);
    assert.equal(new Set(first).size, first.length, 'a repeated message says so');
    assert.deepEqual(
      [...new Set(this.told.map(({ seq }) => seq))].sort((a, b) => a - b),
      [...this.delivered].sort((a, b) => a - b),
    );
    assert.deepEqual(await this.bench.store.conflicts(), []);
    await this.bench.headEnd.stop();
  }
}

describe('head-end: any schedule of deliveries', () => {
  for (const [name, suite] of Object.entries(suites)) {
    it(`stores each row once, tells it, and never claims a missing one: ${name}`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 80, size: 'max' }), async (steps) => {
          const story = new Story(await Bench.started(suite.headEnd), suite);
          await story.begin();
          for (const each of steps) await story.take(each);
          await story.end();
        }),
        { numRuns: 200, seed: 20_260_102 },
      );
    }).timeout(90_000);
  }
});
