import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { LAYOUT_NAMES, layoutNamed } from '../../firmware/simulator/layouts.ts';
import { LINK_LOG_ROWS_MAX, SimulatedLink } from '../../firmware/simulator/link.ts';
import { MeterInput } from '../../firmware/simulator/meter-input.ts';
import { CATCH_UP_MS_MAX } from '../../firmware/simulator/pacer.ts';
import { identityOf, nodeIdOfIdentity } from '../../firmware/simulator/provision.ts';
import { ManualClock } from '../../nodes/headend/clock.ts';
import { reasonOf } from '../../nodes/headend/errors.ts';
import { HeadEnd } from '../../nodes/headend/headend.ts';
import type { LinkState } from '../../nodes/headend/link/link.ts';
import { MemoryStore } from '../../nodes/headend/store/memory.ts';
import { fakeFirmware } from './fake-firmware.ts';

const START_MS = Date.UTC(2026, 2, 3, 12);
const STEP_MS = 50;

function linkOn(clock: ManualClock, scenario: string | object = 'demo'): SimulatedLink {
  return new SimulatedLink({ scenario, clock, seed: 1, networkId: 'demo' });
}

/** Moves time as the event loop of a real process would see it. */
async function pass(clock: ManualClock, seconds: number): Promise<void> {
  for (let ms = 0; ms < seconds * 1000; ms += STEP_MS) {
    clock.advance(STEP_MS);
    await turn();
  }
}

async function headEndOn(
  link: SimulatedLink,
  store: MemoryStore,
  clock: ManualClock,
  instanceId: string,
): Promise<HeadEnd> {
  const headEnd = new HeadEnd({
    network: 'demo',
    store,
    link,
    clock,
    random: (length) => new Uint8Array(length).fill(Number.parseInt(instanceId, 16) & 0xff),
    instanceId,
    policy: { allowSuiteNone: true },
    names: await link.names(),
  });
  headEnd.onReading(() => undefined);
  await headEnd.start();
  return headEnd;
}

/** What a handler of a link is told. */
function listen() {
  const states: LinkState[] = [];
  const envelopes: Uint8Array[] = [];
  const handler = {
    envelope: (_gateway: string, bytes: Uint8Array) => void envelopes.push(bytes),
    bad: () => assert.fail('a simulated link has no bad bytes'),
    state: (state: LinkState) => void states.push(state),
  };
  return { states, envelopes, handler };
}

