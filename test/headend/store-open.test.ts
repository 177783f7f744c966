import assert from 'node:assert/strict';
import { openStore } from '../../nodes/headend/store/open-store.ts';
import { installedDrivers } from './store-drivers.ts';
import { sampleGroup, sampleRow, scratchFolder } from './store-samples.ts';

describe('openStore', () => {
  let folder: ReturnType<typeof scratchFolder>;
  let file: string;
  const findDriver = async () => undefined;

  beforeEach(() => {
    folder = scratchFolder();
    file = folder.file('net.sqlite');
  });

  afterEach(() => folder.remove());

  it('takes SQLite where a driver loads', async function () {
    if ((await installedDrivers()).length === 0) this.skip();
    const store = await openStore({ file });
    assert.deepEqual([store.kind, store.warning], ['sqlite', undefined]);
    await store.open();
    await store.close();
  });

  it('falls back to JSONL with a warning where none does', async () => {
    const store = await openStore({ file, findDriver });
    assert.equal(store.kind, 'jsonl');
    assert.match(store.warning ?? '', /install the optional package libsql/);
    await store.open();
    await store.commit(sampleGroup([sampleRow(1)]));
    await store.close();
    const later = await openStore({ file, findDriver: async () => 'libsql' });
    assert.equal(later.kind, 'jsonl', 'readings that are there stay in use');
    assert.match(later.warning ?? '', /net\.jsonl/);
    await later.open();
    assert.equal(await later.count(), 1);
    await later.close();
  });

  it('never passes over an SQLite file without a driver', async function () {
    const [driver] = await installedDrivers();
    if (!driver) return this.skip();
    const store = await openStore({ file, findDriver: async () => driver });
    await store.open();
    await store.close();
    await assert.rejects(openStore({ file, findDriver }), { reason: 'noDriver', message: /libsql/ });
  });

  it('refuses SQLite by name without a driver', async () => {
    await assert.rejects(openStore({ file, kind: 'sqlite', findDriver }), { reason: 'noDriver' });
  });

  it('makes the other kinds on request', async () => {
    assert.equal((await openStore({ file, kind: 'memory' })).kind, 'memory');
    assert.equal((await openStore({ file, kind: 'jsonl' })).kind, 'jsonl');
  });
});
