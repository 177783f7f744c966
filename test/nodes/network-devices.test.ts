import assert from 'node:assert/strict';
import { WattmeshError } from '../../nodes/headend/errors.ts';
import { labelDigits, parseLabelText } from '../../nodes/headend/security/label.ts';
import type { DeviceView } from '../../nodes/wattmesh-network/admin/device-view.ts';
import { type Answer, Endpoints } from './support/endpoints.ts';
import { SimulatedBench } from './support/simulated-bench.ts';

/** Label texts of the simulated devices by name, from the list that their factory delivers. */
async function labelsOf(bench: SimulatedBench): Promise<Map<string, string>> {
  const { body } = await bench.endpoints.get('networks/net/simulated-labels');
  const lines = (body.csv as string).trim().split('\n').slice(1);
  return new Map(lines.map((line) => line.split(',')).map(([label = '', name = '']) => [name, label]));
}

const digitsOf = (label: string, groups: readonly number[]): string =>
  groups.map((group) => labelDigits(parseLabelText(label))[group - 1]).join(' ');

describe('devices of a simulated network, through the endpoints', function () {
  this.timeout(60_000);
  let bench: SimulatedBench;
  let labels: Map<string, string>;

  const label = (name: string): string => labels.get(name) as string;
  const decide = (decision: string, body: object): Promise<Answer> =>
    bench.answered(bench.endpoints.post(`networks/net/devices/${decision}`, body));
  const devices = async (): Promise<DeviceView[]> => (await bench.endpoints.get('networks/net/devices')).body.devices;
  const joined = () => bench.runtime.status()?.payload.nodes.filter(({ status }) => status === 'online') ?? [];
  const pending = () => bench.runtime.devices()?.pending() ?? [];

  before(async () => {
    bench = new SimulatedBench({ networkId: 'approving', store: 'memory', approval: 'operator' });
    assert.equal((await bench.endpoints.get('networks/net/devices')).status, 409, 'it has not started');
    assert.equal((await bench.endpoints.get('networks/net/simulated-labels')).status, 409);
    await bench.until('a running network', () => bench.runtime.condition().kind === 'running');
    labels = await labelsOf(bench);
  });
  after(() => bench.runtime.stop());

  it('come with a list of their labels', async () => {
    const { body } = await bench.endpoints.get('networks/net/simulated-labels');
    assert.match(
      body.csv,
      new RegExp(`^key,name,hub,psk\n${label('Gateway')},Gateway,,\n${label('Washhouse')},Washhouse,1,\n`),
    );
    assert.deepEqual([...labels.keys()], ['Gateway', 'Washhouse', 'Pitch 1', 'Pitch 2', 'Pitch 3', 'Pitch 4']);
  });

  it('wait for the operator, who is not shown what stands on their labels', async () => {
    await bench.until('the gateway to ask', () => pending().length === 1);
    const { body, headers } = await bench.endpoints.get('networks/net/devices');
    assert.equal(headers['cache-control'], 'no-store');
    const { devices: listed, ...rest } = body as { devices: DeviceView[] };
    assert.deepEqual(rest, { nodesKnown: 0, simulated: true });
    const [gateway] = listed as [DeviceView];
    assert.deepEqual([gateway.state, gateway.role, gateway.label], ['pending', 'gateway', undefined]);
    assert.equal(gateway.digits.filter((group) => group === null).length, 2);
    assert.ok(!JSON.stringify(body).includes('WM1:'));
  });

  it('are approved with the digits that are asked for, and with no others', async () => {
    const [{ nodeId, asked }] = pending() as [DeviceView];
    const wrong = digitsOf(label('Pitch 1'), asked);
    for (const digits of [wrong, '', undefined]) {
      const { status, body } = await decide('approve', { nodeId, digits });
      assert.equal(status, 400);
      assert.match(body.error, /not the digits of groups/);
    }
    const { status, body } = await decide('approve', { nodeId, digits: digitsOf(label('Gateway'), asked) });
    assert.deepEqual([status, body.device.state, body.device.label], [200, 'approved', label('Gateway')]);
    await bench.until('the gateway to be in', () => joined().length === 1);
    assert.equal((await bench.endpoints.get('networks/net/devices')).body.nodesKnown, 1);
  });

  it('join without a click from a list', async () => {
    const lines = ['Washhouse', 'Pitch 1', 'Pitch 2'].map((name) => `${label(name)},${name},,`);
    const { body } = await decide('preload', { text: `key,name,hub,psk\n${lines.join('\n')}\nno key,,,\n` });
    assert.equal(body.approved, 3);
    assert.deepEqual(
      body.faults.map(({ line }: { line: number }) => line),
      [5],
    );
    await bench.until('hub and meters to be in', () => joined().length === 4);
    await bench.until('readings of both', () => new Set(bench.readings.map(({ topic }) => topic)).size === 2);
    for (const { wattmesh } of bench.readings) assert.equal(wattmesh.suite, 'ecc');
  });

  it('are rejected, and listed no more among those that wait', async () => {
    const other = () => pending().find(({ role }) => role === 'meter');
    await bench.until('another meter to ask', () => other() !== undefined);
    const { nodeId } = other() as DeviceView;
    assert.equal((await decide('reject', { nodeId })).status, 200);
    assert.ok(pending().every((device) => device.nodeId !== nodeId));
    assert.equal((await decide('reject', { nodeId })).status, 400, 'it no longer waits');
    assert.equal((await devices()).find((device) => device.nodeId === nodeId)?.state, 'rejected');
  });

  it('are renamed, and keep their ids', async () => {
    const before = joined().find(({ name }) => name === 'Pitch 1');
    assert.equal((await decide('rename', { meter: before?.meter, name: 'By the water' })).status, 200);
    const after = joined().find(({ nodeId }) => nodeId === before?.nodeId);
    assert.deepEqual([after?.name, after?.meter], ['By the water', before?.meter]);
    assert.equal((await decide('rename', { meter: before?.meter, name: 'Pitch 2' })).status, 400);
    assert.equal((await decide('rename', { meter: before?.meter })).status, 400);
  });

  it('are exchanged, and the metering point goes on under its id and name', async () => {
    const former = joined().find(({ name }) => name === 'Pitch 2');
    const { status, body } = await decide('exchange', { meter: former?.meter, key: label('Pitch 3') });
    assert.equal(status, 200, body.error);
    assert.deepEqual([body.device.meter, body.device.label], [former?.meter, label('Pitch 3')]);
    const successor = body.device.nodeId;
    const from = bench.readings.length;
    const next = () => bench.readings.slice(from).find(({ wattmesh }) => wattmesh.nodeId === successor);
    await bench.until('a reading of the new device', () => next() !== undefined, 1200);
    assert.equal(next()?.payload.meter, former?.meter);
    const states = new Map((await devices()).map(({ nodeId, state }) => [nodeId, state]));
    assert.deepEqual([states.get(former?.nodeId ?? ''), states.get(successor)], ['revoked', 'approved']);
  });

  it('are revoked, and shown without a label from then on', async () => {
    const { nodeId } = joined().find(({ name }) => name === 'By the water') ?? { nodeId: '' };
    assert.equal((await decide('revoke', { nodeId })).status, 200);
    const device = (await devices()).find((each) => each.nodeId === nodeId);
    assert.deepEqual([device?.state, device?.label], ['revoked', undefined]);
    assert.equal((await decide('revoke', { nodeId })).status, 400, 'once is enough');
  });

  it('cannot be decided on with half a request, or one of the wrong form', async () => {
    const faulty: [string, unknown, RegExp][] = [
      ['approve', {}, /which device is meant/],
      ['approve', [], /must be a JSON object/],
      ['approve', { key: 7 }, /key must be a text/],
      ['approve', { nodeId: { toString: 'x' } }, /nodeId must be a text/],
      ['approve', { key: 'WM1:' }, /no label/],
      ['approve', { key: 'x'.repeat(300) }, /key is too long/],
      ['approve', { key: label('Pitch 4'), hub: 'many' }, /hub must be a number/],
      ['revoke', { nodeId: '000000000000' }, /no device 000000000000/],
      ['revoke', { __proto__: null, constructor: 'x' }, /which device is meant/],
      ['exchange', { key: label('Pitch 4') }, /meter is missing/],
      ['preload', { text: 7 }, /text must be a text/],
    ];
    for (const [decision, body, message] of faulty) {
      const { status, body: answer } = await decide(decision, body as object);
      assert.equal(status, 400, `${decision} ${JSON.stringify(body)}: ${JSON.stringify(answer)}`);
      assert.match(answer.error, message);
    }
  });

  it('belong to a network that exists and runs', async () => {
    for (const path of ['devices', 'simulated-labels']) {
      assert.equal((await bench.endpoints.get(`networks/nothing/${path}`)).status, 404);
    }
    assert.equal((await bench.endpoints.post('networks/nothing/devices/approve')).status, 404);
    await bench.runtime.stop();
    const { status, body } = await bench.endpoints.get('networks/net/devices');
    assert.deepEqual([status, body], [409, { error: 'the network is not running: its badge says why' }]);
  });
});

