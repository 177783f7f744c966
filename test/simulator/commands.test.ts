import assert from 'node:assert/strict';
import { JOINED_S, type Mesh, meshInALine } from '../attacks/mesh.ts';

const POLL_NOW = 1;
const SET_INTERVAL = 2;
const IDENTIFY = 3;
const REBOOT = 4;
const REKEY = 5;
const SEEN = 0;
/** A command and its first result, without waiting for a poll. */
const SOON_S = 3;
const CYCLE_S = 20;

function joined(): Mesh {
  const mesh = meshInALine();
  mesh.world.run(JOINED_S * 1e6);
  return mesh;
}

function payloadOf({ head, world }: Mesh, id: string) {
  return head.peers.get(world.device(id).state()?.nodeId ?? '')?.payload;
}

describe('commands to the firmware', () => {
  it('are answered by every role, without waiting for a poll', () => {
    const mesh = joined();
    const identified: string[] = [];
    mesh.world.observe({ identified: (node, seconds) => identified.push(`${node} ${seconds}`) });
    for (const id of ['gw', 'h1', 'm1', 'm2']) {
      mesh.command(id, 1, POLL_NOW);
      mesh.command(id, 2, IDENTIFY, 7);
      mesh.command(id, 3, 99);
    }
    mesh.pass(SOON_S);
    for (const id of ['gw', 'h1', 'm1', 'm2']) {
      assert.deepEqual(
        [1, 2, 3].map((command) => mesh.results(id, command).at(0)?.outcome),
        ['done', 'done', 'unknownOperation'],
        id,
      );
    }
    assert.deepEqual(identified.sort(), ['gw 7', 'h1 7', 'm1 7', 'm2 7']);
  });

  it('are reported four times, or until the head-end says that it knows', () => {
    const mesh = joined();
    mesh.command('m2', 1, POLL_NOW);
    mesh.pass(8 * CYCLE_S);
    assert.equal(mesh.results('m2', 1).length, 4);
    mesh.command('m2', 2, POLL_NOW);
    mesh.pass(SOON_S);
    const before = mesh.results('m2', 2).length;
    mesh.command('m2', 2, SEEN);
    mesh.pass(8 * CYCLE_S);
    assert.ok(before >= 1 && mesh.results('m2', 2).length <= before + 1);
  });

  it('set an interval that outlives a power cut', () => {
    const mesh = joined();
    mesh.command('m2', 1, SET_INTERVAL, 5, 0, 40, 0);
    mesh.pass(SOON_S);
    assert.equal(mesh.results('m2', 1).at(0)?.outcome, 'done');
    const intervals = (): number[] =>
      mesh.world
        .log('m2')
        .rows()
        .slice(-5)
        .map(({ row }) => row.intervalS);
    mesh.pass(60);
    assert.deepEqual(intervals(), [5, 5, 5, 5, 5]);
    mesh.world.apply({ kind: 'powerCut', node: 'm2', atS: 0 });
    mesh.pass(60);
    assert.deepEqual(intervals(), [5, 5, 5, 5, 5]);
    assert.deepEqual([payloadOf(mesh, 'm2')?.intervalS, payloadOf(mesh, 'm2')?.pollCycleS], [5, 40]);
  });

  it('restart a device once its result is on its way', () => {
    const mesh = joined();
    const power: string[] = [];
    mesh.world.observe({ power: (node, on) => power.push(`${node} ${on} ${mesh.results('m2', 1).length}`) });
    const boots = payloadOf(mesh, 'm2')?.bootCount ?? 0;
    mesh.command('m2', 1, REBOOT);
    mesh.pass(60);
    assert.deepEqual(power, ['m2 false 0', 'm2 true 1']);
    const payload = payloadOf(mesh, 'm2');
    assert.deepEqual([payload?.bootCount, payload?.resetCause], [boots + 1, 'software']);
    assert.equal(mesh.world.device('m2').state()?.joined, true);
  });

  it('begin a new handshake', () => {
    const mesh = joined();
    const number = payloadOf(mesh, 'm2')?.handshake ?? 0;
    mesh.command('m2', 1, REKEY);
    mesh.pass(30);
    assert.equal(payloadOf(mesh, 'm2')?.handshake, number + 1);
    assert.equal(mesh.world.device('m2').state()?.joined, true);
    assert.equal(mesh.results('m2', 1).at(0)?.outcome, 'done');
  });
});
