import assert from 'node:assert/strict';
import { fromHex, toHex } from '../../nodes/headend/bytes.ts';
import { errorCodes, WattmeshError } from '../../nodes/headend/errors.ts';
import type { DeviceStatus, ReadingMessage } from '../../nodes/headend/messages.ts';
import { labelDigits, labelText } from '../../nodes/headend/security/label.ts';
import { readOrder } from '../../nodes/wattmesh-command/order.ts';
import { Progress } from '../../nodes/wattmesh-command/progress.ts';
import { badges, give, helper, type Log, received } from './support/bench.ts';
import { MeshBench } from './support/mesh-bench.ts';

const CAMPSITE = 6;
const PSK = 'a1'.repeat(32);

// biome-ignore lint/suspicious/noExplicitAny: messages are what the node makes of them; tests look at all of it
type Message = any;

let bench: MeshBench;
let result: Log;
let way: Log;
let failed: Log;

/** Node-RED's own server, around a suite whose tests go on with one mesh. */
function withNodeRed(): void {
  before((done) => void helper.startServer(done));
  after((done) => void helper.stopServer(done));
}

async function begin(network: object, command: object): Promise<void> {
  bench = new MeshBench(network);
  await bench.load(command);
  listen();
}

/** Hears from now on what the node sends and fails with. */
function listen(): void {
  result = received('result');
  way = received('way');
  failed = received('failure');
}

/** The answer to an order: the message at output 1. Fails with the error that a Catch node got instead. */
async function answer(message: object): Promise<Message> {
  const [results, faults] = [result.all.length, failed.all.length];
  give('command', message);
  await bench.until('an answer', () => result.all.length > results || failed.all.length > faults);
  if (failed.all.length === faults) return result.all[results];
  const { message: text, code } = failed.all[faults].error;
  throw Object.assign(new Error(text), { code });
}

function order(payload: object): Promise<Message> {
  return answer({ payload });
}

function eventsOf(id: number): string[] {
  return way.all.filter(({ payload }) => payload.id === id).map(({ payload }) => payload.event);
}

function nodeNamed(name: string) {
  const node = bench.runtime.status()?.payload.nodes.find((each) => each.name === name);
  assert.ok(node, name);
  return node;
}

describe('wattmesh-command: orders', () => {
  const dialog = { operation: 'relay', meter: 'Flat 1', args: { on: true }, timeoutS: 60 };

  it('are what the dialog says, field by field unless the payload says otherwise', () => {
    const whole = { kind: 'command', device: { meter: 'Flat 1' } };
    const args = { on: true };
    assert.deepEqual(readOrder('go', dialog), { ...whole, order: { operation: 'relay', args, timeoutS: 60 } });
    assert.deepEqual(readOrder({ timeoutS: 9, args: { on: false }, nodeId: 'AB' }, dialog), {
      kind: 'command',
      device: { nodeId: 'ab' },
      order: { operation: 'relay', args: { on: false }, timeoutS: 9 },
    });
  });

  it('take arguments of the dialog for its own operation only', () => {
    const read = readOrder({ operation: 'identify' }, dialog);
    assert.deepEqual(read.kind === 'command' && read.order.args, {});
  });

  it('take the meter of the dialog for a decision that the dialog names', () => {
    const device = { meter: 'Flat 1' };
    assert.deepEqual(readOrder('go', { ...dialog, operation: 'revoke' }), { kind: 'revoke', device });
    assert.throws(() => readOrder({ operation: 'revoke' }, dialog), { reason: 'badField' });
  });
});

describe('wattmesh-command: the badge', () => {
  it('tells the step of the one order under way, or how many there are, and then how the last one ended', () => {
    const progress = new Progress();
    const text = () => `${progress.badge().fill} ${progress.badge().text}`;
    assert.equal(text(), 'green ready');
    const relay = progress.begin('relay');
    relay.event = 'prepared';
    assert.equal(text(), 'yellow relay: prepared');
    const poll = progress.begin('pollNow');
    assert.equal(text(), 'yellow 2 under way');
    progress.ended(relay, 'expired');
    assert.equal(text(), 'yellow pollNow: waiting');
    progress.failed(new WattmeshError('commandTimeout', ''), poll);
    assert.equal(text(), 'red no result in time');
    progress.cameLate('done');
    assert.equal(text(), 'green late: done');
  });
});

