import assert from 'node:assert/strict';
import { fromHex } from '../../nodes/headend/bytes.ts';
import { nodeIdOf } from '../../nodes/headend/security/keys.ts';
import { LyingGateway } from './support/lying-gateway.ts';
import { METERS, SealedMesh } from './support/sealed-mesh.ts';

/** Acknowledgements in the hands of somebody who lies. The numbers are those of SECURITY.md. */

const DAY_S = 86_400;
const DAYS = 7;
/** A meter's log has room for 11,016 rows: the last third of these overwrites the first one. */
const INTERVAL_S = 40;
const POLL_CYCLE_S = 900;
/** Days on which the gateway lets nothing down at all. */
const MUTE_DAYS = [3];

describe('attack 18: a gateway that forges, drops and reorders acknowledgements', function () {
  this.timeout(120_000);

  it('for 7 days: nothing is lost or counts twice, and no row is overwritten that is not in the store', async () => {
    const mesh = await SealedMesh.joined({ seed: 18, intervalS: INTERVAL_S, pollCycleS: POLL_CYCLE_S });
    const durable = new Set<string>();
    mesh.store.committed = ({ rows }) => {
      for (const { row } of rows) durable.add(`${nodeIdOf(fromHex(row.key))}:${row.logId}:${row.seq}`);
    };
    const early: string[] = [];
    let overwritten = 0;
    mesh.world.observe({
      traced: (node, trace) => {
        if (trace.kind !== 'rowOverwritten') return;
        for (let seq = trace.first; seq <= trace.last; seq++) {
          overwritten++;
          if (!durable.has(`${mesh.nodeId(node)}:${trace.logId}:${seq}`)) early.push(`${node} ${trace.logId}:${seq}`);
        }
      },
    });
    const liar = new LyingGateway(mesh, 'seven days');
    for (let day = 0; day < DAYS; day++) {
      liar.mute = MUTE_DAYS.includes(day);
      await mesh.pass(DAY_S);
    }
    mesh.wire.letGo();
    for (const [what, times] of Object.entries(liar.done)) assert.ok(times > 100, `${what}: ${times}`);
    await mesh.pass(2 * 3600);
    await mesh.drain(3600);
    const { measured, stored, violations } = await mesh.judge();
    assert.deepEqual(violations, []);
    assert.equal(stored, measured);
    assert.ok(measured >= (METERS.length * DAYS * DAY_S) / INTERVAL_S, `${measured} rows`);
    assert.deepEqual(early, []);
    assert.ok(overwritten > 1000, `${overwritten} rows were overwritten`);
    assert.equal(new Set(mesh.messages.map(({ wattmesh }) => wattmesh.id)).size, stored);
  });
});
