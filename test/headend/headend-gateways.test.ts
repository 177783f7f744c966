import assert from 'node:assert/strict';
import { errorCodes } from '../../nodes/headend/errors.ts';
import { GATEWAY_RECENT_MS, GATEWAYS_MAX } from '../../nodes/headend/gateways.ts';
import { networkNumber } from '../../nodes/headend/security/keys.ts';
import { Bench, NETWORK, START_MS } from './support/bench.ts';
import { ScriptedNode } from './support/scripted-node.ts';

const quiet = { uptimeS: 10, framesReceived: 1, framesSent: 1, sendsFailed: 0, badMac: 0, replays: 0, malformed: 0 };

describe('head-end: gateways', () => {
  it('answers HELLO with HELLO and TIME, and sends TIME every 10 s', async () => {
    const bench = await Bench.started();
    bench.hello();
    assert.deepEqual(
      bench.link.sent.map(({ envelope }) => envelope),
      [
        { type: 'hello', instanceId: '0123456789abcdef', networkNumber: networkNumber(NETWORK) },
        { type: 'time', utcMs: START_MS, synchronised: true },
      ],
    );
    await bench.run(35_000);
    assert.equal(bench.link.all('time').length, 4);
    assert.equal(bench.headEnd.state().gateways, 1);
  });

  it('ignores a gateway of another network, and says so', async () => {
    const bench = await Bench.started();
    bench.hello('stick', '010203040506', 'other-net');
    const node = new ScriptedNode({ seed: 'm1' });
    bench.up(node.m1(), { gateway: 'stick' });
    await bench.run(20_000);
    assert.deepEqual(bench.link.sent, []);
    assert.equal(bench.errors().wrongNetwork, 2);
    assert.equal(bench.headEnd.state().gateways, 0);
    assert.match(bench.headEnd.state().warnings.join(), /stick belongs to another network/);
    bench.hello('stick');
    assert.doesNotMatch(bench.headEnd.state().warnings.join(), /stick/);
    assert.equal(bench.headEnd.state().gateways, 1);
  });

  it('sends each downlink through the gateway that heard the node last', async () => {
    const bench = await Bench.started();
    const node = new ScriptedNode({ seed: 'm1' });
    await bench.joinAndSpeak(node, { gateway: 'one' });
    bench.up(node.up([node.readings(1, 1)]), { gateway: 'one', route: [node.shortId] });
    await bench.run(400);
    const copy = node.up([node.readings(2, 2)]);
    const first = bench.up(copy, { gateway: 'two', route: [node.shortId] });
    const second = bench.up(copy, { gateway: 'one', route: [node.shortId] });
    await bench.run(400);
    assert.equal(bench.downs(node, 'down', 'one').length, 1);
    assert.equal(bench.downs(node, 'down', 'two').length, 1, 'a replay through another gateway moves nothing');
    assert.deepEqual(
      bench.readings.map(({ wattmesh }) => wattmesh.seq),
      [1, 2],
    );
    assert.ok(bench.link.acknowledged('two').includes(first));
    assert.ok(bench.link.acknowledged('one').includes(second));
  });

  it('acknowledges again when a downlink found no route', async () => {
    const bench = await Bench.started();
    const node = new ScriptedNode({ seed: 'm1' });
    await bench.joinAndSpeak(node);
    bench.up(node.up([node.readings(1, 1)]), { route: [node.shortId] });
    await bench.run(400);
    const token = bench.link.all('down').at(-1)?.token as number;
    bench.link.deliver('other', { type: 'downResult', token, error: errorCodes.noRoute });
    bench.up(node.up([node.telemetry()]), { route: [node.shortId] });
    await bench.run(400);
    assert.equal(bench.acks(node).length, 1, "another gateway's token is none of ours");
    bench.link.deliver('gw', { type: 'downResult', token, error: errorCodes.noRoute });
    await bench.run(400);
    assert.equal(bench.acks(node).length, 1, 'only when the node is heard');
    bench.up(node.up([node.telemetry()]), { route: [node.shortId] });
    await bench.run(400);
    assert.equal(bench.acks(node).length, 2);
    const next = bench.link.all('down').at(-1)?.token as number;
    bench.link.deliver('gw', { type: 'downResult', token: next, error: 0 });
    bench.up(node.up([node.telemetry()]), { route: [node.shortId] });
    await bench.run(400);
    assert.equal(bench.acks(node).length, 2);
  });

  it('acknowledges again when the gateway could not be reached', async () => {
    const bench = await Bench.started();
    const node = new ScriptedNode({ seed: 'm1' });
    await bench.joinAndSpeak(node);
    bench.link.unreachable.add('gw');
    bench.up(node.up([node.readings(1, 1)]), { route: [node.shortId] });
    await bench.run(400);
    assert.equal(bench.acks(node).length, 0);
    bench.link.unreachable.clear();
    bench.up(node.up([node.telemetry()]), { route: [node.shortId] });
    await bench.run(400);
    assert.equal(bench.acks(node).length, 1);
  });

  it('gives downlinks an expiry ahead of its own clock', async () => {
    const bench = await Bench.started();
    await bench.join(new ScriptedNode({ seed: 'm1' }));
    const expiresS = bench.link.all('down')[0]?.expiresS as number;
    assert.ok(expiresS > bench.clock.nowMs() / 1000 + 30);
  });

  it('believes the link about presence', async () => {
    const bench = await Bench.started();
    bench.link.handler.presence?.('gw', true);
    assert.equal(bench.link.all('time', 'gw').length, 1, 'a gateway that is back hears from its host at once');
    assert.equal(bench.headEnd.state().gateways, 1);
    bench.link.handler.presence?.('gw', false);
    assert.equal(bench.headEnd.state().gateways, 0);
    await bench.run(11_000);
    assert.equal(bench.link.all('time', 'gw').length, 1);
    bench.link.handler.presence?.('never heard of', false);
    assert.equal(bench.headEnd.state().gateways, 0);
  });

  it('no longer counts a gateway that is silent', async () => {
    const bench = await Bench.started();
    bench.hello();
    await bench.run(GATEWAY_RECENT_MS + 100);
    assert.equal(bench.headEnd.state().gateways, 0);
  });

  it('knows a bounded number of gateways, and makes room where one is silent or has brought nothing true', async () => {
    const bench = await Bench.started();
    for (let index = 0; index < 3 * GATEWAYS_MAX; index++) bench.hello(`idle ${index}`);
    assert.equal(bench.headEnd.state().gateways, GATEWAYS_MAX);
    for (let index = 0; index < GATEWAYS_MAX; index++) {
      await bench.join(new ScriptedNode({ seed: `m${index}` }), { gateway: `g${index}` });
    }
    assert.deepEqual(bench.errors(), {});
    bench.hello('one too many');
    assert.equal(bench.errors().queueFull, 1);
    assert.equal(bench.headEnd.state().gateways, GATEWAYS_MAX);
    await bench.run(GATEWAY_RECENT_MS + 100);
    bench.hello('one too many');
    assert.equal(bench.errors().queueFull, 1);
    assert.equal(bench.headEnd.state().gateways, 1);
  });

  it('shows what gateways report', async () => {
    const bench = await Bench.started();
    bench.hello();
    bench.link.deliver('gw', { type: 'log', level: 'error', text: 'NV write failed' });
    bench.link.deliver('gw', { type: 'log', level: 'info', text: 'chatter' });
    const rest = { queue: 0, members: 0, neighbours: 0 };
    bench.link.deliver('gw', { type: 'stats', ...quiet, ...rest, queueFull: 4 });
    bench.link.deliver('gw', { type: 'stats', ...quiet, ...rest, queueFull: 6 });
    const warnings = bench.headEnd.state().warnings.join('\n');
    assert.match(warnings, /gw: NV write failed/);
    assert.match(warnings, /dropped 2 frames/);
    assert.doesNotMatch(warnings, /chatter/);
    bench.link.deliver('gw', { type: 'stats', ...quiet, ...rest, queueFull: 6 });
    await bench.run(3_700_000);
    assert.doesNotMatch(bench.headEnd.state().warnings.join(), /gw/);
  });

  it('counts what is no envelope, whatever the gateway is called', async () => {
    const bench = await Bench.started();
    const { handler } = bench.link;
    handler.bad('gw', 'badCrc', 7);
    for (const name of ['__proto__', 'constructor', '']) {
      handler.envelope(name, Uint8Array.of(0x11));
      handler.envelope(name, new Uint8Array(0));
      handler.envelope(name, new Uint8Array(600));
      handler.envelope(name, Uint8Array.of(0x21, 1, 2));
      handler.envelope(name, Uint8Array.of(0x1f, 1, 2));
    }
    assert.deepEqual(bench.errors(), { badCrc: 1, truncated: 6, oversize: 3, badVersion: 3, unknownType: 3 });
    assert.deepEqual(bench.problems, []);
  });

  it('tells its state on change, at most once a second', async () => {
    const bench = await Bench.started();
    const told: number[] = [];
    bench.headEnd.onState(({ gateways }) => told.push(gateways));
    await bench.run(2000);
    bench.hello('one');
    bench.hello('two');
    assert.deepEqual(told, [1]);
    await bench.run(1000);
    assert.deepEqual(told, [1, 2]);
  });
});
