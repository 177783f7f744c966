import assert from 'node:assert/strict';
import { PENDING_MAX } from '../../nodes/headend/admissions.ts';
import { fromHex } from '../../nodes/headend/bytes.ts';
import { labelDigits, labelText } from '../../nodes/headend/security/label.ts';
import { Bench, ecc, secured } from './support/bench.ts';
import { FakeLink } from './support/fake-link.ts';
import { ScriptedNode } from './support/scripted-node.ts';

const operator = () => secured({ approval: 'operator' });

function meter(seed: string, more: Partial<ConstructorParameters<typeof ScriptedNode>[0]> = {}): ScriptedNode {
  return new ScriptedNode({ seed, security: ecc, ...more });
}

/** What the operator reads off the device's label when asked. */
function askedDigits(bench: Bench, node: ScriptedNode): string {
  const device = bench.headEnd.devices.list().find(({ nodeId }) => nodeId === node.nodeId);
  assert.ok(device);
  const label = labelDigits(node.key);
  return device.asked.map((group) => label[group - 1]).join(' ');
}

/** The operator's decision, with the time that it takes to become durable. */
async function decided<Result>(bench: Bench, decision: Promise<Result>): Promise<Result> {
  const outcome = decision.then(
    (value) => ({ value }),
    (error) => ({ error }),
  );
  await bench.run(100);
  const settled = await outcome;
  if ('error' in settled) throw settled.error;
  return settled.value;
}

async function ask(bench: Bench, node: ScriptedNode, gateway = 'gw'): Promise<void> {
  bench.up(node.m1(), { gateway, route: [0] });
  await bench.run(100);
}

