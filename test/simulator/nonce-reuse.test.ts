import assert from 'node:assert/strict';
import {
  COUNTER_RUNS_MAX,
  NONCE_VIOLATIONS_MAX,
  NonceReuseChecker,
} from '../../firmware/simulator/checkers/nonce-reuse.ts';
import { loadFirmware } from '../../firmware/simulator/firmware.ts';
import { parseScenario } from '../../firmware/simulator/scenario.ts';
import { simulate } from '../../firmware/simulator/simulation.ts';
import { packetNonce } from '../../nodes/headend/security/nonce.ts';
import { nodeProvider } from '../../nodes/headend/security/provider-node.ts';
import { SealedMesh } from '../attacks/support/sealed-mesh.ts';

function key(byte: number): Uint8Array {
  return new Uint8Array(32).fill(byte);
}

describe('nonce-reuse checker', () => {
  it('passes counters in any order, of many keys and owner epochs', () => {
    const checker = new NonceReuseChecker('1');
    for (const counter of [0, 1, 2, 7, 5, 6, 3, 0xffff_ffff, 8]) {
      for (const epoch of [0, 1, 0xffff_ffff]) {
        for (const byte of [1, 2]) checker.sealed('m1', key(byte), packetNonce(counter, epoch), 1);
      }
    }
    assert.deepEqual(checker.violations, []);
    assert.equal(checker.seals, 9 * 3 * 2);
  });

  it('reports a nonce that comes again under its key, whoever seals', () => {
    const checker = new NonceReuseChecker('7');
    for (const counter of [0, 1, 2, 9]) checker.sealed('m1', key(1), packetNonce(counter, 5), 1);
    for (const counter of [1, 9]) checker.sealed('head-end', key(1), packetNonce(counter, 5), 3);
    const report = (counter: number) => ({
      checker: 'nonce-reuse',
      what: `a key is used twice with counter ${counter} of owner epoch 5`,
      who: 'head-end',
      atS: 3,
      seed: '7',
    });
    assert.deepEqual(checker.violations, [report(1), report(9)]);
  });

  it('tells nonces apart by all their bytes', () => {
    const checker = new NonceReuseChecker('1');
    for (let at = 0; at < 12; at++) {
      const nonce = new Uint8Array(12);
      nonce[at] = 1;
      checker.sealed('m1', key(1), nonce, 1);
    }
    assert.deepEqual(checker.violations, []);
  });

  it('has limits: of violations, and of what it remembers of one key', () => {
    const checker = new NonceReuseChecker('1');
    for (let time = 0; time < 2 * NONCE_VIOLATIONS_MAX; time++) checker.sealed('m1', key(1), packetNonce(3), time);
    assert.equal(checker.violations.length, NONCE_VIOLATIONS_MAX);
    const gaps = new NonceReuseChecker('1');
    for (let run = 0; run <= COUNTER_RUNS_MAX; run++) gaps.sealed('m1', key(1), packetNonce(2 * run), 1);
    gaps.sealed('m1', key(1), packetNonce(2), 1);
    assert.equal(gaps.violations.length, 1);
    gaps.sealed('m1', key(1), packetNonce(0), 1);
    assert.equal(gaps.violations.length, 1, 'the oldest of them is forgotten');
  });

  it('watches a provider, which seals as before', () => {
    const checker = new NonceReuseChecker('1');
    const provider = checker.watched(nodeProvider, 'head-end', () => 4);
    const parts = [key(1), packetNonce(1), new Uint8Array(3), new Uint8Array(5)] as const;
    assert.deepEqual(provider.aeadSeal(...parts), nodeProvider.aeadSeal(...parts));
    assert.equal(checker.seals, 1);
    provider.aeadSeal(...parts);
    assert.deepEqual([checker.violations[0]?.who, checker.violations[0]?.atS], ['head-end', 4]);
  });

  it('sees every seal of a mesh: a backup and a clock that goes back by the same time are found out', async () => {
    const mesh = await SealedMesh.joined();
    const { moment } = mesh.store;
    const atS: number[] = [];
    for (const store of [mesh.store, await mesh.store.backup(moment)]) {
      mesh.killHeadEnd();
      await mesh.bury();
      mesh.store = store;
      atS.push(mesh.nowS);
      // The third life begins at the very second of the second one, of which its store knows nothing.
      mesh.clockAheadMs = Math.round(1000 * ((atS[0] ?? 0) - mesh.nowS));
      assert.deepEqual(mesh.nonces.violations, []);
      await mesh.startHeadEnd();
      await mesh.pass(100);
    }
    assert.ok(mesh.nonces.seals > 30);
    assert.ok(mesh.nonces.violations.some(({ who }) => who === 'head-end'));
  }).timeout(20_000);

  it('is part of every run', async () => {
    const firmware = loadFirmware();
    // A device whose counters stand still.
    const stuck: typeof firmware = {
      instantiate: (imports) =>
        firmware.instantiate({
          ...imports,
          aead_seal: (...args) => {
            imports.aead_seal(...args);
            return imports.aead_seal(...args);
          },
        }),
    };
    const scenario = parseScenario({
      durationS: 60,
      nodes: [
        { id: 'gw', role: 'gateway' },
        { id: 'm1', role: 'meter' },
      ],
      links: [
        { from: 'gw', to: 'm1', prr: 1 },
        { from: 'm1', to: 'gw', prr: 1 },
      ],
      mesh: { suite: 'noise', pollCycleS: 10 },
      reading: { intervalS: 10 },
    });
    const checkers = async (firmware: typeof stuck) =>
      (await simulate({ scenario, firmware })).violations.map(({ checker }) => checker);
    assert.deepEqual(await checkers(firmware), []);
    assert.deepEqual([...new Set(await checkers(stuck))], ['nonce-reuse']);
  }).timeout(20_000);
});
