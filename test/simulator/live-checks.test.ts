import assert from 'node:assert/strict';
import {
  BoundedQueuesChecker,
  EVENTS_BESIDE_MAX,
  EVENTS_PER_DEVICE_MAX,
  LINE_BACKLOG_S_MAX,
  MEMBERS_MAX,
  QUEUE_ITEMS_MAX,
} from '../../firmware/simulator/checkers/bounded-queues.ts';
import { CountersRiseChecker } from '../../firmware/simulator/checkers/counters-rise.ts';
import { MemoryConstantChecker } from '../../firmware/simulator/checkers/memory-constant.ts';
import { ParentsAliveChecker } from '../../firmware/simulator/checkers/parents-alive.ts';
import { FINDINGS_MAX, type Violation } from '../../firmware/simulator/checkers/violation.ts';
import { connectedNodes } from '../../firmware/simulator/connectivity.ts';
import { Flash } from '../../firmware/simulator/flash.ts';
import { readRecords } from '../../firmware/simulator/flash-records.ts';
import { LiveChecks, leafRepairTimeS, repairTimeS } from '../../firmware/simulator/live-checks.ts';
import { provision, RECORD } from '../../firmware/simulator/provision.ts';
import { parseScenario } from '../../firmware/simulator/scenario.ts';
import { World } from '../../firmware/simulator/world.ts';
import { Writer } from '../../nodes/headend/bytes.ts';
import { type FakeInstance, fakeFirmware, SCRATCH } from './fake-firmware.ts';

function whats(violations: readonly Violation[]): string[] {
  return violations.map(({ who, what, atS, seed }) => `${seed} ${atS} ${who}: ${what}`);
}

function nonce(counter: number, epoch = 0): Uint8Array {
  return new Writer(12).u32(0).u32(counter).u32(epoch).finish();
}

describe('counters-rise checker', () => {
  it('is content with counters that rise, with repetitions, and with gaps', () => {
    const checker = new CountersRiseChecker('7');
    checker.frame('m1', 0, false, 1);
    checker.frame('m1', 1, false, 1);
    checker.frame('m1', 1, true, 1);
    checker.frame('m1', 8193, false, 2);
    checker.frame('m2', 5, false, 2);
    checker.sealed('m1', new Uint8Array(32), nonce(0), 3);
    checker.sealed('m1', new Uint8Array(32), nonce(9), 3);
    checker.sealed('m1', new Uint8Array(32), nonce(3, 1), 3);
    checker.sealed('m1', new Uint8Array(32).fill(1), nonce(0), 3);
    checker.stored('m1', 'the boot count', 1, 4);
    checker.stored('m1', 'the boot count', 1, 5);
    assert.deepEqual(checker.violations, []);
  });

  it('fires for a link counter that comes again or goes back', () => {
    const checker = new CountersRiseChecker('7');
    for (const [counter, isRepetition] of [
      [5, false],
      [5, false],
      [4, false],
      [5, true],
    ] as const)
      checker.frame('m1', counter, isRepetition, 2);
    assert.deepEqual(whats(checker.violations), [
      '7 2 m1: its link counter goes from 5 to 5',
      '7 2 m1: its link counter goes from 5 to 4',
      '7 2 m1: its link counter goes from 4 to 5',
    ]);
  });

  it('fires for a counter of a session that goes back', () => {
    const checker = new CountersRiseChecker('7');
    const key = new Uint8Array(32).fill(9);
    checker.sealed('m1', key, nonce(2, 1), 3);
    checker.sealed('m1', key, nonce(7, 0), 4);
    assert.deepEqual(whats(checker.violations), [
      `7 4 m1: a counter that it seals with goes from ${2n + (1n << 32n)} to 7`,
    ]);
  });

  it('fires for a number in the flash that falls', () => {
    const checker = new CountersRiseChecker('7');
    checker.stored('m1', 'the handshake number', 8, 3);
    checker.stored('m1', 'the handshake number', 7, 4);
    assert.deepEqual(whats(checker.violations), ['7 4 m1: the handshake number in its flash goes from 8 to 7']);
  });

  it('lets a number of so many bits come round, and not go back', () => {
    const checker = new CountersRiseChecker('7');
    for (const value of [65_534, 65_535, 2, 3, 2]) checker.stored('m1', 'the boot count', value, 5, 16);
    assert.deepEqual(whats(checker.violations), ['7 5 m1: the boot count in its flash goes from 3 to 2']);
  });

  it('keeps a limited number', () => {
    const checker = new CountersRiseChecker('7');
    for (let frame = 0; frame < 2 * FINDINGS_MAX; frame++) checker.frame('m1', 1, false, frame);
    assert.equal(checker.violations.length, FINDINGS_MAX);
  });
});