describe('head-end: devices that nobody knows', () => {
  it('wait for the operator, and nothing else happens for them', async () => {
    const bench = await Bench.started(operator());
    const node = meter('new', { role: 'hub' });
    await ask(bench, node);
    assert.equal(bench.downs(node, 'm2').length, 0);
    assert.equal(bench.headEnd.state().nodesKnown, 0);
    assert.equal(bench.headEnd.state().pendingDevices, 1);
    assert.equal(bench.errors().unknownNode, 1);
    const [device] = bench.headEnd.devices.pending();
    assert.ok(device);
    const { digits, asked, ...rest } = device;
    const at = new Date(bench.clock.nowMs() - 50).toISOString();
    assert.deepEqual(rest, {
      key: node.keyHex,
      nodeId: node.nodeId,
      state: 'pending',
      since: at,
      lastSeen: at,
      gateway: 'gw',
      role: 'hub',
      suite: 'ecc',
      meter: null,
      name: null,
      hub: null,
      start: null,
      end: null,
    });
    const label = labelDigits(node.key);
    assert.deepEqual(
      digits,
      label.map((group, index) => (asked.includes(index + 1) ? null : group)),
      'all digits but those that are asked for',
    );
    assert.equal(digits.filter((group) => group === null).length, 2);
  });

  it('are let in by the ten digits asked for, and answered at once', async () => {
    const bench = await Bench.started(operator());
    const node = meter('new');
    await ask(bench, node);
    const digits = askedDigits(bench, node);
    const device = await decided(bench, bench.headEnd.devices.approve({ nodeId: node.nodeId, digits, name: 'Flat 3' }));
    assert.deepEqual([device.state, device.name], ['approved', 'Flat 3']);
    await bench.run(100);
    node.takeM2(bench.lastM2(node));
    bench.up(node.up([node.readings(1, 1)]), { route: [node.shortId] });
    await bench.run(100);
    assert.equal(bench.readings[0]?.payload.name, 'Flat 3');
    assert.equal(bench.readings[0]?.payload.meter, node.nodeId);
  });

  it('are not let in by other digits, nor without', async () => {
    const bench = await Bench.started(operator());
    const [node, other] = [meter('new'), meter('other')];
    await ask(bench, node);
    await ask(bench, other);
    const wrong = askedDigits(bench, node).replace(/\d/, (digit) => String((Number(digit) + 1) % 10));
    const { nodeId, keyHex: key } = node;
    for (const request of [
      { nodeId, digits: wrong },
      { nodeId, digits: '' },
      { nodeId },
      { key },
      { nodeId, digits: `${askedDigits(bench, node)}0` },
      { key: meter('never seen').keyHex, digits: '0000000000' },
      {},
    ]) {
      await assert.rejects(decided(bench, bench.headEnd.devices.approve(request)), { reason: 'badField' });
    }
    await ask(bench, node);
    assert.equal(bench.downs(node, 'm2').length, 0);
    assert.equal(bench.headEnd.devices.pending().length, 2);
  });

  it('are let in by the text of their label before they ask', async () => {
    const bench = await Bench.started(operator());
    const node = meter('new', { role: 'hub' });
    const key = ` ${labelText(node.key).toLowerCase()}`;
    await decided(bench, bench.headEnd.devices.approve({ key, meter: 'Hub.North', hub: 12 }));
    await bench.join(node);
    const [status] = bench.headEnd.status().payload.nodes;
    assert.deepEqual([status?.meter, status?.localHubId], ['Hub.North', 12]);
    await assert.rejects(decided(bench, bench.headEnd.devices.approve({ key: `${key}0` })), { reason: 'badField' });
  });

  it('are listed no more once they are rejected, until the label is read', async () => {
    const bench = await Bench.started(operator());
    const node = meter('new');
    await ask(bench, node);
    await decided(bench, bench.headEnd.devices.reject({ nodeId: node.nodeId }));
    await ask(bench, node);
    assert.equal(bench.headEnd.devices.pending().length, 0);
    assert.equal(bench.errors().unknownNode, 2);
    await assert.rejects(decided(bench, bench.headEnd.devices.reject({ nodeId: node.nodeId })), { reason: 'badField' });
    await decided(bench, bench.headEnd.devices.approve({ key: labelText(node.key) }));
    await bench.join(node);
  });

  it('are kept over a restart, and so is what was decided', async () => {
    const bench = await Bench.started(operator());
    const [pending, approved, rejected] = [meter('pending'), meter('approved'), meter('rejected')];
    for (const node of [pending, approved, rejected]) await ask(bench, node);
    const { devices } = bench.headEnd;
    await decided(
      bench,
      devices.approve({ nodeId: approved.nodeId, digits: askedDigits(bench, approved), meter: 'm-1' }),
    );
    await decided(bench, devices.reject({ key: rejected.keyHex }));
    const before = devices.list();
    await bench.headEnd.stop();
    bench.clock.advance(2000);
    const { store, clock } = bench;
    const next = await Bench.started({ ...operator(), store, clock, link: new FakeLink() });
    assert.deepEqual(next.headEnd.devices.list(), before);
    await next.join(approved);
    assert.equal(next.headEnd.status().payload.nodes[0]?.meter, 'm-1');
  });

  it('make room for newer ones', async () => {
    const bench = await Bench.started(operator());
    const nodes = Array.from({ length: PENDING_MAX + 3 }, (_, index) => meter(`new ${index}`));
    for (const node of nodes) await ask(bench, node);
    const listed = bench.headEnd.devices.pending().map(({ nodeId }) => nodeId);
    assert.deepEqual(
      listed,
      nodes
        .slice(3)
        .reverse()
        .map(({ nodeId }) => nodeId),
    );
    assert.equal((await bench.store.readings({})).length, 0);
    await bench.store.close();
    assert.equal((await bench.store.open()).admissions.length, PENDING_MAX);
  }).timeout(20_000);

  it('do not lose what they proved by a claim without proof', async () => {
    const bench = await Bench.started(secured({ approval: 'operator', allowSuiteNone: true }));
    const node = meter('new');
    await ask(bench, new ScriptedNode({ seed: 'new' }));
    assert.equal(bench.headEnd.devices.pending()[0]?.suite, 'none');
    await ask(bench, node);
    await ask(bench, new ScriptedNode({ seed: 'new' }));
    assert.equal(bench.headEnd.devices.pending()[0]?.suite, 'ecc');
    await decided(bench, bench.headEnd.devices.approve({ key: labelText(node.key) }));
    const plain = new ScriptedNode({ seed: 'new' });
    plain.handshake = 50;
    await ask(bench, plain);
    assert.equal(bench.errors().suiteRefused, 1);
    await bench.join(node);
  });
});