describe('wattmesh-command: commands to a simulated mesh', function () {
  this.timeout(60_000);
  withNodeRed();

  before(async () => {
    await begin({}, { operation: 'pollNow', meter: 'Pitch 2' });
    await bench.joined(CAMPSITE);
  });
  after(() => bench.unload());

  it('does what the dialog says when any message comes, and answers in that message', async () => {
    const { nodeId, meter } = nodeNamed('Pitch 2');
    const message = await answer({ payload: 1772539200000, _msgid: 'the-same', kept: { by: 'me' } });
    const { id, at, ...payload } = message.payload;
    assert.deepEqual(
      [message._msgid, message.kept, message.topic],
      ['the-same', { by: 'me' }, `mesh-test/${meter}/command`],
    );
    assert.deepEqual(payload, {
      meter,
      name: 'Pitch 2',
      operation: 'pollNow',
      event: 'done',
      outcome: 'done',
      data: null,
    });
    assert.deepEqual(message.wattmesh, { network: 'mesh-test', nodeId, suite: 'ecc' });
    assert.ok(Math.abs(Date.parse(at) - bench.clock.nowMs()) < 10_000);
    assert.deepEqual(eventsOf(id), ['sent']);
    const [sent] = way.all.filter((each) => each.payload.id === id);
    assert.deepEqual([sent._msgid, sent.kept], ['the-same', { by: 'me' }]);
    assert.notEqual(sent.kept, message.kept);
    await badges('command').find('the outcome', ({ fill, text }) => fill === 'green' && text === 'pollNow: done');
  });

  it('sets an interval', async () => {
    const { meter } = nodeNamed('Pitch 3');
    const { payload } = await order({ operation: 'setInterval', meter, args: { intervalS: 2, pollCycleS: 4 } });
    assert.equal(payload.outcome, 'done');
    const rows: ReadingMessage[] = [];
    const end = bench.runtime.onReading((row) => rows.push(row));
    await bench.until('rows in the new interval', () =>
      rows.some((row) => row.payload.meter === meter && row.payload.interval_s === 2),
    );
    end();
  });

  it('has any device show itself, also by its node id', async () => {
    for (const name of ['Gateway', 'Washhouse', 'Pitch 4']) {
      const { payload } = await order({ operation: 'identify', nodeId: nodeNamed(name).nodeId.toUpperCase() });
      assert.deepEqual([payload.name, payload.outcome], [name, 'done']);
    }
  });

  it('begins a new session', async () => {
    assert.equal((await order({ operation: 'rekey' })).payload.outcome, 'done');
  });

  it('restarts a device', async () => {
    const boots = nodeNamed('Pitch 2').bootCount ?? 0;
    assert.equal((await order({ operation: 'reboot' })).payload.outcome, 'done');
    await bench.until('the next boot', () => nodeNamed('Pitch 2').bootCount === boots + 1);
  });

  it('switches a relay in two steps', async () => {
    for (const on of [true, false]) {
      const { payload } = await order({ operation: 'relay', meter: 'pitch 1', args: { on } });
      assert.deepEqual([payload.event, payload.outcome], ['done', 'done']);
      assert.deepEqual(eventsOf(payload.id), ['sent', 'prepared']);
    }
  });

  it('gives the word of a meter without a relay: refused, which is no error', async () => {
    const { payload } = await order({ operation: 'relay', args: { on: true } });
    assert.deepEqual([payload.name, payload.event, payload.outcome], ['Pitch 2', 'refused', 'refused']);
    assert.deepEqual(eventsOf(payload.id), ['sent']);
    await badges('command').find('the outcome', ({ fill, text }) => fill === 'red' && text === 'relay: refused');
  });

  it('names a device that nobody had to let in', async () => {
    const { payload } = await order({ operation: 'rename', meter: 'Pitch 3', name: 'By the lake' });
    assert.equal(payload.device, null);
    assert.equal((await order({ operation: 'pollNow', meter: 'by the lake' })).payload.name, 'By the lake');
  });

  it('fails when time runs out, and tells a result that comes later as late, beside the next command', async () => {
    give('command', { payload: { timeoutS: 5 }, _msgid: 'too-short' });
    const { id } = (await way.find('the command on its way', ({ _msgid }) => _msgid === 'too-short')).payload;
    // The head-end has no turn to store the result before time is up.
    bench.clock.advance(5_000);
    const [results, faults] = [result.all.length, failed.all.length];
    await failed.until('the error', ({ all }) => all.length > faults);
    const { error, _msgid } = failed.all[faults];
    assert.deepEqual([_msgid, error.code], ['too-short', errorCodes.commandTimeout]);
    await badges('command').find('the error', ({ fill, text }) => fill === 'red' && text === 'no result in time');
    const next = order({ operation: 'identify' });
    await bench.until('the late result', () => way.all.some(({ payload }) => payload.event === 'late'));
    const late = way.all.find(({ payload }) => payload.event === 'late');
    assert.deepEqual(
      [late._msgid, late.payload.id, late.payload.operation, late.payload.outcome],
      ['too-short', id, 'pollNow', 'done'],
    );
    assert.equal((await next).payload.operation, 'identify');
    assert.equal(result.all.length, results + 1);
    assert.equal(failed.all.length, faults + 1, 'a late result is no error');
  });

  const wrong: [string, object, keyof typeof errorCodes, RegExp][] = [
    ['an unknown device', { meter: 'Pitch 99' }, 'unknownNode', /no device Pitch 99/],
    ['a node that never joined', { nodeId: '0123456789ab' }, 'unknownNode', /0123456789ab has not joined/],
    ['an unknown operation', { operation: 'explode' }, 'badField', /no operation "explode".*msg\.payload\.operation/],
    ['a meter that is no text', { meter: 7 }, 'badField', /msg\.payload\.meter must be a text and is a number/],
    ['an empty meter', { meter: ' ' }, 'badField', /msg\.payload\.meter is empty/],
    ['an argument out of range', { operation: 'identify', args: { seconds: 256 } }, 'badField', /seconds must be/],
    ['a missing argument', { operation: 'setInterval', args: { intervalS: 5 } }, 'badField', /pollCycleS must be/],
    [
      'an unknown argument',
      { operation: 'relay', args: { onn: true } },
      'badField',
      /args\.onn is unknown: relay takes on/,
    ],
    ['a relay that is told nothing', { operation: 'relay' }, 'badField', /relay needs "on"/],
    ['too short a time', { timeoutS: 1 }, 'badField', /timeoutS must be from 5/],
    ['time that is no number', { timeoutS: '60' }, 'badField', /msg\.payload\.timeoutS must be a number/],
    [
      'arguments that are none',
      { operation: 'relay', args: [true] },
      'badField',
      /msg\.payload\.args must be an object/,
    ],
  ];
  for (const [what, payload, name, message] of wrong) {
    it(`fails for ${what}`, async () => {
      const results = result.all.length;
      await assert.rejects(order(payload), { code: errorCodes[name], message });
      assert.equal(result.all.length, results);
    });
  }

  it('fails when too many commands to one device are under way, and the others go on', async () => {
    const [results, faults] = [result.all.length, failed.all.length];
    for (let count = 0; count < 5; count++) give('command', { payload: { operation: 'identify' } });
    await bench.until('all five', () => result.all.length + failed.all.length === results + faults + 5);
    assert.deepEqual(
      failed.all.slice(faults).map(({ error }) => error.code),
      [errorCodes.queueFull],
    );
  });

  it('ends commands under way with linkClosed when it is deployed anew, and sends nothing more', async () => {
    const former = failed;
    give('command', { payload: { operation: 'relay', meter: 'Pitch 1', args: { on: true } } });
    await way.find(
      'the first step on its way',
      ({ payload }) => payload.operation === 'relay' && payload.event === 'sent',
    );
    await bench.redeploy({ operation: 'relay', relay: 'message', meter: 'meter', meterType: 'msg' });
    assert.equal(former.all.at(-1).error.code, errorCodes.linkClosed);
    listen();
    await bench.pass(20);
    assert.deepEqual([result.all, way.all, failed.all], [[], [], []]);
  });

  it('switches as a payload of true and false says, and takes the meter from the message', async () => {
    for (const on of [true, false]) {
      const { payload } = await answer({ payload: on, meter: 'Pitch 4' });
      assert.deepEqual([payload.name, payload.operation, payload.outcome], ['Pitch 4', 'relay', 'done']);
    }
    await assert.rejects(answer({ payload: 'on', meter: 'Pitch 4' }), { code: errorCodes.badField, message: /"on"/ });
    await assert.rejects(answer({ payload: true }), { code: errorCodes.badField, message: /no device is chosen/ });
    await assert.rejects(answer({ payload: true, meter: 4 }), {
      code: errorCodes.badField,
      message: /dialog points to/,
    });
    const { payload } = await order({ operation: 'identify', meter: 'Pitch 1' });
    assert.equal(payload.outcome, 'done');
  });

  it('ends commands under way with linkClosed when the network stops, and takes no more', async () => {
    give('command', { payload: true, meter: 'Pitch 4' });
    await bench.until('the command on its way', () => way.all.at(-1)?.payload.event === 'sent');
    await bench.runtime.stop();
    const { error } = await failed.find('the end', (message) => message.error.code === errorCodes.linkClosed);
    assert.match(error.message, /stopped before the result of relay/);
    await assert.rejects(answer({ payload: true, meter: 'Pitch 4' }), { code: errorCodes.linkClosed });
    await assert.rejects(order({ operation: 'devices' }), { code: errorCodes.linkClosed });
  });
});