describe('simulated link', function () {
  this.timeout(60_000);

  it('brings the readings of the demo as its meters measured them', async () => {
    const clock = new ManualClock(START_MS);
    const link = linkOn(clock);
    const heard: string[] = [];
    link.measured(({ nodeId, row }) => heard.push(`${nodeId}:${row.seq}`));
    const store = new MemoryStore();
    const headEnd = await headEndOn(link, store, clock, '00000000000000a1');
    await pass(clock, 90);
    const stored = await store.readings({});
    const log = link.log();
    assert.equal(heard.length, log.length);
    assert.ok(log.length > 12 * 14, `${log.length} rows measured`);
    assert.ok(log.length - stored.length <= 24, `${stored.length} of ${log.length} rows stored`);
    const truth = new Map(log.map(({ name, row }) => [`${name}:${row.seq}`, row]));
    const names = new Map(headEnd.status().payload.nodes.map((node) => [node.key, node.name]));
    for (const { key, ...row } of stored) assert.deepEqual(row, truth.get(`${names.get(key)}:${row.seq}`));
    const { online, nodes } = headEnd.status().payload;
    assert.equal(online, 16);
    assert.deepEqual(
      nodes
        .filter((node) => node.role === 'hub')
        .map((node) => node.localHubId)
        .sort(),
      [1, 2, 3],
    );
    assert.ok(
      nodes.some((node) => node.role === 'meter' && (node.hops ?? 0) >= 3),
      'some flats are far away',
    );
    await headEnd.stop();
  });

  it('is the same mesh after a restart: same nodes, new logs, registers that went on', async () => {
    const clock = new ManualClock(START_MS);
    const store = new MemoryStore();
    const first = await headEndOn(linkOn(clock, 'campsite'), store, clock, '00000000000000b1');
    await pass(clock, 30);
    const known = first
      .status()
      .payload.nodes.map((node) => node.nodeId)
      .sort();
    await first.stop();
    clock.advance(3_600_000);
    const second = await headEndOn(linkOn(clock, 'campsite'), store, clock, '00000000000000b2');
    await pass(clock, 30);
    assert.deepEqual(
      second
        .status()
        .payload.nodes.map((node) => node.nodeId)
        .sort(),
      known,
    );
    assert.equal(second.status().payload.online, 6);
    assert.deepEqual(second.state().errors, {});
    const rows = await store.readings({});
    for (const key of new Set(rows.map((row) => row.key))) {
      const own = rows.filter((row) => row.key === key);
      assert.equal(new Set(own.map((row) => row.logId)).size, 2);
      const registers = own.map((row) => row.importDwh ?? 0);
      assert.deepEqual(
        [...registers].sort((a, b) => a - b),
        registers,
      );
    }
    await second.stop();
  });

  it('measures what the seed says, so that others can compute it', async () => {
    const clock = new ManualClock(START_MS);
    const link = linkOn(clock, 'campsite');
    await link.open(listen().handler);
    await pass(clock, 12);
    assert.equal(link.log().length, 0, 'no host: no time, no rows');
    await link.close();

    const headEnd = await headEndOn(link, new MemoryStore(), clock, '00000000000000c1');
    await pass(clock, 30);
    await headEnd.stop();
    const input = new MeterInput('1', 'm1', true);
    const rows = link.log().filter(({ name }) => name === 'Pitch 1');
    assert.ok(rows.length >= 3);
    for (const { row } of rows) {
      const expected = input.sample(row.measuredAtMs);
      assert.ok(Math.abs((row.importDwh ?? 0) - expected.importDwh) <= 1, 'the moment is met within milliseconds');
    }
  });

  it('knows its nodes before it runs', async () => {
    const names = await linkOn(new ManualClock(START_MS)).names();
    assert.equal(names.size, 16);
    assert.equal(names.get(nodeIdOfIdentity(identityOf('1', 'm12'))), 'Flat 12');
    assert.deepEqual([...names.values()].slice(0, 5), [
      'Gateway',
      'Stairwell A',
      'Stairwell B',
      'Stairwell C',
      'Flat 1',
    ]);
  });

  it('does nothing once it is closed, and goes on when it is opened again', async () => {
    const clock = new ManualClock(START_MS);
    const link = linkOn(clock, 'campsite');
    const first = listen();
    await link.open(first.handler);
    await pass(clock, 8);
    assert.deepEqual(first.states, [{ up: true, detail: 'simulated' }]);
    assert.ok(first.envelopes.length > 0);
    await link.close();
    const before = first.envelopes.length;
    await pass(clock, 20);
    assert.equal(first.envelopes.length, before);
    assert.equal(link.send('gw', Uint8Array.of(0x16)), false);
    const second = listen();
    await link.open(second.handler);
    await pass(clock, 8);
    assert.equal(first.envelopes.length, before);
    assert.ok(second.envelopes.length > 0);
    await link.close();
  });

  it('catches up only a little after the process was asleep', async () => {
    const late = new LateClock(START_MS);
    const sleeper = new SimulatedLink({ scenario: 'campsite', clock: late, seed: 1, networkId: 'demo' });
    const heard = listen();
    await sleeper.open(heard.handler);
    for (let step = 0; step < 100; step++) late.fire(STEP_MS);
    const awake = heard.envelopes.length;
    late.fire(8 * 3_600_000);
    assert.ok(heard.envelopes.length - awake <= CATCH_UP_MS_MAX / 5000 + 1, 'HELLO every 5 s');
    await sleeper.close();
  });

  it('says so when the firmware traps, and stands still', async () => {
    const clock = new ManualClock(START_MS);
    const { firmware } = fakeFirmware((call) => {
      if (call.kind === 'tick') throw new WebAssembly.RuntimeError('unreachable');
      return 3_000_000;
    });
    const link = new SimulatedLink({ scenario: 'campsite', clock, seed: 1, networkId: 'demo', firmware });
    const { states, handler } = listen();
    await link.open(handler);
    await pass(clock, 8);
    assert.equal(states.length, 2);
    const last = states[1];
    assert.ok(last && !last.up);
    assert.equal(last.reason, 'firmwareTrap');
    assert.match(last.detail, /the simulation has stopped: the firmware of \w+ trapped/);
    await link.close();
  });

  it('refuses a mesh that does not exist and a scenario that is wrong', () => {
    const clock = new ManualClock(START_MS);
    assert.throws(
      () => linkOn(clock, 'castle'),
      (error: Error) => reasonOf(error) === 'badConfig' && /choose demo or campsite/.test(error.message),
    );
    assert.throws(
      () => linkOn(clock, { nodes: [] }),
      (error: Error) => reasonOf(error) === 'badScenario',
    );
  });

  it('remembers a limited number of rows', async () => {
    const nodes = [
      { id: 'gw', role: 'gateway' },
      { id: 'm1', role: 'meter' },
    ];
    const links = [
      { from: 'gw', to: 'm1', prr: 1 },
      { from: 'm1', to: 'gw', prr: 1 },
    ];
    const clock = new ManualClock(START_MS);
    const link = linkOn(clock, { durationS: 1, nodes, links, mesh: { pollCycleS: 60 }, reading: { intervalS: 1 } });
    const headEnd = await headEndOn(link, new MemoryStore(), clock, '00000000000000d1');
    await pass(clock, LINK_LOG_ROWS_MAX + 60);
    const log = link.log();
    assert.equal(log.length, LINK_LOG_ROWS_MAX);
    assert.ok((log[0]?.row.seq ?? 0) > 1);
    await headEnd.stop();
  });
});

describe('built-in layouts', () => {
  it('are scenarios with a name for every node', () => {
    assert.deepEqual(LAYOUT_NAMES, ['demo', 'campsite']);
    for (const name of LAYOUT_NAMES) {
      const layout = layoutNamed(name);
      assert.ok(layout);
      assert.deepEqual(
        layout.scenario.nodes.map((node) => node.id),
        [...layout.names.keys()],
      );
    }
    assert.equal(layoutNamed('toString'), undefined);
  });

  it('show one gateway, three hubs and twelve meters in the demo', () => {
    const roles = layoutNamed('demo')?.scenario.nodes.map((node) => node.role) ?? [];
    assert.equal(roles.filter((role) => role === 'hub').length, 3);
    assert.equal(roles.filter((role) => role === 'meter').length, 12);
  });
});

/** A clock whose one timer fires when the test says so, as late as it says. */
class LateClock extends ManualClock {
  #late: (() => void) | undefined;
  #shownMs: number;

  constructor(startMs: number) {
    super(startMs);
    this.#shownMs = startMs;
  }

  override nowMs(): number {
    return this.#shownMs;
  }

  override after(_delayMs: number, callback: () => void) {
    this.#late = callback;
    return {
      cancel: () => {
        this.#late = undefined;
      },
    };
  }

  fire(afterMs: number): void {
    this.#shownMs += afterMs;
    const callback = this.#late;
    this.#late = undefined;
    callback?.();
  }
}