describe('head-end: lists of devices', () => {
  const nodes = ['a', 'b', 'c', 'd'].map((seed) => meter(seed, seed === 'c' ? { role: 'hub' } : {}));
  const [a, b, c, d] = nodes as [ScriptedNode, ScriptedNode, ScriptedNode, ScriptedNode];
  const secret = '5a'.repeat(32);
  const list = [
    'key,name,hub,psk',
    `${labelText(a.key)},"Flat 1, ""left""",2,`,
    `${b.keyHex},,,${secret}`,
    '',
    `${c.keyHex.toUpperCase()},Hub,7`,
    `${a.keyHex},twice`,
    'WM1:NONSENSE:00000000,x',
    `${d.keyHex},x,70000`,
    `${d.keyHex},x,,${secret}00`,
    `${d.keyHex},"x`,
    `${d.keyHex},\u0007bell`,
    `${d.keyHex},a,b,c,d`,
  ].join('\r\n');

  it('let devices in without a click, and report the lines that cannot be used', async () => {
    const bench = await Bench.started({ ...operator(), preloaded: list });
    for (const node of [a, b, c]) await bench.join(node);
    const names = bench.headEnd.status().payload.nodes.map(({ name }) => name);
    assert.deepEqual(names, ['Flat 1, "left"', `meter-${b.nodeId.slice(-4)}`, 'Hub']);
    assert.equal(bench.headEnd.status().payload.nodes[2]?.localHubId, 7);
    await ask(bench, d);
    assert.equal(bench.headEnd.devices.pending().length, 1);
    const { warnings } = bench.headEnd.state();
    const lines = warnings.filter((line) => line.startsWith('line ')).map((line) => line.slice(0, 7));
    assert.deepEqual(lines, ['line 6 ', 'line 7 ', 'line 8 ', 'line 9 ', 'line 10']);
    assert.ok(warnings.includes('2 more lines of the list of devices cannot be used'));
    assert.ok(!JSON.stringify(warnings).includes(secret));
  });

  it('can be brought while the network runs', async () => {
    const bench = await Bench.started(operator());
    const report = await decided(bench, bench.headEnd.devices.preload(list));
    assert.equal(report.approved, 3);
    assert.deepEqual(
      report.faults.map(({ line }) => line),
      [6, 7, 8, 9, 10, 11, 12],
    );
    assert.match(report.faults[0]?.message ?? '', /line 2 already/);
    const again = await decided(bench, bench.headEnd.devices.preload(list));
    assert.equal(again.approved, 0);
    await decided(bench, bench.headEnd.devices.revoke({ nodeId: a.nodeId }));
    const after = await decided(bench, bench.headEnd.devices.preload(labelText(a.key)));
    assert.match(after.faults[0]?.message ?? '', /revoked/);
    await assert.rejects(decided(bench, bench.headEnd.devices.preload('\n'.repeat(30_000))), { reason: 'badConfig' });
  });
});

