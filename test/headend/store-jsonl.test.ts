import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { type AppendOpener, openAppendFile } from '../../nodes/headend/store/append-file.ts';
import { JsonlStore } from '../../nodes/headend/store/jsonl.ts';
import { holdsSeq, withSeqs } from '../../nodes/headend/store/seq-ranges.ts';
import { keyB, sampleGroup, sampleLog, sampleNode, sampleRow, sampleSession, scratchFolder } from './store-samples.ts';

describe('JSONL store', () => {
  let folder: ReturnType<typeof scratchFolder>;
  let file: string;
  let store: JsonlStore;

  beforeEach(() => {
    folder = scratchFolder();
    file = folder.file('net.jsonl');
    store = new JsonlStore({ file });
  });

  afterEach(async () => {
    await store.close();
    folder.remove();
  });

  const rows = (first: number, last: number) =>
    Array.from({ length: last - first + 1 }, (_, index) => sampleRow(first + index));

  async function reopen(options: Partial<ConstructorParameters<typeof JsonlStore>[0]> = {}) {
    await store.close();
    store = new JsonlStore({ file, ...options });
    return store.open();
  }

  it('drops a torn last line as a whole, at every length', async () => {
    await store.open();
    await store.commit(sampleGroup(rows(1, 2)));
    const before = statSync(file).size;
    await store.commit(sampleGroup(rows(3, 4), { sessions: [sampleSession()], outboxSent: 2 }));
    await store.close();
    const whole = readFileSync(file);
    for (let length = before; length < whole.length; length += 7) {
      writeFileSync(file, whole.subarray(0, length));
      const state = await reopen();
      assert.deepEqual(
        [await store.count(), state.sessions, state.outbox.map(({ id }) => id)],
        [2, [], [1, 2]],
        `${length} bytes`,
      );
      assert.equal(statSync(file).size, before, 'the piece is gone');
    }
    await store.commit(sampleGroup(rows(3, 4)));
    assert.equal((await reopen()).outbox.length, 4);
  });

  it('drops a last line of rubbish with an end, and refuses one in the middle', async () => {
    await store.open();
    await store.commit(sampleGroup(rows(1, 2)));
    await store.close();
    appendFileSync(file, '{"commit":{"rows":[\0\0\0\n');
    await reopen();
    assert.equal(await store.count(), 2);
    await store.close();
    appendFileSync(file, `{"commit"\n${JSON.stringify({ epoch: 5 })}\n`);
    await assert.rejects(store.open(), { reason: 'storeFailed', message: /line 3 .* is damaged/ });
    assert.match(readFileSync(file, 'utf8'), /"epoch":5/, 'a damaged file is left as it is');
    writeFileSync(file, '');
    await store.open();
  });

  it('refuses a newer version and a foreign file', async () => {
    writeFileSync(file, `${JSON.stringify({ store: 'wattmesh', version: 3 })}\n`);
    await assert.rejects(store.open(), { reason: 'storeFailed', message: /newer release/ });
    writeFileSync(file, '{"hello":"world"}\n');
    await assert.rejects(store.open(), { reason: 'storeFailed', message: /another program/ });
    assert.equal(readFileSync(file, 'utf8'), '{"hello":"world"}\n');
  });

  it('takes over a file of version 1, which its release refuses from then on', async () => {
    const { energy: _energy, relay: _relay, suite: _suite, ...node } = sampleNode();
    const { logId: _logId, beganMs: _beganMs, sealedKeys: _sealed, ...session } = sampleSession({ suite: 0 });
    const nothing = { rows: [], arrivals: [], conflicts: [], clearedSessions: [], logs: [], outboxSent: 0 };
    const commit = { ...nothing, nodes: [node], sessions: [{ ...session, window: session.window.toString() }] };
    writeFileSync(file, `${JSON.stringify({ store: 'wattmesh', version: 1 })}\n${JSON.stringify({ commit })}\n`);
    const { nodes, sessions } = await store.open();
    assert.deepEqual(nodes, [{ ...node, energy: 'mains', relay: false, suite: 0 }]);
    assert.deepEqual(sessions, [{ ...session, logId: '', beganMs: 0, sealedKeys: '' }]);
    assert.match(readFileSync(file, 'utf8'), /"version":2}\n$/);
    await store.close();
    await store.open();
    assert.equal(readFileSync(file, 'utf8').split('"version":2').length, 2, 'once');
  });

  it('leaves nothing of a commit whose writing fails, and goes on', async () => {
    let broken = false;
    const openAppend: AppendOpener = async (path, length) => {
      const target = await openAppendFile(path, length);
      return {
        get length() {
          return target.length;
        },
        async append(text) {
          if (broken) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
          await target.append(text);
        },
        close: () => target.close(),
      };
    };
    await reopen({ openAppend });
    await store.commit(sampleGroup(rows(1, 2)));
    broken = true;
    await assert.rejects(store.commit(sampleGroup(rows(2, 4), { outboxSent: 1 })), {
      reason: 'storeFailed',
      message: /free some space/,
    });
    await assert.rejects(store.takeEpoch(5), { reason: 'storeFailed' });
    assert.equal(await store.count(), 2);
    broken = false;
    assert.equal((await store.commit(sampleGroup(rows(2, 4)))).outbox[0]?.id, 3);
    assert.equal((await reopen()).outbox.length, 4);
  });

  it('rewrites the file when it has grown, and keeps everything that counts', async () => {
    await reopen({ growthMinBytes: 20_000 });
    await store.takeEpoch(77);
    await store.commit(sampleGroup(rows(1, 5), { nodes: [sampleNode()], logs: [sampleLog()], outboxSent: 0 }));
    await store.commit(sampleGroup([sampleRow(1, { powerDw: 1 })]));
    let largest = 0;
    for (let highest = 0; highest < 200; highest++) {
      await store.commit(sampleGroup([], { sessions: [sampleSession({ highest })], outboxSent: 3 }));
      largest = Math.max(largest, statSync(file).size);
    }
    assert.ok(largest < 30_000, `${largest} bytes`);
    const state = await reopen();
    assert.deepEqual(state.sessions, [sampleSession({ highest: 199 })]);
    assert.deepEqual([state.nodes, state.logs], [[sampleNode()], [sampleLog()]]);
    assert.deepEqual(
      state.outbox.map(({ id, row, arrival }) => [id, row.seq, arrival.gateway]),
      [
        [4, 4, 'gw'],
        [5, 5, 'gw'],
      ],
    );
    assert.equal((await store.conflicts()).length, 1);
    assert.deepEqual(await store.readings({}), rows(1, 5));
    assert.equal(await store.takeEpoch(0), 78);
    assert.equal((await store.commit(sampleGroup(rows(5, 6)))).outbox[0]?.id, 6);
  });

  it('moves old rows to the archive when it is full, and still knows them', async () => {
    await reopen({ rowsMax: 40 });
    for (let first = 1; first <= 100; first += 10) {
      await store.commit(sampleGroup(rows(first, first + 9), { outboxSent: first - 1 }));
    }
    const check = async () => {
      assert.equal(await store.count(), 100);
      const held = await store.readings({});
      const moved = readFileSync(`${file}.archive`, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
      assert.deepEqual([...moved, ...held], rows(1, 100));
      assert.ok(held.length <= 40);
      assert.equal((await store.commit(sampleGroup(rows(1, 100)))).duplicates, 100);
    };
    await check();
    assert.deepEqual(
      (await reopen({ rowsMax: 40 })).outbox.map(({ id }) => id),
      rows(91, 100).map(({ seq }) => seq),
    );
    await check();
    assert.equal(
      (await store.commit(sampleGroup([sampleRow(1, { key: keyB })]))).outbox.length,
      1,
      'another node is not in the archive',
    );
  });

  it('refuses rows when it is full of unsent ones, until they are sent', async () => {
    await reopen({ rowsMax: 20 });
    await store.commit(sampleGroup(rows(1, 20)));
    await assert.rejects(store.commit(sampleGroup(rows(21, 21))), {
      reason: 'storeFailed',
      message: /at most 20 rows/,
    });
    assert.equal((await store.commit(sampleGroup(rows(20, 20)))).duplicates, 1);
    assert.equal((await store.commit(sampleGroup(rows(21, 21), { outboxSent: 20 }))).outbox[0]?.id, 21);
    assert.ok(existsSync(`${file}.archive`));
  });

  it('says on the badge what it is', () => {
    assert.match(store.warning, /250000 rows.*libsql/);
  });
});

describe('seq ranges', () => {
  it('merge neighbours and overlaps', () => {
    assert.deepEqual(
      withSeqs(
        [
          [1, 3],
          [8, 9],
        ],
        [10, 4, 6, 2],
      ),
      [
        [1, 4],
        [6, 6],
        [8, 10],
      ],
    );
    assert.equal(
      holdsSeq(
        [
          [1, 4],
          [6, 6],
        ],
        5,
      ),
      false,
    );
    assert.equal(
      holdsSeq(
        [
          [1, 4],
          [6, 6],
        ],
        6,
      ),
      true,
    );
  });
});