describe('a decision about a device that fails', () => {
  it('says whose fault it is', async () => {
    const statuses: [Error, number][] = [
      [new WattmeshError('badField', 'wrong'), 400],
      [new WattmeshError('unknownNode', 'not here'), 400],
      [new WattmeshError('linkClosed', 'not running'), 409],
      [new WattmeshError('storeFailed', 'disk full'), 500],
      [new TypeError('a fault of ours'), 500],
    ];
    for (const [error, status] of statuses) {
      const service = { devices: () => ({ revoke: () => Promise.reject(error) }) };
      const endpoints = new Endpoints({
        getNode: () => ({ type: 'wattmesh-network', service }),
        getCredentials: () => undefined,
      });
      const answer = await endpoints.post('networks/net/devices/revoke', { nodeId: '000000000000' });
      assert.deepEqual([answer.status, answer.body], [status, { error: error.message }]);
    }
  });
});

describe('a simulated network where everybody may join', function () {
  this.timeout(60_000);

  it('has readings within a minute, and its badge has nothing to warn of', async () => {
    const bench = new SimulatedBench({ networkId: 'open', store: 'memory' });
    await bench.until('a reading', () => bench.readings.length > 0, 60);
    const condition = bench.runtime.condition();
    assert.ok(condition.kind === 'running' && !condition.attention);
    assert.deepEqual(bench.troubles, []);
    const { devices } = (await bench.endpoints.get('networks/net/devices')).body as { devices: DeviceView[] };
    const meter = devices.find(({ role, status }) => role === 'meter' && status === 'online');
    assert.equal(meter?.state, 'joined', 'a device that is in without a decision is listed all the same');
    assert.deepEqual(labelDigits(parseLabelText(meter.label ?? '')), meter.digits);
    await bench.runtime.stop();
  });
});
