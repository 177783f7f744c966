import assert from 'node:assert/strict';
import { symlinkSync, writeFileSync } from 'node:fs';
import { JsonlStore } from '../../nodes/headend/store/jsonl.ts';
import { SqliteStore } from '../../nodes/headend/store/sqlite.ts';
import type { DriverName } from '../../nodes/headend/store/sqlite-driver.ts';
import { installedDrivers } from './store-drivers.ts';
import { startStoreProcess } from './store-process.ts';
import { sampleGroup, sampleRow, scratchFolder } from './store-samples.ts';

for (const kind of ['jsonl', ...(await installedDrivers())]) {
  describe(`store lease: ${kind}`, () => {
    let folder: ReturnType<typeof scratchFolder>;
    let file: string;
    const make = (path = file) =>
      kind === 'jsonl' ? new JsonlStore({ file: path }) : new SqliteStore({ file: path, driver: kind as DriverName });

    beforeEach(() => {
      folder = scratchFolder();
      file = folder.file('net.store');
    });

    afterEach(() => folder.remove());

    it('refuses a second opener in this process, and leaves the first alone', async () => {
      const first = make();
      await first.open();
      await assert.rejects(make().open(), { reason: 'storeLocked', message: /in use by another/ });
      assert.equal((await first.commit(sampleGroup([sampleRow(1)]))).outbox.length, 1);
      await first.close();
      const second = make();
      assert.equal((await second.open()).outbox.length, 1);
      await second.close();
    });

    it('refuses a second process until the first has closed', async () => {
      const first = make();
      await first.open();
      const refused = startStoreProcess([kind, file, 'open']);
      await refused.ended();
      assert.match(refused.lines.join('\n'), /^failed storeLocked/);
      await first.close();
      const accepted = startStoreProcess([kind, file, 'open']);
      await accepted.ended();
      assert.deepEqual(accepted.lines, ['open']);
    }).timeout(20_000);

    it('refuses while another process holds it and not after that is killed', async () => {
      const holder = startStoreProcess([kind, file, 'hold']);
      await holder.line((line) => line === 'open');
      await assert.rejects(make().open(), { reason: 'storeLocked' });
      await holder.kill();
      const store = make();
      await store.open();
      await store.close();
    }).timeout(20_000);
  });
}

describe('store lease, by kind', () => {
  const folder = scratchFolder();

  after(() => folder.remove());

  it('SQLite: is the same through a symbolic link', async () => {
    const [driver] = await installedDrivers();
    if (!driver) return;
    const file = folder.file('linked.sqlite');
    const store = new SqliteStore({ file, driver });
    await store.open();
    symlinkSync(file, folder.file('alias.sqlite'));
    await assert.rejects(new SqliteStore({ file: folder.file('alias.sqlite'), driver }).open(), {
      reason: 'storeLocked',
    });
    await store.close();
  });

  it('JSONL: takes over the lock of a process number that another process has now, or a damaged lock', async function () {
    if (process.platform !== 'linux') this.skip();
    const file = folder.file('net.jsonl');
    for (const content of [JSON.stringify({ pid: process.pid, start: 'an earlier boot/1', token: 'x' }), '{"pid":']) {
      writeFileSync(`${file}.lock`, content);
      const store = new JsonlStore({ file });
      await store.open();
      await assert.rejects(new JsonlStore({ file }).open(), { reason: 'storeLocked', message: /net\.jsonl\.lock/ });
      await store.close();
    }
  });
});