describe('bounded-queues checker', () => {
  it('fires above each limit and not at it', () => {
    const checker = new BoundedQueuesChecker('7');
    checker.device('h1', 'hub', QUEUE_ITEMS_MAX, MEMBERS_MAX.hub, 1);
    checker.line('gw', LINE_BACKLOG_S_MAX, 1);
    checker.events(EVENTS_BESIDE_MAX + 3 * EVENTS_PER_DEVICE_MAX, 3, 1);
    assert.deepEqual(checker.violations, []);
    checker.device('h1', 'hub', QUEUE_ITEMS_MAX + 1, 0, 2);
    checker.device('gw', 'gateway', 0, MEMBERS_MAX.gateway + 1, 3);
    checker.line('gw', LINE_BACKLOG_S_MAX + 0.1, 4);
    checker.events(EVENTS_BESIDE_MAX + 3 * EVENTS_PER_DEVICE_MAX + 1, 3, 5);
    assert.deepEqual(whats(checker.violations), [
      '7 2 h1: 33 items wait in its queue, the limit is 32',
      '7 3 gw: it has 513 members, the limit of a gateway is 512',
      '7 4 gw: 2.1 s of envelopes wait on the line to the host, the limit is 2',
      '7 5 : 10049 events are pending, the limit is 10048',
    ]);
  });
});

describe('memory-constant checker', () => {
  it('fires when memory grows, and starts over with the power', () => {
    const checker = new MemoryConstantChecker('7');
    checker.sample('m1', 65_536, 1);
    checker.sample('m2', 131_072, 1);
    checker.sample('m1', 65_536, 2);
    checker.poweredOff('m1');
    checker.sample('m1', 131_072, 3);
    assert.deepEqual(checker.violations, []);
    checker.sample('m1', 196_608, 4);
    assert.deepEqual(whats(checker.violations), ['7 4 m1: its memory goes from 131072 to 196608 bytes']);
  });
});

describe('parents-alive checker', () => {
  const everybody = () => new Set(['gw', 'h1', 'm1']);

  function mesh(connected = everybody): ParentsAliveChecker {
    const checker = new ParentsAliveChecker('7', ['gw'], () => 100, connected);
    for (const node of ['gw', 'h1', 'm1']) checker.power(node, true, 1);
    checker.parentChanged('h1', 'gw', 5);
    checker.parentChanged('m1', 'h1', 6);
    return checker;
  }

  it('is content with a tree, and with a repair that is quick enough', () => {
    const checker = mesh();
    checker.check(1000);
    checker.power('h1', false, 1000);
    checker.check(1100);
    checker.parentChanged('m1', 'gw', 1100);
    checker.check(5000);
    assert.deepEqual(checker.violations, []);
  });

  it('fires once for a parent that is dead for too long, and again for another time', () => {
    const checker = mesh();
    checker.power('h1', false, 1000);
    checker.check(1101);
    checker.check(1200);
    const what = 'it has had no parent that is alive for 101 s, the repair time is 100';
    assert.deepEqual(whats(checker.violations), [`7 1101 m1: ${what}`]);
    checker.parentChanged('m1', 'gw', 1300);
    checker.parentChanged('m1', undefined, 1400);
    checker.check(1501);
    assert.equal(checker.violations.length, 2);
  });

  it('waits for the repair time after each disturbance', () => {
    const checker = mesh();
    checker.power('h1', false, 1000);
    checker.disturbed(1090);
    checker.check(1189);
    assert.deepEqual(checker.violations, []);
    checker.check(1191);
    assert.equal(checker.violations.length, 1);
  });

  it('asks nothing of who has no way to the gateway, and of who has no power', () => {
    const checker = mesh(() => new Set(['gw']));
    checker.power('h1', false, 1000);
    checker.check(2000);
    assert.deepEqual(checker.violations, []);
    const alone = mesh();
    alone.power('m1', false, 1000);
    alone.check(2000);
    assert.deepEqual(alone.violations, []);
  });
});

/** A gateway, a hub, a meter behind it and a leaf behind that, all in a row. */
const ROW = parseScenario({
  durationS: 3600,
  nodes: [
    { id: 'gw', role: 'gateway' },
    { id: 'h1', role: 'hub' },
    { id: 'm1', role: 'meter' },
    { id: 'm2', role: 'meter', power: 'battery' },
    { id: 'm3', role: 'meter' },
  ],
  links: [
    ['gw', 'h1', 0.9],
    ['h1', 'm1', 0.5],
    ['m1', 'm2', 1],
    ['m2', 'm3', 1],
    ['gw', 'm3', 0.4],
  ].flatMap(([a, b, prr]) => [
    { from: a, to: b, prr },
    { from: b, to: a, prr },
  ]),
  faults: [{ atS: 1, link: { from: 'm1', to: 'h1', prr: 0.5 } }],
});

