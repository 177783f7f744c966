import assert from 'node:assert/strict';
import { JsonlStore } from '../../nodes/headend/store/jsonl.ts';
import { SqliteStore } from '../../nodes/headend/store/sqlite.ts';
import type { DriverName } from '../../nodes/headend/store/sqlite-driver.ts';
import type { Store } from '../../nodes/headend/store/store.ts';
import { installedDrivers } from './store-drivers.ts';
import { checkNumbered, numberedGroup } from './store-numbered.ts';
import { startStoreProcess } from './store-process.ts';
import { scratchFolder } from './store-samples.ts';

/** After how many more reported groups each round is killed. */
const ROUNDS = [1, 7, 2, 19, 4, 11];

for (const kind of ['jsonl', ...(await installedDrivers())]) {
  describe(`store killed with SIGKILL: ${kind}`, () => {
    const folder = scratchFolder();
    const file = folder.file('net.store');
    const open = (): Store =>
      kind === 'jsonl' ? new JsonlStore({ file }) : new SqliteStore({ file, driver: kind as DriverName });

    after(() => folder.remove());

    it('keeps what was reported, whole groups only, and frees its lease', async () => {
      let known = 0;
      for (const more of ROUNDS) {
        const child = startStoreProcess([kind, file, 'commit']);
        await child.line((line) => line === `done ${known + more}`);
        await child.kill();
        const reported = Math.max(
          ...child.lines.filter((line) => line.startsWith('done')).map((line) => Number(line.slice(5))),
        );
        const store = open();
        known = await checkNumbered(store, await store.open(), reported);
        await store.close();
      }
      assert.ok(known >= ROUNDS.reduce((sum, more) => sum + more, 0));
    }).timeout(60_000);

    it('would notice a group that is missing a row', async () => {
      const store = open();
      const state = await store.open();
      const next = numberedGroup((state.sessions[0]?.highest ?? 0) + 1);
      await store.commit({ ...next, rows: next.rows.slice(1) });
      await store.close();
      const damaged = await store.open();
      await assert.rejects(checkNumbered(store, damaged, 1), /whole groups/);
      await store.close();
    });
  });
}
