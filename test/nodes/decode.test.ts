import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { encodeSlip, SlipDecoder } from '../../nodes/headend/frame/slip.ts';
import {
  badges,
  badgeText,
  errors,
  give,
  helper,
  letIn,
  load,
  NET,
  plugIn,
  received,
  running,
  withNodeRed,
} from './support/bench.ts';
import { ScriptedGateway } from './support/scripted-gateway.ts';

const GARBAGE_BYTES = 10_000_000;
/** Memory that may stay behind after GARBAGE_BYTES, several times over, went through. */
const GROWTH_BYTES_MAX = 40_000_000;
const TAB = { id: 'tab', type: 'tab', label: 'test' };
const HELPERS = ['readings', 'answers', 'other-readings', 'other-answers'].map((id) => ({
  id,
  type: 'helper',
  z: 'tab',
}));

function decode(settings: object): object {
  const wires = [['readings'], ['answers']];
  return {
    id: 'decode',
    type: 'wattmesh-decode',
    z: 'tab',
    version: 1,
    network: 'net',
    mode: 'envelope',
    wires,
    ...settings,
  };
}

/** The same bytes each time, looking like noise. */
function garbage(bytes: number): Buffer {
  const block = Buffer.concat(
    Array.from({ length: 32 }, (_, index) => createHash('sha512').update(String(index)).digest()),
  );
  return Buffer.alloc(bytes, block);
}

async function begin(mode: string): Promise<void> {
  await load([TAB, NET, decode({ mode }), ...HELPERS]);
  await running();
}

/** A gateway on a byte stream. `cut` cuts what it sends. */
function streamGateway(cut: (line: Uint8Array) => Uint8Array[]): ScriptedGateway {
  const send = (envelope: Uint8Array): void => {
    for (const payload of cut(encodeSlip(envelope))) give('decode', { payload: Buffer.from(payload) });
  };
  const gateway = new ScriptedGateway('stream', send, { letIn });
  const lines = new SlipDecoder({ frame: (envelope) => gateway.take(envelope), bad: (reason) => assert.fail(reason) });
  received('answers').watch(({ payload }) => lines.push(payload));
  return gateway;
}

const oneByOne = (line: Uint8Array): Uint8Array[] => Array.from(line, (byte) => Uint8Array.of(byte));

