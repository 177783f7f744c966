import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { toHex } from '../../nodes/headend/bytes.ts';
import { labelText } from '../../nodes/headend/security/label.ts';
import { openStore } from '../../nodes/headend/store/open-store.ts';
import { requireNone } from '../support/secret-forms.ts';
import { scratchFolder } from './store-samples.ts';
import { Bench, ecc, headEndKey, networkKey, secured, storeKey, type TestStore } from './support/bench.ts';
import { ScriptedNode } from './support/scripted-node.ts';

const psk = new Uint8Array(32).fill(0xc5);

describe('head-end: secrets', () => {
  it('stand in no message, state, list, problem or error', async () => {
    const told: unknown[] = [];
    const bench = await Bench.started({
      ...secured({ approval: 'operator' }),
      preloaded: 'not a key,,,'.concat(toHex(psk)),
    });
    const { headEnd } = bench;
    for (const listen of [
      headEnd.onStatus,
      headEnd.onTopology,
      headEnd.onState,
      headEnd.onDevices,
      headEnd.onCommand,
    ]) {
      listen.call(headEnd, (message: unknown) => told.push(message));
    }
    const node = new ScriptedNode({ seed: 'meter', security: ecc, relay: true });
    const failed = async (action: Promise<unknown>) => {
      const outcome = action.catch((error: Error) => told.push(error.message, error.stack, String(error.cause)));
      await bench.run(100);
      await outcome;
    };
    bench.hello();
    bench.up(node.m1());
    await bench.run(100);
    await failed(headEnd.devices.approve({ nodeId: node.nodeId, psk: `${toHex(psk)}x` }));
    await failed(headEnd.devices.approve({ key: labelText(node.key), psk: toHex(psk), name: 'x' }));
    await bench.run(100);
    node.takeM2(bench.lastM2(node));
    bench.up(node.up([node.readings(1, 2)]), { route: [node.shortId] });
    bench.up(node.up([node.readings(1, 2)]).fill(0, -1), { route: [node.shortId] });
    await bench.run(1000);
    void headEnd.command({ nodeId: node.nodeId, operation: 'relay', args: { on: true } }).catch(() => undefined);
    await bench.run(2000);
    bench.store.fail = new Error('disk full');
    await failed(headEnd.devices.revoke({ nodeId: node.nodeId }));
    bench.store.fail = undefined;
    await failed(headEnd.devices.revoke({ nodeId: node.nodeId }));
    await bench.run(2000);
    await failed(headEnd.devices.revoke({ nodeId: node.nodeId }));
    told.push(bench.readings, headEnd.state(), headEnd.status(), headEnd.topology(), headEnd.devices.list());
    told.push(...bench.problems.flatMap(({ message, stack }) => [message, stack]));
    assert.ok(told.length > 20);
    const keys = node.keys;
    assert.ok(keys);
    const secrets = {
      storeKey,
      psk,
      up: keys.up,
      down: keys.down,
      identity: headEndKey.secret,
      networkKey: networkKey.key,
    };
    requireNone('what was told', JSON.stringify(told), secrets);
    requireNone('a printed head-end', JSON.stringify(headEnd), secrets);
    assert.ok(bench.problems.length > 0);
  });

  for (const kind of ['auto', 'jsonl'] as const) {
    it(`lie sealed in the files of a store: ${kind}`, async () => {
      const folder = scratchFolder();
      try {
        const store = (await openStore({ file: folder.file('net.sqlite'), kind })) as TestStore;
        const node = new ScriptedNode({ seed: 'meter', security: ecc });
        const bench = await Bench.started({ ...secured(), store, preloaded: `${node.keyHex},,,${toHex(psk)}` });
        bench.up(node.m1());
        for (let wait = 0; wait < 100 && bench.downs(node, 'm2').length === 0; wait++) {
          await bench.run(100);
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
        node.takeM2(bench.lastM2(node));
        await bench.headEnd.stop();
        const keys = node.keys;
        assert.ok(keys);
        const secrets = { storeKey, psk, up: keys.up, down: keys.down, networkKey: networkKey.key };
        for (const name of readdirSync(folder.path)) {
          requireNone(name, readFileSync(folder.file(name)), secrets);
        }
        assert.ok(readdirSync(folder.path).some((name) => readFileSync(folder.file(name)).includes(node.keyHex)));
      } finally {
        folder.remove();
      }
    });
  }
});
