import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { backupName, migrate, migrations } from '../../nodes/headend/store/schema.ts';
import { SqliteStore } from '../../nodes/headend/store/sqlite.ts';
import { loadDriver, type SqlOpener } from '../../nodes/headend/store/sqlite-driver.ts';
import { CALLS_PENDING_MAX } from '../../nodes/headend/store/sqlite-thread.ts';
import { installedDrivers } from './store-drivers.ts';
import { startStoreProcess } from './store-process.ts';
import { sampleGroup, sampleLog, sampleNode, sampleRow, sampleSession, scratchFolder } from './store-samples.ts';

const drivers = await installedDrivers();

for (const driver of drivers) {
  describe(`SQLite store by ${driver}`, () => {
    let folder: ReturnType<typeof scratchFolder>;
    let file: string;
    let openFile: SqlOpener;
    let store: SqliteStore;

    before(async () => {
      openFile = await loadDriver(driver);
    });

    beforeEach(() => {
      folder = scratchFolder();
      file = folder.file('wattmesh/net.sqlite');
      store = new SqliteStore({ file, driver });
    });

    afterEach(async () => {
      await store.close();
      folder.remove();
    });

    function edit(sql: string, path = file): void {
      const database = openFile(path);
      database.exec(sql);
      database.close();
    }

    function ask(sql: string): unknown {
      const database = openFile(file);
      const [row] = database.prepare(sql).all();
      database.close();
      return row?.answer;
    }

    it('leaves nothing of a commit that fails half-way, and goes on', async () => {
      await store.open();
      await store.commit(sampleGroup([sampleRow(1)], { sessions: [sampleSession({ highest: 1 })] }));
      edit(
        `CREATE TRIGGER full BEFORE INSERT ON readings WHEN NEW.seq = 30 BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END`,
      );
      const rows = Array.from({ length: 40 }, (_, index) => sampleRow(index + 1));
      const group = sampleGroup(rows, {
        nodes: [sampleNode()],
        sessions: [sampleSession({ highest: 2 })],
        logs: [sampleLog()],
        outboxSent: 1,
      });
      await assert.rejects(store.commit(group), { reason: 'storeFailed', message: /disk is full.*free some space/ });
      await store.close();
      const state = await store.open();
      assert.equal(await store.count(), 1);
      assert.deepEqual(state.sessions, [sampleSession({ highest: 1 })]);
      assert.deepEqual([state.nodes, state.logs, state.outbox.map(({ id }) => id)], [[], [], [1]]);
      await assert.rejects(store.commit(group), { reason: 'storeFailed' });
      edit('DROP TRIGGER full');
      const result = await store.commit(group);
      assert.deepEqual(
        result.outbox.map(({ id }) => id),
        Array.from({ length: 39 }, (_, index) => index + 2),
      );
      assert.equal(result.duplicates, 1);
    });

    it('mixes new, repeated and conflicting rows in one large group', async () => {
      await store.open();
      await store.commit(sampleGroup([50, 51, 52].map((seq) => sampleRow(seq))));
      const rows = Array.from({ length: 100 }, (_, index) =>
        sampleRow(index + 1, index + 1 === 51 ? { powerDw: 1 } : {}),
      );
      const { outbox, duplicates, conflicts } = await store.commit(sampleGroup(rows));
      assert.deepEqual([outbox.length, duplicates, conflicts.length], [97, 2, 1]);
      assert.deepEqual(
        outbox.map(({ id }) => id),
        Array.from({ length: 97 }, (_, index) => index + 4),
      );
      assert.deepEqual(
        await store.readings({}),
        Array.from({ length: 100 }, (_, index) => sampleRow(index + 1)),
      );
      assert.equal(await store.count(), 100);
    });

    it('commits with synchronous=FULL into a write-ahead log, and lets others read meanwhile', async () => {
      await store.open();
      await store.commit(sampleGroup([sampleRow(1)]));
      assert.equal(ask('SELECT journal_mode AS answer FROM pragma_journal_mode'), 'wal');
      assert.equal(ask('SELECT count(*) AS answer FROM readings'), 1);
    });

    it('refuses an epoch that another program has taken', async () => {
      await store.open();
      await store.takeEpoch(100);
      edit('UPDATE head SET owner_epoch = 200');
      await assert.rejects(store.takeEpoch(100), { reason: 'storeFailed', message: /changed by another program/ });
    });

    it('refuses a file of a newer schema and leaves it as it is', async () => {
      await store.open();
      await store.close();
      edit('PRAGMA user_version = 99');
      await assert.rejects(store.open(), {
        reason: 'storeFailed',
        message: /newer release \(schema 99, this one knows up to 2\)/,
      });
      assert.equal(ask('SELECT user_version AS answer FROM pragma_user_version'), 99);
      edit(`PRAGMA user_version = ${migrations.length}`);
      await store.open();
    });

    it('refuses files that are no store', async () => {
      const foreign = folder.file('foreign.sqlite');
      edit('CREATE TABLE somebody (else_s INTEGER)', foreign);
      await assert.rejects(new SqliteStore({ file: foreign, driver }).open(), {
        reason: 'storeFailed',
        message: /another program/,
      });
      edit('PRAGMA user_version = 1', foreign);
      await assert.rejects(new SqliteStore({ file: foreign, driver }).open(), {
        reason: 'storeFailed',
        message: /another program/,
      });
      const text = folder.file('text.sqlite');
      writeFileSync(text, 'plain text, no database\n'.repeat(50));
      await assert.rejects(new SqliteStore({ file: text, driver }).open(), {
        reason: 'storeFailed',
        message: /restore a backup/,
      });
      mkdirSync(folder.file('directory'));
      await assert.rejects(new SqliteStore({ file: folder.file('directory'), driver }).open(), {
        reason: 'storeFailed',
      });
    });

    it('copies the file before a migration, and keeps the old version when a step fails', async () => {
      await store.open();
      await store.commit(sampleGroup([sampleRow(1)]));
      await store.close();
      const database = openFile(file);
      const steps = (step: string) => [...migrations, step];
      assert.throws(
        () => migrate(database, file, steps('ALTER TABLE nodes ADD COLUMN floor TEXT; broken')),
        /syntax error/,
      );
      assert.equal(database.prepare('PRAGMA user_version').all()[0]?.user_version, migrations.length);
      migrate(database, file, steps('ALTER TABLE nodes ADD COLUMN floor TEXT'));
      assert.equal(database.prepare('PRAGMA user_version').all()[0]?.user_version, migrations.length + 1);
      assert.deepEqual(database.prepare('SELECT floor FROM nodes').all(), []);
      database.close();
      const backup = new SqliteStore({ file: backupName(file, migrations.length), driver });
      await backup.open();
      assert.deepEqual(await backup.readings({}), [sampleRow(1)]);
      await backup.close();
    });

    it('takes over a file of version 1', async () => {
      mkdirSync(folder.file('wattmesh'));
      const database = openFile(file);
      migrate(database, file, migrations.slice(0, 1));
      database.exec(`
        INSERT INTO keys VALUES (1, '${sampleNode().key}');
        INSERT INTO nodes VALUES (1, 'a1a1a1a1a1a1', 'm', 'n', 'meter', 12, 0, 4, 60, 60, '1.2.3', 5);
        INSERT INTO sessions VALUES (1, 'current', 7, 0, 41, '3', 5, 'ab')`);
      database.close();
      const { nodes, sessions } = await store.open();
      assert.deepEqual(nodes, [
        sampleNode({ meter: 'm', name: 'n', lastSeenMs: 5, energy: 'mains', relay: false, suite: 0 }),
      ]);
      const since2 = { logId: '', beganMs: 0, sealedKeys: '' };
      assert.deepEqual(sessions, [sampleSession({ suite: 0, window: 3n, handshakeHash: 'ab', ...since2 })]);
      assert.ok(existsSync(backupName(file, 1)));
    });

    it('makes no backup of a new file', async () => {
      await store.open();
      assert.equal(existsSync(backupName(file, 0)), false);
    });

    it('says so when the file cannot be written', async function () {
      if (process.platform === 'win32') this.skip();
      await store.open();
      await store.close();
      chmodSync(folder.path, 0o755);
      const attempt = async () => {
        const child = startStoreProcess([driver, file, 'open-unprivileged']);
        await child.ended();
        return child.lines.join('\n');
      };
      chmodSync(file, 0o444);
      chmodSync(`${file}-lease`, 0o444);
      assert.match(await attempt(), /^failed storeFailed .*net\.sqlite-lease failed: .*writable/);
      chmodSync(`${file}-lease`, 0o666);
      chmodSync(folder.file('wattmesh'), 0o777);
      assert.match(await attempt(), /^failed storeFailed .*net\.sqlite failed: .*writable/);
      for (const suffix of ['', '-wal', '-shm']) chmodSync(`${file}${suffix}`, 0o666);
      assert.equal(await attempt(), 'open');
    }).timeout(20_000);

    it('refuses calls past its limit instead of piling them up', async () => {
      await store.open();
      const calls = Array.from({ length: CALLS_PENDING_MAX + 1 }, () => store.count());
      const outcomes = await Promise.allSettled(calls);
      assert.equal(outcomes.filter(({ status }) => status === 'rejected').length, 1);
      await assert.rejects(calls[CALLS_PENDING_MAX] as Promise<number>, { reason: 'queueFull' });
      assert.equal(await store.count(), 0);
    });
  });
}

describe('SQLite drivers', () => {
  it('open each other’s files', async function () {
    const [first, second] = drivers;
    if (!first || !second) return this.skip();
    const folder = scratchFolder();
    const file = folder.file('net.sqlite');
    for (const [round, driver] of [first, second, first].entries()) {
      const store = new SqliteStore({ file, driver });
      assert.equal((await store.open()).outbox.length, round);
      await store.commit(sampleGroup([sampleRow(round + 1, { importDwh: 2 ** 48 + 1 })]));
      await store.close();
    }
    folder.remove();
  });
});
