import assert from 'node:assert/strict';
import { badges, badgeText, load, NET, plugIn, received, running, withNodeRed } from './support/bench.ts';
import { ScriptedGateway } from './support/scripted-gateway.ts';

const TAB = { id: 'tab', type: 'tab', label: 'test' };
const DECODE = {
  id: 'decode',
  type: 'wattmesh-decode',
  z: 'tab',
  version: 1,
  network: 'net',
  mode: 'envelope',
  wires: [['decoded'], ['answers']],
};
const HELPERS = ['answers', 'decoded', 'live', 'late'].map((id) => ({ id, type: 'helper', z: 'tab' }));

function readings(settings: object): object {
  return {
    id: 'readings',
    type: 'wattmesh-readings',
    z: 'tab',
    version: 1,
    network: 'net',
    wires: [['live'], ['late']],
    ...settings,
  };
}

/** A network fed through a decode node, two meters joined. */
async function begin(
  settings: object,
  names: object[] = [],
): Promise<{ first: ScriptedGateway; second: ScriptedGateway }> {
  await load([TAB, { ...NET, names }, DECODE, readings(settings), ...HELPERS]);
  const [first, second] = [plugIn('first', 'decode', 'answers'), plugIn('second', 'decode', 'answers')];
  await running();
  await first.begin();
  await second.begin();
  return { first, second };
}

describe('wattmesh-readings', () => {
  withNodeRed();

  it('sends one message per row, oldest first, in the promised form', async () => {
    const { first } = await begin({});
    const live = received('live');
    first.rows(1, 2);
    await live.until('two rows', ({ all }) => all.length === 2);
    const { nodeId, keyHex } = first.meter;
    const { _msgid, ...message } = live.all[0];
    assert.equal(message.topic, `test-net/${nodeId}`);
    const { measuredAt, receivedAt, ...payload } = message.payload;
    assert.equal(Date.parse(measuredAt) % 1000, 0);
    assert.ok(Math.abs(Date.parse(receivedAt) - Date.now()) < 10_000);
    assert.deepEqual(payload, {
      meter: nodeId,
      name: `meter-${nodeId.slice(-4)}`,
      interval_s: 60,
      power_w: 300.1,
      energy_import_kwh: 100.005,
      quality: 'good',
    });
    assert.equal(message.wattmesh.id, `${keyHex}:a0a0a0a0:1`);
    assert.deepEqual(
      [message.wattmesh.gateway, message.wattmesh.late, message.wattmesh.redelivered],
      ['first', false, false],
    );
    assert.deepEqual(
      live.all.map(({ wattmesh }) => wattmesh.seq),
      [1, 2],
    );
    assert.doesNotThrow(() => JSON.stringify(message));
    await badges('readings').find('the rate', ({ fill, text }) => fill === 'green' && text === '2 rows/min');
  });

  it('sends late rows to the second output', async () => {
    const { first } = await begin({});
    const [live, late] = [received('live'), received('late')];
    first.rows(1, 1, 3600);
    first.rows(2, 2);
    await live.find('the live row', ({ wattmesh }) => wattmesh.seq === 2);
    await late.find('the late row', ({ wattmesh }) => wattmesh.seq === 1 && wattmesh.late === true);
    assert.deepEqual([live.all.length, late.all.length], [1, 1]);
  });

  it('sends everything to the one output when it has only one', async () => {
    const { first } = await begin({ split: false, wires: [['live']] });
    const live = received('live');
    first.rows(1, 1, 3600);
    first.rows(2, 2);
    await live.until('both rows', ({ all }) => all.length === 2);
    assert.deepEqual(
      live.all.map(({ wattmesh }) => wattmesh.late),
      [true, false],
    );
  });

  it('takes only the meters of its list, by name or by id', async () => {
    const { meter } = new ScriptedGateway('second', () => undefined);
    const { first, second } = await begin({ meters: 'Nobody, FLAT 2' }, [{ id: meter.nodeId, name: 'Flat 2' }]);
    const live = received('live');
    first.rows(1, 3);
    second.rows(1, 1);
    await live.find('the row of Flat 2', ({ payload }) => payload.name === 'Flat 2');
    assert.equal(live.all.length, 1);
    assert.equal(live.all[0].payload.meter, second.meter.nodeId);
  });

  it('gives each tap a message of its own', async () => {
    const { first } = await begin({});
    const [live, decoded] = [received('live'), received('decoded')];
    first.rows(1, 1);
    const [one, other] = [await live.find('the row'), await decoded.find('the row')];
    assert.deepEqual(one.wattmesh, other.wattmesh);
    assert.notEqual(one.payload, other.payload);
    assert.notEqual(one.wattmesh.path, other.wattmesh.path);
  });

  it('says what is wrong where there is no network', async () => {
    const disabled = { id: 'off', type: 'wattmesh-network', version: 1, connection: 'simulated', d: true };
    const taps = [
      ['none', ''],
      ['missing', 'gone'],
      ['switched-off', 'off'],
    ].map(([id, network]) => ({ id, type: 'wattmesh-readings', z: 'tab', version: 1, network, wires: [[], []] }));
    await load([TAB, disabled, ...taps]);
    assert.deepEqual(['none', 'missing', 'switched-off'].map(badgeText), [
      'no network',
      'network missing',
      'network disabled',
    ]);
  });
});