describe('wattmesh-decode: one envelope per message', () => {
  withNodeRed();

  it('gives readings, and answers with the topic of their gateway', async () => {
    await begin('envelope');
    const [readings, answers] = [received('readings'), received('answers')];
    const gateway = plugIn('gw-1', 'decode', 'answers');
    await gateway.begin();
    gateway.rows(1, 1);
    const { topic, payload, wattmesh } = await readings.find('the row');
    assert.equal(topic, `test-net/${gateway.meter.nodeId}`);
    assert.equal(payload.power_w, 300.1);
    assert.equal(wattmesh.gateway, 'gw-1');
    assert.ok(answers.all.length >= 4);
    assert.ok(
      answers.all.every((answer) => answer.topic === 'wattmesh/test-net/gw-1/down' && Buffer.isBuffer(answer.payload)),
    );
    await badges('decode').find('the rate', ({ fill, text }) => fill === 'green' && text === '1 rows/min');
  });

  it('passes quietly over what comes before the network has started', async () => {
    await load([TAB, NET, decode({ mode: 'envelope' }), ...HELPERS]);
    const failed = errors('decode');
    give('decode', { topic: 'gw', payload: Buffer.alloc(3) });
    await running();
    assert.deepEqual(failed.all, []);
  });

  it('takes arrays of envelopes, and Buffers that went through JSON', async () => {
    await begin('envelope');
    const readings = received('readings');
    const gateway = plugIn('gw', 'decode', 'answers');
    await gateway.begin();
    const [first, second, third] = [1, 2, 3].map((seq) => Buffer.from(gateway.rowsEnvelope(seq, seq)));
    give('decode', { topic: 'gw', payload: [first, [...(second as Buffer)]] });
    give('decode', { topic: 'gw', payload: JSON.parse(JSON.stringify(third)) });
    await readings.until('three rows', ({ all }) => all.length === 3);
    assert.deepEqual(
      readings.all.map(({ wattmesh }) => wattmesh.seq),
      [1, 2, 3],
    );
  });

  it('counts bad frames on the badge and goes on', async () => {
    await begin('envelope');
    const gateway = plugIn('gw', 'decode', 'answers');
    await gateway.begin();
    const failed = errors('decode');
    const topic = 'wattmesh/test-net/gw/up';
    const good = gateway.rowsEnvelope(1, 1);
    give('decode', { topic, payload: Buffer.alloc(0) });
    give('decode', { topic, payload: Buffer.from(good.subarray(0, 7)) });
    give('decode', { topic, payload: garbage(513) });
    give('decode', { topic: 'wattmesh/elsewhere/gw/up', payload: Buffer.from(good) });
    give('decode', { topic, payload: garbage(GARBAGE_BYTES) });
    give('decode', { topic, payload: Buffer.from(good) });
    await received('readings').find('the good row', ({ wattmesh }) => wattmesh.seq === 1);
    await badges('decode').find('five bad ones', ({ text }) => text === '1/min, 5 bad');
    assert.deepEqual(helper.getNode('net').service.condition().state.errors, {
      truncated: 2,
      oversize: 2,
      wrongNetwork: 1,
    });
    assert.deepEqual(failed.all, []);
  });

  it('passes over other topics of the network and retained envelopes', async () => {
    await begin('envelope');
    const gateway = plugIn('gw', 'decode', 'answers');
    await gateway.begin();
    give('decode', { topic: 'wattmesh/test-net/gw/down', payload: Buffer.from([1, 2, 3]) });
    give('decode', { topic: 'wattmesh/test-net/gw/status', payload: 'online' });
    give('decode', { topic: 'wattmesh/test-net/host', payload: 'online 0123456789abcdef' });
    give('decode', { topic: 'wattmesh/test-net/gw/up', payload: Buffer.from([1, 2, 3]), retain: true });
    gateway.rows(1, 1);
    await received('readings').find('the row');
    assert.deepEqual(helper.getNode('net').service.condition().state.errors, {});
    assert.deepEqual(errors('decode').all, []);
  });

  it('fails an input without bytes, for Catch nodes, and recovers', async () => {
    const caught = { id: 'catch', type: 'catch', z: 'tab', scope: ['decode'], wires: [['readings']] };
    await load([TAB, NET, decode({ wires: [[], ['answers']] }), caught, ...HELPERS]);
    await running();
    const gateway = plugIn('gw', 'decode', 'answers');
    give('decode', { topic: 'gw', payload: 'text' });
    const { error } = await received('readings').find('the error');
    assert.match(error.message, /msg\.payload must be a Buffer and is a string/);
    assert.equal(badgeText('decode'), 'wrong input');
    await gateway.begin();
    await badges('decode').find('a fine badge', ({ text }) => text === 'no rows yet');
  });

  it('gives each decode node what its own gateways said', async () => {
    const other = decode({ id: 'other', wires: [['other-readings'], ['other-answers']] });
    await load([TAB, NET, decode({}), other, ...HELPERS]);
    await running();
    const [one, two] = [plugIn('one', 'decode', 'answers'), plugIn('two', 'other', 'other-answers')];
    await one.begin();
    await two.begin();
    const [readings, others] = [received('readings'), received('other-readings')];
    one.rows(1, 1);
    two.rows(1, 1);
    await readings.find('the row of one', ({ wattmesh }) => wattmesh.gateway === 'one');
    await others.find('the row of two', ({ wattmesh }) => wattmesh.gateway === 'two');
    assert.deepEqual([readings.all.length, others.all.length], [1, 1]);
  });

  it('refuses a network with a connection of its own', async () => {
    const simulated = {
      id: 'net',
      type: 'wattmesh-network',
      version: 1,
      connection: 'simulated',
      networkId: 'decode-sim',
      store: 'memory',
    };
    await load([TAB, simulated, decode({}), ...HELPERS]);
    assert.match((await errors('decode').find('the error')).message, /choose one whose connection is "Flow"/);
    assert.equal(badgeText('decode'), 'check settings');
  });
});

describe('wattmesh-decode: byte stream', () => {
  withNodeRed();

  it('finds envelopes that come byte by byte, and answers in SLIP', async () => {
    await begin('stream');
    const gateway = streamGateway(oneByOne);
    await gateway.begin();
    gateway.rows(1, 3);
    const readings = received('readings');
    await readings.until('three rows', ({ all }) => all.length === 3);
    assert.deepEqual(
      readings.all.map(({ wattmesh }) => wattmesh.seq),
      [1, 2, 3],
    );
  });

  it('keeps the streams of several gateways apart', async () => {
    await begin('stream');
    const gateway = streamGateway((line) => [line]);
    await gateway.begin();
    const line = Buffer.from(encodeSlip(gateway.rowsEnvelope(1, 1)));
    give('decode', { payload: line.subarray(0, 20) });
    give('decode', { topic: '/dev/ttyUSB1', payload: garbage(50) });
    give('decode', { payload: line.subarray(20) });
    await received('readings').find('the row', ({ wattmesh }) => wattmesh.seq === 1);
  });

  it('finds the next good envelope after 10 MB of garbage, at once or in pieces, in bounded memory', async () => {
    await begin('stream');
    const gateway = streamGateway((line) => [line]);
    await gateway.begin();
    const readings = received('readings');
    const noise = garbage(GARBAGE_BYTES);
    const before = process.memoryUsage.rss();
    give('decode', { payload: noise });
    gateway.rows(1, 1);
    await readings.find('the row after one big piece', ({ wattmesh }) => wattmesh.seq === 1);
    for (let at = 0; at < noise.length; at += 65_536) give('decode', { payload: noise.subarray(at, at + 65_536) });
    gateway.rows(2, 2);
    await readings.find('the row after many pieces', ({ wattmesh }) => wattmesh.seq === 2);
    assert.ok(process.memoryUsage.rss() - before < GROWTH_BYTES_MAX);
    await badges('decode').find('a count', ({ text }) => /^2\/min, \d+k bad$/.test(text));
    assert.deepEqual(errors('decode').all, []);
  });
});
