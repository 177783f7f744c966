import assert from 'node:assert/strict';
import { Random } from '../../firmware/simulator/random.ts';
import { errorCodes } from '../../nodes/headend/errors.ts';
import { decodeFrame, decodeFrameBody, FRAME_TYPES, type FrameBody } from '../../nodes/headend/frame/radio.ts';
import type { Recorded } from './attacker.ts';
import { JOINED_S, type Mesh, meshInALine, NETWORK_KEY } from './mesh.ts';

/** Attacks on a meter's switch, and resets while it moves. The numbers are those of SECURITY.md. */

const PREPARE = 16;
const COMMIT = 17;
const OFF = 0;
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

/** The nonce that a meter gives for switching. */
function prepared(mesh: Mesh, id: string, command: number, state = ON): number[] {
  mesh.command(id, command, PREPARE, state);
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
    mesh.pass(90);
    assert.equal(mesh.world.device('m2').state()?.joined, true);
    mesh.command('m2', 4, COMMIT, ...nonce);
    mesh.pass(ANSWER_S);
    assert.deepEqual(outcomes(mesh, 'm2', 4), ['refused']);
    assert.equal(mesh.moves.size, 0);
  });
});

describe('attack 16: the recorded packet of a COMMIT', () => {
  /** The one packet for m2 that was on air while `act` took its time. */
  function recorded(mesh: Mesh, act: () => void): { frame: Recorded; packet: Uint8Array } {
    const from = mesh.attacker.recorded.length;
    act();
    const found = mesh.attacker.recorded.slice(from).flatMap((frame) => {
      if (frame.to !== 'm2' || frame.type !== FRAME_TYPES.routed) return [];
      const body = decodeFrameBody(decodeFrame(frame.frame));
      const sections = body.type === 'routed' ? body.sections : [];
      return sections.flatMap((section) => (section.kind === 'packet' ? [{ frame, packet: section.packet }] : []));
    });
    return found[0] ?? assert.fail('no packet for m2 was on air');
  }

  it('moves nothing again: neither its frame nor, from a neighbour with the network key, the packet in a new one', () => {
    const mesh = joined();
    const { world, attacker } = mesh;
    const nonce = prepared(mesh, 'm2', 1);
    const commit = recorded(mesh, () => {
      mesh.command('m2', 2, COMMIT, ...nonce);
      mesh.pass(ANSWER_S);
    });
    mesh.command('m2', 4, COMMIT, ...prepared(mesh, 'm2', 3, OFF));
    mesh.pass(ANSWER_S);
    assert.deepEqual([mesh.moves.get('m2'), world.device('m2').relayOn], [2, false]);
    const shortId = (id: string): number => world.device(id).state()?.shortId ?? 0;
    const linkKey = attacker.networkLinkKey(NETWORK_KEY, 1);
    for (const delayS of [0, 61]) {
      mesh.pass(delayS);
      for (const counts of mesh.drops.values()) counts.clear();
      attacker.replay('m2', commit.frame);
      for (const [victim, neighbour] of [
        ['m2', 'm1'],
        ['m1', 'h1'],
      ] as const) {
        const section = { kind: 'packet', hold: false, packet: commit.packet } as const;
        const body: FrameBody = { type: 'routed', route: [shortId(victim)], at: 0, sections: [section] };
        const counter = 0x7000_0000 + delayS;
        attacker.forge(victim, world.device(neighbour).mac, { body, keyId: 1, counter, linkKey });
      }
      assert.equal(mesh.drops.get('m2')?.get(errorCodes.replay), 2, 'the frame, and the packet');
      assert.equal(mesh.drops.get('m1')?.get(errorCodes.unknownNode), 1, 'it is for another meter');
      mesh.pass(ANSWER_S);
    }
    assert.deepEqual([mesh.moves.get('m2'), mesh.moves.get('m1')], [2, undefined]);
    assert.equal(world.device('m2').relayOn, false);
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

  it('at any moment while the COMMIT and its answer are on their way, too', function () {
    this.timeout(60_000);
    const told = new Set<string>();
    for (let step = 0; step < 30; step++) {
      const mesh = joined();
      const nonce = prepared(mesh, 'm2', 1);
      mesh.command('m2', 2, COMMIT, ...nonce);
      mesh.pass(step * 0.02);
      mesh.world.apply({ kind: 'powerCut', node: 'm2', atS: 0 });
      mesh.pass(90);
      mesh.command('m2', 2, COMMIT, ...nonce);
      mesh.pass(ANSWER_S);
      const moved = mesh.moves.get('m2') ?? 0;
      const result = outcomes(mesh, 'm2', 2);
      assert.deepEqual(result, [moved === 1 ? 'done' : 'refused'], `step ${step}: ${moved} moves`);
      assert.equal(mesh.world.device('m2').relayOn, moved === 1, `step ${step}`);
      told.add(`${result} ${moved}`);
    }
    assert.deepEqual([...told].sort(), ['done 1', 'refused 0']);
  });
});