/** State of a device without parent, with a queue. */
function stateOf(queue: number): Uint8Array {
  return new Writer(64)
    .bytes(new Uint8Array(18))
    .u16(queue)
    .bytes(new Uint8Array(2 + 28))
    .finish();
}

function world(firmware = fakeFirmware(() => Number.POSITIVE_INFINITY)): { world: World; instances: FakeInstance[] } {
  return { world: new World({ scenario: ROW, firmware: firmware.firmware, seed: 7, network: 'live' }), ...firmware };
}

describe('checks of a running world', () => {
  it('know who has a way of usable links to the gateway', () => {
    const { world: row } = world();
    const connected = () => [...connectedNodes(row)].sort();
    assert.deepEqual(connected(), [], 'nobody has power');
    row.run(3e6);
    assert.deepEqual(connected(), ['gw', 'h1', 'm1', 'm2'], 'a leaf does not forward, and 0.4 is too little');
    row.radio.changeLink('m1', 'h1', 0.49);
    assert.deepEqual(connected(), ['gw', 'h1']);
    row.radio.changeLink('m1', 'h1', undefined);
    row.radio.partition(['m1', 'm2', 'm3']);
    assert.deepEqual(connected(), ['gw', 'h1']);
    row.radio.heal();
    row.powerOff('h1');
    assert.deepEqual(connected(), ['gw']);
    row.gateway.plugged = false;
    assert.deepEqual(connected(), []);
  });

  it('find a queue, a memory, a link counter, a number in the flash and an orphan', () => {
    const seen = fakeFirmware((call, device) => {
      device.state = stateOf(0);
      if (call.kind === 'boot') return 400e6;
      if (call.kind !== 'tick') return [400e6, 401e6].find((at) => at > call.nowUs) ?? Number.POSITIVE_INFINITY;
      device.bytes.set([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x12, 0x10, 5, 0, 0, 0], SCRATCH);
      device.imports.radio_send(SCRATCH, SCRATCH + 6, 6);
      return call.nowUs < 401e6 ? call.nowUs + 1e6 : Number.POSITIVE_INFINITY;
    });
    const { world: row, instances } = world(seen);
    const checks = new LiveChecks(row);
    row.run(100e6);
    const found = () => checks.violations.map(({ checker, who }) => `${checker} ${who}`);
    assert.deepEqual(found(), []);

    const grown = instances[0] as FakeInstance;
    (grown.memory as { buffer: ArrayBuffer }).buffer = new ArrayBuffer(16_384);
    (instances[1] as FakeInstance).state = stateOf(QUEUE_ITEMS_MAX + 1);
    row.run(125e6);
    const first = found();
    assert.equal(first.filter((each) => each.startsWith('memory-constant')).length, 1);
    assert.equal(first.filter((each) => each.startsWith('bounded-queues')).length, 1);

    row.run(repairTimeS(ROW) * 1e6 + 70e6);
    const orphans = () => found().filter((each) => each.startsWith('parents-alive'));
    const routers = ['parents-alive h1', 'parents-alive m1'];
    assert.deepEqual(orphans(), routers, 'nobody has a parent; m3 has no way, and the gateway needs none');
    row.run(leafRepairTimeS(ROW) * 1e6 + 70e6);
    assert.deepEqual(orphans(), [...routers, 'parents-alive m2'], 'a leaf that sleeps has more time');

    row.run(405e6);
    const counters = found().filter((each) => each.startsWith('counters-rise'));
    assert.equal(counters.length, 5, 'each sent two frames with the same counter');

    const before = found().length;
    const { flash } = row.device('m3');
    provision(flash, { identity: new Uint8Array(32), handshake: 9 });
    row.powerOff('m3');
    flash.erase(0);
    provision(flash, { identity: new Uint8Array(32), handshake: 8 });
    row.powerOn('m3');
    assert.deepEqual(found().length, before + 1);
    assert.match(
      checks.violations.map(({ what }) => what).join(),
      /the handshake number in its flash goes from 9 to 8/,
    );
  });
});

describe('records of a flash', () => {
  it('are what the firmware would find', () => {
    const flash = new Flash(2 * 4096);
    assert.equal(readRecords(flash).size, 0);
    provision(flash, { identity: new Uint8Array(32).fill(3), handshake: 0x01020304 });
    const records = readRecords(flash);
    assert.deepEqual([...records.keys()], [RECORD.identity, RECORD.handshake]);
    assert.deepEqual(records.get(RECORD.identity), new Uint8Array(32).fill(3));
    assert.deepEqual(records.get(RECORD.handshake), Uint8Array.of(4, 3, 2, 1));
    // A torn record is as if never written.
    flash.write(16 + 40 + 4, Uint8Array.of(0));
    assert.deepEqual([...readRecords(flash).keys()], [RECORD.identity]);
  });
});
