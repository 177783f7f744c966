import assert from 'node:assert/strict';
import { Random } from '../../firmware/simulator/random.ts';
import { JOINED_S, type Mesh, meshInALine } from './mesh.ts';

/** Attacks on a meter's switch, and resets while it moves. The numbers are those of SECURITY.md. */

const PREPARE = 16;
const COMMIT = 17;
const ON = 1;
/** A command and its result, over all hops, with what the radio repeats. */
const ANSWER_S = 25;

interface Switches extends Mesh {
  /** How often each meter's switch moved. */
  readonly moves: Map<string, number>;
}

function joined(seed?: number): Switches {
  const mesh = meshInALine(seed);
  const moves = new Map<string, number>();
  mesh.world.observe({ switched: (node) => moves.set(node, (moves.get(node) ?? 0) + 1) });
  mesh.world.run(JOINED_S * 1e6);
  return { ...mesh, moves };
}

function outcomes(mesh: Mesh, id: string, command: number): string[] {
  return [...new Set(mesh.results(id, command).map(({ outcome }) => outcome))];
}

/** The nonce that a meter gives for switching on. */
function prepared(mesh: Mesh, id: string, command: number): number[] {
  mesh.command(id, command, PREPARE, ON);
  mesh.pass(ANSWER_S);
  const result = mesh.results(id, command).at(0);
  assert.equal(result?.outcome, 'prepared');
  return [...(result?.data ?? [])];
}

describe('attack 16: a COMMIT that is late, repeated, for another or unprepared', () => {
  it('moves the switch once when it is as it should be, and not again when it is sent again', () => {
    const mesh = joined();
    const nonce = prepared(mesh, 'm2', 1);
    for (const command of [2, 3]) {
      mesh.command('m2', command, COMMIT, ...nonce);
      mesh.pass(ANSWER_S);
      assert.deepEqual(outcomes(mesh, 'm2', command), ['done']);
      assert.deepEqual([...mesh.moves], [['m2', 1]]);
      assert.equal(mesh.world.device('m2').relayOn, true);
    }
  });

  it('moves nothing 61 s after PREPARE', () => {
    const mesh = joined();
    const nonce = prepared(mesh, 'm2', 1);
    mesh.pass(61 - ANSWER_S);
    mesh.command('m2', 2, COMMIT, ...nonce);
    mesh.pass(ANSWER_S);
    assert.deepEqual(outcomes(mesh, 'm2', 2), ['expired']);
    assert.equal(mesh.moves.size, 0);
  });

  it('moves nothing in another meter, without PREPARE, or when the meter has restarted', () => {
    const mesh = joined();
    const nonce = prepared(mesh, 'm2', 1);
    mesh.command('m1', 2, COMMIT, ...nonce);
    mesh.command('m1', 3, COMMIT, ...new Uint8Array(8));
    mesh.pass(ANSWER_S);
    assert.deepEqual([outcomes(mesh, 'm1', 2), outcomes(mesh, 'm1', 3)], [['refused'], ['refused']]);
    mesh.world.apply({ kind: 'powerCut', node: 'm2', atS: 0 });
    mesh.pass(20);
    assert.equal(mesh.world.device('m2').state()?.joined, true);
    mesh.command('m2', 4, COMMIT, ...nonce);
    mesh.pass(ANSWER_S);
    assert.deepEqual(outcomes(mesh, 'm2', 4), ['refused']);
    assert.equal(mesh.moves.size, 0);
  });
});

describe('attack 17: a reset at every step of a COMMIT', () => {
  it('moves the switch at most once, and tells what became of it', function () {
    this.timeout(60_000);
    const told = new Set<string>();
    for (let operation = 1; operation <= 4; operation++) {
      for (let seed = 1; seed <= 5; seed++) {
        const mesh = joined(seed);
        const { world } = mesh;
        const nonce = prepared(mesh, 'm2', 1);
        world.device('m2').flash.cutPowerAt(operation, new Random(`${seed} ${operation}`));
        mesh.command('m2', 2, COMMIT, ...nonce);
        // Whatever the head-end has heard by then, it asks again.
        mesh.pass(90);
        assert.equal(world.device('m2').state()?.joined, true, `seed ${seed}, operation ${operation}`);
        mesh.command('m2', 2, COMMIT, ...nonce);
        mesh.pass(ANSWER_S);
        const moved = mesh.moves.get('m2') ?? 0;
        const result = outcomes(mesh, 'm2', 2);
        const what = `seed ${seed}, operation ${operation}`;
        assert.equal(result.length, 1, `${what}: ${result}`);
        assert.equal(world.device('m2').relayOn, moved === 1, what);
        assert.equal(result[0] === 'done', moved === 1, `${what}: ${result}, ${moved} moves`);
        told.add(`${result} ${moved}`);
      }
    }
    assert.ok(told.has('done 1') && told.size > 1, [...told].join());
  });
});