describe('head-end: names and metering points', () => {
  async function withTwo() {
    const bench = await Bench.started(operator());
    const [one, two] = [meter('one'), meter('two')];
    for (const [node, name] of [
      [one, 'One'],
      [two, 'Two'],
    ] as const) {
      await decided(bench, bench.headEnd.devices.approve({ key: labelText(node.key), name, meter: `m-${name}` }));
      await bench.joinAndSpeak(node);
    }
    return { bench, one, two };
  }

  it('take another name under the same ids', async () => {
    const { bench, one } = await withTwo();
    await decided(bench, bench.headEnd.devices.rename({ meter: 'm-One' }, '__proto__ <img onerror=x> + # /'));
    bench.up(one.up([one.readings(1, 1)]), { route: [one.shortId] });
    await bench.run(100);
    assert.equal(bench.readings[0]?.payload.name, '__proto__ <img onerror=x> + # /');
    assert.equal(bench.readings[0]?.topic, 'test-net/m-One');
    assert.equal(bench.headEnd.devices.list().find(({ nodeId }) => nodeId === one.nodeId)?.meter, 'm-One');
  });

  it('refuse names and ids that are taken or cannot be', async () => {
    const { bench } = await withTwo();
    const { devices } = bench.headEnd;
    for (const name of ['Two', '', ' x', 'x'.repeat(65), 'a\u0000b', 'a\nb']) {
      await assert.rejects(decided(bench, devices.rename({ meter: 'm-One' }, name)), { reason: 'badField' }, name);
    }
    for (const request of [
      { meter: 'm-One' },
      { meter: 'a/b' },
      { meter: '#' },
      { name: 'Two' },
      { hub: -1 },
      { psk: 'ab' },
    ]) {
      const key = labelText(meter('three').key);
      await assert.rejects(decided(bench, devices.approve({ key, ...request })), { reason: 'badField' });
    }
    await assert.rejects(decided(bench, devices.rename({ meter: 'm-Three' }, 'x')), { reason: 'unknownNode' });
    assert.equal(devices.list().length, 2);
  });

  it('refuse everything before the start and after the stop', async () => {
    const bench = new Bench(operator());
    await assert.rejects(bench.headEnd.devices.revoke({ meter: 'm' }), { reason: 'linkClosed' });
    await bench.headEnd.start();
    await bench.headEnd.stop();
    await assert.rejects(bench.headEnd.devices.preload(''), { reason: 'linkClosed' });
  });

  it('report a decision that could not be stored', async () => {
    const { bench } = await withTwo();
    bench.store.fail = new Error('disk full');
    await assert.rejects(decided(bench, bench.headEnd.devices.rename({ meter: 'm-One' }, 'New')), /disk full/);
    bench.store.fail = undefined;
    assert.equal(bench.headEnd.status().payload.nodes[0]?.name, 'One');
  });

  it('note the registers with the first reading of a device', async () => {
    const { bench, one } = await withTwo();
    bench.up(one.up([one.readings(5, 6, 5)]), { route: [one.shortId] });
    await bench.run(100);
    bench.up(one.up([one.readings(7, 8, 5)]), { route: [one.shortId] });
    await bench.run(100);
    const device = bench.headEnd.devices.list().find(({ nodeId }) => nodeId === one.nodeId);
    assert.deepEqual(device?.start, {
      at: bench.readings[0]?.payload.measuredAt,
      energy_import_kwh: bench.readings[0]?.payload.energy_import_kwh,
      energy_export_kwh: null,
    });
  });

  it('go on with another device: same id, same name, registers of both noted', async () => {
    const { bench, one } = await withTwo();
    bench.up(one.up([one.readings(1, 3)]), { route: [one.shortId] });
    await bench.run(100);
    const last = bench.readings.at(-1);
    const three = meter('three');
    await ask(bench, three);
    const digits = askedDigits(bench, three);
    const { devices } = bench.headEnd;
    await assert.rejects(decided(bench, devices.exchange('m-One', { nodeId: three.nodeId, digits: '1' })), {
      reason: 'badField',
    });
    await assert.rejects(decided(bench, devices.exchange('m-None', { nodeId: three.nodeId, digits })), {
      reason: 'unknownNode',
    });
    assert.equal(devices.list().filter(({ state }) => state === 'revoked').length, 0, 'nothing was half done');
    const device = await decided(bench, devices.exchange('m-One', { nodeId: three.nodeId, digits }));
    assert.deepEqual([device.meter, device.name, device.state], ['m-One', 'One', 'approved']);
    const former = devices.list().find(({ nodeId }) => nodeId === one.nodeId);
    assert.equal(former?.state, 'revoked');
    assert.equal(former?.end?.energy_import_kwh, last?.payload.energy_import_kwh);
    assert.equal(former?.end?.at, last?.payload.measuredAt);
    await bench.run(100);
    three.takeM2(bench.lastM2(three));
    bench.up(three.up([three.readings(1, 1)]), { route: [three.shortId] });
    await bench.run(100);
    const reading = bench.readings.at(-1);
    assert.deepEqual([reading?.topic, reading?.payload.name], ['test-net/m-One', 'One']);
    assert.notEqual(reading?.wattmesh.id.split(':')[0], one.keyHex);
    assert.ok(devices.list().find(({ nodeId }) => nodeId === three.nodeId)?.start);
    await ask(bench, one);
    assert.equal(bench.errors().revoked, 1);
    await decided(bench, devices.rename({ meter: 'm-One' }, 'Renamed'));
    assert.equal(devices.list().find(({ nodeId }) => nodeId === three.nodeId)?.name, 'Renamed');
  });
});

describe('head-end: a node id that two keys claim', () => {
  it('stays with the first, and is shown', async () => {
    const bench = await Bench.started(operator());
    const node = meter('one');
    await ask(bench, node);
    const [record] = (await bench.store.groups.flatMap(({ admissions = [] }) => admissions)) ?? [];
    assert.ok(record);
    await bench.headEnd.stop();
    await bench.store.open();
    const nothing = { rows: [], nodes: [], sessions: [], clearedSessions: [], logs: [], outboxSent: 0 };
    const other = { ...record, key: 'ff'.repeat(32), state: 'approved' } as const;
    await bench.store.commit({ ...nothing, droppedAdmissions: [record.key], admissions: [other] });
    await bench.store.close();
    bench.clock.advance(2000);
    const { store, clock } = bench;
    const next = await Bench.started({ ...operator(), store, clock, link: new FakeLink() });
    await ask(next, node);
    assert.equal(next.errors().idConflict, 1);
    assert.ok(next.headEnd.state().warnings.some((line) => /another key holds/.test(line)));
    const key = labelText(fromHex(node.keyHex));
    await assert.rejects(decided(next, next.headEnd.devices.approve({ key })), { reason: 'idConflict' });
    assert.equal(next.headEnd.devices.list()[0]?.key, other.key, 'a stored key is never replaced');
  });
});
