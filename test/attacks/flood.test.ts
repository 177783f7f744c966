import assert from 'node:assert/strict';
import { Random } from '../../firmware/simulator/random.ts';
import { PENDING_MAX } from '../../nodes/headend/admissions.ts';
import { encodePacketHeader, SUITE_ECC } from '../../nodes/headend/frame/packet.ts';
import {
  GATEWAY_HANDSHAKE_REFILL_MS,
  GATEWAY_HANDSHAKES_BURST,
  NODE_HANDSHAKE_REFILL_MS,
  NODE_HANDSHAKES_BURST,
} from '../../nodes/headend/gate.ts';
import type { CryptoProvider } from '../../nodes/headend/security/provider.ts';
import { nodeProvider } from '../../nodes/headend/security/provider-node.ts';
import { Bench, ecc, secured } from '../headend/support/bench.ts';
import { ScriptedNode } from '../headend/support/scripted-node.ts';

/** A flood of handshakes. The number is that of SECURITY.md. */

const METERS = 50;
const SECONDS = 20;
const M1_PER_SECOND = 1000;
const STEP_MS = 10;
const ROWS_PER_REPORT = 2;
/** Each meter reports once a second. */
const REPORT_STEPS = 1000 / STEP_MS;
const STRANGERS = 300;
const M1_BODY_BYTES = 32 + 48 + 44;

/** A provider that counts what costs most. */
function counting(): { readonly provider: CryptoProvider; readonly count: () => number } {
  let agreements = 0;
  const x25519: CryptoProvider['x25519'] = (secret, publicKey) => {
    agreements++;
    return nodeProvider.x25519(secret, publicKey);
  };
  return { provider: { ...nodeProvider, x25519 }, count: () => agreements };
}

function forged(nodeId: string, counter: number, random: Random): Uint8Array {
  const header = encodePacketHeader({ type: 'm1', suite: SUITE_ECC, fragment: false, nodeId, session: 0, counter });
  return Buffer.concat([header, random.bytes(M1_BODY_BYTES)]);
}

describe('attack 11: 1,000 handshakes a second while 50 meters report', () => {
  it('costs a bounded number of key agreements, no row, and no meter its session', async function () {
    this.timeout(60_000);
    const random = new Random('flood');
    const meters = Array.from({ length: METERS }, (_, index) => new ScriptedNode({ seed: `m${index}`, security: ecc }));
    const { provider, count } = counting();
    const bench = await Bench.started({
      ...secured({ approval: 'operator' }),
      provider,
      preloaded: `key,name,hub,psk\n${meters.map(({ keyHex }) => `${keyHex},,,\n`).join('')}`,
    });
    for (const meter of meters) await bench.joinAndSpeak(meter);
    const recorded = meters.map((meter) => meter.m1({ handshake: meter.handshake }));
    const strangers = Array.from({ length: STRANGERS }, (_, index) =>
      new ScriptedNode({ seed: `stranger ${index}`, security: ecc }).m1(),
    );
    const before = { agreements: count(), groups: bench.store.groups.length };

    const flood = [
      () => forged(Buffer.from(random.bytes(6)).toString('hex'), 1, random),
      (index: number) => strangers[index % STRANGERS] as Uint8Array,
      (index: number) => forged((meters[index % METERS] as ScriptedNode).nodeId, 1000 + index, random),
      (index: number) => recorded[index % METERS] as Uint8Array,
    ];
    let sent = 0;
    const steps = (SECONDS * 1000) / STEP_MS;
    const seqs = new Array<number>(METERS).fill(0);
    for (let step = 0; step < steps; step++) {
      for (let index = 0; index < (M1_PER_SECOND * STEP_MS) / 1000; index++, sent++) {
        const m1 = flood[sent % flood.length] as (index: number) => Uint8Array;
        // One gateway brings the flood, the other one the meters: and both the other's too.
        bench.up(m1(Math.floor(sent / flood.length)), { gateway: sent % 3 === 0 ? 'gw' : 'evil', route: [0] });
      }
      meters.forEach((meter, index) => {
        if ((step + index) % REPORT_STEPS !== 0) return;
        const first = (seqs[index] as number) + 1;
        seqs[index] = first + ROWS_PER_REPORT - 1;
        const gateway = index % 2 === 0 ? 'gw' : 'evil';
        bench.up(meter.up([meter.readings(first, first + ROWS_PER_REPORT - 1)]), { gateway, route: [meter.shortId] });
      });
      await bench.run(STEP_MS);
      assert.ok(bench.headEnd.state().pendingDevices <= PENDING_MAX);
    }
    await bench.run(1000);

    assert.equal(sent, SECONDS * M1_PER_SECOND);
    const rows = meters.map(
      (meter) => bench.readings.filter(({ wattmesh }) => wattmesh.nodeId === meter.nodeId).length,
    );
    assert.deepEqual(rows, seqs, 'every row of every meter came');
    assert.equal(await bench.store.count(), METERS * SECONDS * ROWS_PER_REPORT);
    for (const [index, meter] of meters.entries()) {
      assert.equal(bench.acks(meter).at(-1)?.cumulative, seqs[index], 'and is acknowledged');
    }

    const passed =
      2 * (GATEWAY_HANDSHAKES_BURST + (SECONDS * 1000) / GATEWAY_HANDSHAKE_REFILL_MS) +
      METERS * (NODE_HANDSHAKES_BURST + (SECONDS * 1000) / NODE_HANDSHAKE_REFILL_MS);
    // Two for an M1, two more for its answer; nobody who is known here is answered.
    assert.ok(count() - before.agreements <= 2 * passed, `${count() - before.agreements} agreements, ${passed} passed`);
    const { errors, warnings, nodesKnown } = bench.headEnd.state();
    assert.ok((errors.rateLimited ?? 0) > 0.8 * sent - passed, `${errors.rateLimited} refused`);
    assert.equal(nodesKnown, METERS);
    assert.equal(bench.headEnd.devices.list().filter(({ state }) => state === 'pending').length, PENDING_MAX);
    assert.deepEqual(bench.problems, []);
    assert.ok(warnings.length < 10);
    // Commits go by time, not by packets.
    assert.ok(bench.store.groups.length - before.groups <= (SECONDS * 1000) / 50 + 25);

    await bench.run(NODE_HANDSHAKES_BURST * NODE_HANDSHAKE_REFILL_MS);
    for (const meter of meters.slice(0, 5)) await bench.joinAndSpeak(meter);
  });
});
