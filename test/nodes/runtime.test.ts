import assert from 'node:assert/strict';
import { ManualClock } from '../../nodes/headend/clock.ts';
import type { ReadingMessage } from '../../nodes/headend/messages.ts';
import { QuietLog, REPEAT_MS } from '../../nodes/wattmesh-network/quiet-log.ts';
import { NetworkRuntime, RETRY_MS } from '../../nodes/wattmesh-network/runtime.ts';
import { migrateNetwork, readSettings } from '../../nodes/wattmesh-network/settings.ts';
import { SECRETS } from '../support/secrets.ts';

const CONTEXT = { credentials: SECRETS, tls: undefined, userDir: undefined };

class Bench {
  readonly clock = new ManualClock(Date.UTC(2026, 0, 1));
  readonly written: string[] = [];
  readonly runtime: NetworkRuntime;

  constructor(networkId: string, settings: object = {}) {
    const stored = migrateNetwork({ version: 2, connection: 'flow', networkId, store: 'memory', ...settings });
    const journal = {
      error: (error: Error) => void this.written.push(`error: ${error.message}`),
      warn: (text: string) => void this.written.push(`warning: ${text}`),
    };
    this.runtime = new NetworkRuntime(readSettings(stored, CONTEXT), journal, this.clock);
  }

  async until(kind: string): Promise<void> {
    while (this.runtime.condition().kind !== kind) await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('a network at run time', () => {
  it('starts at the end of the first deployment, and not before', async () => {
    const { runtime } = new Bench('late-start');
    assert.equal(runtime.condition().kind, 'starting');
    assert.equal(runtime.status(), undefined);
    runtime.deliver();
    await new Promise((resolve) => runtime.onCondition(resolve));
    assert.equal(runtime.condition().kind, 'running');
    assert.deepEqual(runtime.status()?.payload.nodes, []);
    await runtime.stop();
    assert.equal(runtime.status(), undefined);
  });

  it('tries again until the other network with its id has gone, and says so once', async () => {
    const [first, second] = [new Bench('shared'), new Bench('shared')];
    first.runtime.deliver();
    await first.until('running');
    second.runtime.deliver();
    await second.until('failed');
    second.clock.advance(3 * RETRY_MS);
    await second.until('failed');
    assert.equal(second.written.length, 1);
    await first.runtime.stop();
    second.clock.advance(RETRY_MS);
    await second.until('running');
    await second.runtime.stop();
  });

  it('does not try again what cannot get better by itself', async () => {
    const bench = new Bench('no-layout', { connection: 'simulated', layout: 'atlantis' });
    bench.runtime.deliver();
    await bench.until('failed');
    assert.match(bench.written.join(), /there is no simulated mesh called "atlantis"/);
    let changes = 0;
    bench.runtime.onCondition(() => changes++);
    bench.clock.advance(10 * RETRY_MS);
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(changes, 0);
    await bench.runtime.stop();
  });

  it('stops while it is starting, and never starts again', async () => {
    const { runtime } = new Bench('hasty');
    runtime.deliver();
    await runtime.stop();
    runtime.deliver();
    assert.equal(runtime.condition().kind, 'stopped');
    const again = new Bench('hasty');
    again.runtime.deliver();
    await again.until('running');
    await again.runtime.stop();
  });

  it('goes on telling the others when a listener throws', async () => {
    const { runtime, written } = new Bench('thrower');
    const heard: ReadingMessage[] = [];
    runtime.onReading((message) => void heard.push(message));
    runtime.onCondition(() => {
      throw new Error('a listener has a fault');
    });
    const kinds: string[] = [];
    runtime.onCondition(({ kind }) => void kinds.push(kind));
    runtime.deliver();
    await runtime.stop();
    assert.deepEqual(kinds.at(-1), 'stopped');
    assert.ok(written.includes('error: a listener has a fault'));
    assert.deepEqual(heard, []);
  });
});

describe('the log of a network', () => {
  it('has lines of one kind once in ten minutes', () => {
    const clock = new ManualClock(1);
    const log = new QuietLog(clock);
    const lines: string[] = [];
    const write = (line: string): void => void lines.push(line);
    for (let wait = 1; wait <= 5; wait++) log.write(`broken; next try in ${wait} s`, write);
    log.write('something else', write);
    clock.advance(REPEAT_MS);
    log.write('broken; next try in 30 s', write);
    assert.deepEqual(lines, ['broken; next try in 1 s', 'something else', 'broken; next try in 30 s']);
  });
});