describe('wattmesh-command: decisions of the operator', function () {
  this.timeout(60_000);
  withNodeRed();

  before(async () => {
    await begin({ approval: 'operator' }, { operation: '', meter: 'must-not-count' });
  });
  after(() => bench.unload());

  async function listed(): Promise<DeviceStatus[]> {
    return (await order({ operation: 'devices' })).payload.devices;
  }

  function digitsOf({ key, asked }: DeviceStatus): string {
    const label = labelDigits(fromHex(key));
    return asked.map((group) => label[group - 1]).join(' ');
  }

  /** A device that waits; the gateway and the hub come first, since the others ask through them. */
  async function pending(role: string): Promise<DeviceStatus> {
    const waits = (device: DeviceStatus) => device.state === 'pending' && device.role === role;
    await bench.until(`a ${role} that waits`, () => bench.runtime.devices()?.list().some(waits) === true);
    const found = (await listed()).find(waits);
    assert.ok(found);
    return found;
  }

  it('lists devices, and lets them in with the digits of their labels', async () => {
    for (const role of ['gateway', 'hub', 'meter']) {
      const device = await pending(role);
      assert.deepEqual(device.digits.filter((group) => group === null).length, 2);
      const { nodeId } = device;
      await assert.rejects(order({ operation: 'approve', nodeId, digits: '0000000000' }), {
        code: errorCodes.badField,
        message: /not the digits of groups/,
      });
      const message = await order({
        operation: 'approve',
        nodeId,
        digits: digitsOf(device),
        name: `a ${role}`,
        psk: PSK,
      });
      assert.deepEqual([message.topic, message.payload.operation], ['mesh-test/devices', 'approve']);
      const { state, name } = message.payload.device;
      assert.deepEqual([state, name], ['approved', `a ${role}`]);
      await bench.until(`the ${role} online`, () =>
        (bench.runtime.status()?.payload.nodes ?? []).some(
          (node) => node.nodeId === nodeId && node.status === 'online',
        ),
      );
    }
    await badges('command').find('the last order', ({ fill, text }) => fill === 'green' && text === 'approve: done');
    assert.equal((await order({ operation: 'pollNow', meter: 'a meter' })).payload.outcome, 'done');
  });

  it('lets a device in by the text of its label, at a metering point of its own', async () => {
    const { key } = await pending('meter');
    const label = labelText(fromHex(key));
    const { payload } = await order({ operation: 'approve', key: label, meter: 'east-1', name: 'East' });
    assert.deepEqual([payload.device.key, payload.device.meter, payload.device.name], [key, 'east-1', 'East']);
  });

  it('gives another name, and leaves the ids', async () => {
    await bench.until('East online', () => nodeNames().includes('East'));
    const { payload } = await order({ operation: 'rename', meter: 'East', name: 'East wing' });
    assert.deepEqual([payload.device.meter, payload.device.name], ['east-1', 'East wing']);
    await assert.rejects(order({ operation: 'rename', meter: 'east-1' }), { message: /msg\.payload\.name is missing/ });
  });

  it('puts another device in the place of one, which is shut out', async () => {
    const former = nodeNamed('East wing').nodeId;
    const { key } = await pending('meter');
    const { payload } = await order({ operation: 'exchange', meter: 'east wing', key: labelText(fromHex(key)) });
    assert.deepEqual([payload.device.meter, payload.device.name], ['east-1', 'East wing']);
    await assert.rejects(order({ operation: 'pollNow', nodeId: former }), { code: errorCodes.revoked });
    await bench.until('the new device', () =>
      (bench.runtime.status()?.payload.nodes ?? []).some((node) => node.key === key && node.status === 'online'),
    );
    assert.equal((await order({ operation: 'pollNow', meter: 'east-1' })).payload.outcome, 'done');
  });

  it('refuses a device that waits', async () => {
    const { nodeId } = await pending('meter');
    const { payload } = await order({ operation: 'reject', nodeId });
    assert.deepEqual([payload.operation, payload.device.nodeId, payload.device.state], ['reject', nodeId, 'rejected']);
  });

  it('shuts a device out', async () => {
    const { payload } = await order({ operation: 'revoke', meter: 'a meter' });
    assert.deepEqual([payload.device.name, payload.device.state], ['a meter', 'revoked']);
    await assert.rejects(order({ operation: 'pollNow', meter: 'a meter' }), { code: errorCodes.revoked });
  });

  it('takes no device for a decision from a dialog that names no operation', async () => {
    await assert.rejects(order({ operation: 'revoke' }), { code: errorCodes.badField, message: /no device is chosen/ });
    await assert.rejects(order({ meter: 'east-1' }), { code: errorCodes.badField, message: /no operation is chosen/ });
    await assert.rejects(order({ operation: 'approve' }), { code: errorCodes.badField, message: /no device is named/ });
  });

  it('lets all devices of a list in, as a field and as a payload', async () => {
    const key = toHex(new Uint8Array(32).fill(9));
    const text = `key,name,hub,psk\n${key},Listed,,${PSK}\nnonsense,,,\n`;
    const { payload } = await order({ operation: 'preload', text });
    assert.deepEqual([payload.operation, payload.approved, payload.faults.length], ['preload', 1, 1]);
    assert.equal(payload.faults[0].line, 3);
    await assert.rejects(order({ operation: 'preload' }), {
      code: errorCodes.badField,
      message: /msg\.payload\.text is missing/,
    });
    const wanted = (await listed()).find((device) => device.name === 'Listed');
    assert.equal(wanted?.state, 'approved');
    await bench.redeploy({ operation: 'preload' });
    listen();
    for (const content of [text, Buffer.from(text)]) {
      const again = await answer({ payload: content, filename: 'devices.csv' });
      assert.deepEqual([again.payload.approved, again.filename], [0, 'devices.csv']);
    }
  });

  it('never tells a pre-shared key: not in answers, not in errors, not in what Catch nodes get', async () => {
    const spoiled = `${PSK.slice(0, -1)}g`;
    const { key } = nodeNamed('East wing');
    await assert.rejects(order({ operation: 'approve', key: labelText(fromHex(key)), psk: PSK }));
    await assert.rejects(order({ operation: 'approve', nodeId: '0123456789ab', psk: spoiled }));
    await assert.rejects(order({ operation: 'approve', nodeId: '0123456789ab', psk: [PSK] }));
    await assert.rejects(order({ operation: 'explode', psk: PSK, text: PSK }));
    await order({ operation: 'preload', text: `zz,,,${PSK}` });
    await answer({ payload: `key,name,hub,psk\nzz,,,${PSK}` });
    assert.equal(failed.all.length, 4);
    const told = JSON.stringify([result.all, way.all, failed.all, bench.written, await listed()]);
    for (const secret of [PSK, spoiled]) assert.ok(!told.includes(secret.slice(0, 20)));
  });

  function nodeNames(): string[] {
    return (bench.runtime.status()?.payload.nodes ?? [])
      .filter(({ status }) => status === 'online')
      .map(({ name }) => name);
  }
});
