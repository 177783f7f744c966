import assert from 'node:assert/strict';
import type { ConflictRecord } from '../../nodes/headend/store/row-content.ts';
import { READINGS_PER_QUERY_MAX, type Store } from '../../nodes/headend/store/store.ts';
import {
  keyA,
  keyB,
  START_MS,
  sampleAdmission,
  sampleArrival,
  sampleGroup,
  sampleLog,
  sampleNode,
  sampleRow,
  sampleSession,
} from './store-samples.ts';

export interface JudgedStore extends Store {
  conflicts(): Promise<ConflictRecord[]>;
}

/** A place where stores of one kind can be opened one after the other on the same content. */
export interface StorePlace {
  store(): JudgedStore;
  remove(): void;
}

/** What every kind of store promises. */
export function storeContract(name: string, makePlace: () => StorePlace): void {
  describe(`store contract: ${name}`, () => {
    let place: StorePlace;
    let store: JudgedStore;

    beforeEach(async () => {
      place = makePlace();
      store = place.store();
      await store.open();
    });

    afterEach(async () => {
      await store.close();
      place.remove();
    });

    async function reopen() {
      await store.close();
      store = place.store();
      return store.open();
    }

    it('starts empty', async () => {
      assert.deepEqual(await reopen(), { nodes: [], sessions: [], logs: [], admissions: [], secrets: [], outbox: [] });
      assert.equal(await store.count(), 0);
      assert.deepEqual(await store.readings({}), []);
    });

    rowTests(() => store, reopen);
    exactnessTests(() => store, reopen);
    stateTests(() => store, reopen);
    queryTests(() => store);
    lifeTests(() => store, reopen);
  });
}

type Current = () => JudgedStore;
type Reopen = () => ReturnType<Store['open']>;

function rowTests(store: Current, reopen: Reopen): void {
  it('stores each identity once and counts repetitions', async () => {
    const first = await store().commit(sampleGroup([sampleRow(1), sampleRow(2), sampleRow(2)]));
    assert.deepEqual(first, {
      outbox: [1, 2].map((seq) => ({ id: seq, row: sampleRow(seq), arrival: sampleArrival })),
      duplicates: 1,
      conflicts: [],
    });
    const second = await store().commit(sampleGroup([sampleRow(2), sampleRow(3), sampleRow(1)]));
    assert.deepEqual(
      second.outbox.map(({ id, row }) => [id, row.seq]),
      [[3, 3]],
    );
    assert.equal(second.duplicates, 2);
    assert.equal(await store().count(), 3);
    await reopen();
    assert.equal(await store().count(), 3);
    assert.equal((await store().commit(sampleGroup([sampleRow(3)]))).duplicates, 1);
  });

  it('takes the same seq of another key or another log as another row', async () => {
    const others = [sampleRow(1), sampleRow(1, { key: keyB }), sampleRow(1, { logId: '0a0b0c0d' })];
    assert.equal((await store().commit(sampleGroup(others))).outbox.length, 3);
  });

  it('keeps the first content, and another content of its identity aside', async () => {
    const changes = [
      { powerDw: 1 },
      { importDwh: undefined },
      { quality: 'clock' },
      { measuredAtMs: START_MS },
      { exportDwh: 0 },
      { intervalS: 61 },
    ] as const;
    await store().commit(sampleGroup([sampleRow(1)]));
    for (const change of changes) {
      const wrong = sampleRow(1, change);
      const result = await store().commit(sampleGroup([wrong, sampleRow(1)]));
      assert.deepEqual(result, { outbox: [], duplicates: 1, conflicts: [wrong] });
      assert.deepEqual((await store().commit(sampleGroup([wrong]))).conflicts, [wrong], 'reported again');
    }
    await reopen();
    assert.deepEqual(await store().readings({}), [sampleRow(1)]);
    const kept = await store().conflicts();
    assert.equal(kept.length, changes.length, 'each content is kept once');
    assert.deepEqual(kept[0], { row: sampleRow(1, { powerDw: 1 }), receivedAtMs: sampleArrival.receivedAtMs });
  });

  it('judges two contents of one identity in one group', async () => {
    const result = await store().commit(sampleGroup([sampleRow(1), sampleRow(1, { powerDw: 1 })]));
    assert.deepEqual(
      result.outbox.map(({ row }) => row),
      [sampleRow(1)],
    );
    assert.deepEqual(result.conflicts, [sampleRow(1, { powerDw: 1 })]);
  });

  it('keeps at most 100 conflicts per node', async () => {
    await store().commit(sampleGroup([sampleRow(1), sampleRow(1, { key: keyB })]));
    const wrong = Array.from({ length: 101 }, (_, index) => sampleRow(1, { powerDw: index }));
    assert.equal((await store().commit(sampleGroup(wrong))).conflicts.length, 101);
    await store().commit(sampleGroup([sampleRow(1, { key: keyB, powerDw: 1 })]));
    const kept = await store().conflicts();
    assert.equal(kept.filter(({ row }) => row.key === keyA).length, 100);
    assert.equal(kept.filter(({ row }) => row.key === keyB).length, 1);
  });
}

function exactnessTests(store: Current, reopen: Reopen): void {
  it('gives integers back exactly, absent registers as absent', async () => {
    const large = 2 ** 48;
    const rows = [
      sampleRow(1, { measuredAtMs: large, importDwh: large + 1, exportDwh: large - 1, powerDw: -large, currentCa: 0 }),
      sampleRow(2, { measuredAtMs: large + 1, importDwh: Number.MAX_SAFE_INTEGER, powerDw: Number.MIN_SAFE_INTEGER }),
      sampleRow(4_294_967_295, {
        measuredAtMs: large + 2,
        voltageDv: 2_301,
        frequencyChz: 5_000,
        powerFactorPct: -98,
        quality: 'estimated',
      }),
      { key: keyA, logId: 'ffffffff', seq: 1, measuredAtMs: large + 3, intervalS: 65_535, quality: 'clock' } as const,
    ];
    await store().commit(sampleGroup(rows));
    const { outbox } = await reopen();
    assert.deepEqual(await store().readings({}), rows);
    assert.deepEqual(
      outbox.map(({ row }) => row),
      rows,
    );
    assert.equal((await store().commit(sampleGroup(rows))).duplicates, rows.length);
  });

  it('refuses what it could not give back', async () => {
    const wrong = [
      { powerDw: 0.5 },
      { powerDw: Number.NaN },
      { importDwh: 2 ** 53 },
      { seq: Number.NaN },
      { quality: 'bad' as 'good' },
    ];
    for (const change of wrong) {
      await assert.rejects(store().commit(sampleGroup([sampleRow(1, change)])), { reason: 'badField' });
    }
    await assert.rejects(store().commit(sampleGroup([], { sessions: [sampleSession({ window: -1n })] })), {
      reason: 'badField',
    });
    assert.equal(await store().count(), 0);
  });
}

function stateTests(store: Current, reopen: Reopen): void {
  it('keeps unsent messages, with how their rows came in, until they are sent', async () => {
    const other = { ...sampleArrival, gateway: 'gw2', route: [] };
    const rows = [1, 2, 3, 4, 5].map((seq) => ({
      row: sampleRow(seq),
      arrival: seq % 2 === 0 ? other : sampleArrival,
    }));
    await store().commit(sampleGroup([], { rows: rows.slice(0, 3) }));
    await store().commit(sampleGroup([], { rows: rows.slice(2), outboxSent: 2 }));
    const { outbox } = await reopen();
    assert.deepEqual(
      outbox,
      rows.slice(2).map((entry, index) => ({ id: 3 + index, ...entry })),
    );
    await store().commit(sampleGroup([], { outboxSent: 5 }));
    assert.deepEqual((await reopen()).outbox, []);
    await store().commit(sampleGroup([], { outboxSent: 1 }));
    assert.deepEqual((await reopen()).outbox, [], 'sent stays sent');
    const [next] = (await store().commit(sampleGroup([sampleRow(6)]))).outbox;
    assert.equal(next?.id, 6, 'ids go on after a restart');
  });

  it('refuses messages called sent that it never had', async () => {
    await store().commit(sampleGroup([sampleRow(1)]));
    await assert.rejects(store().commit(sampleGroup([sampleRow(2)], { outboxSent: 2 })), { reason: 'badField' });
    assert.equal(await store().count(), 1);
  });

  it('keeps nodes, sessions and logs, the newest of each', async () => {
    const second = sampleNode({ key: keyB, nodeId: 'b2b2b2b2b2b2', role: 'hub', localHubId: 2 });
    await store().commit(
      sampleGroup([], { nodes: [sampleNode(), second], sessions: [sampleSession()], logs: [sampleLog()] }),
    );
    const node = sampleNode({ name: 'renamed', lastSeenMs: START_MS + 1, handshake: 5 });
    const session = sampleSession({ highest: 2 ** 32 - 1, window: 0n, downCounter: 6 });
    const pending = sampleSession({ slot: 'pending', highest: -1, window: 2n ** 63n });
    const log = sampleLog({ cumulative: 15, ranges: [], gaps: [] });
    const newLog = sampleLog({ logId: 'ffffffff', cumulative: 0 });
    await store().commit(sampleGroup([], { nodes: [node], sessions: [session, pending], logs: [log, newLog] }));
    const state = await reopen();
    assert.deepEqual(state.nodes, [node, second]);
    assert.deepEqual(state.sessions, [session, pending]);
    assert.deepEqual(state.logs, [log, newLog]);
  });

  it('keeps the later of two records of one identity in a large group', async () => {
    const keys = Array.from({ length: 40 }, (_, index) => index.toString(16).padStart(64, '0'));
    const twice = [0, 1].flatMap((round) => keys.map((key) => ({ key, round })));
    await store().commit(
      sampleGroup([], {
        nodes: twice.map(({ key, round }) => sampleNode({ key, lastSeenMs: round })),
        sessions: twice.map(({ key, round }) => sampleSession({ key, highest: round })),
        logs: twice.map(({ key, round }) => sampleLog({ key, cumulative: round })),
      }),
    );
    const { nodes, sessions, logs } = await reopen();
    assert.deepEqual(
      nodes.map(({ key, lastSeenMs }) => [key, lastSeenMs]),
      keys.map((key) => [key, 1]),
    );
    assert.deepEqual(
      sessions.map(({ key, highest }) => [key, highest]),
      keys.map((key) => [key, 1]),
    );
    assert.deepEqual(
      logs.map(({ key, cumulative }) => [key, cumulative]),
      keys.map((key) => [key, 1]),
    );
  });

  it('clears session slots before it writes new ones', async () => {
    const current = sampleSession();
    const pending = sampleSession({ slot: 'pending', sessionId: 8 });
    await store().commit(sampleGroup([], { sessions: [current, pending] }));
    const promoted = { ...pending, slot: 'current' as const };
    await store().commit(
      sampleGroup([], {
        clearedSessions: [
          { key: keyA, slot: 'current' },
          { key: keyA, slot: 'pending' },
        ],
        sessions: [promoted, { ...current, slot: 'previous' }],
      }),
    );
    const { sessions } = await reopen();
    assert.deepEqual(
      sessions.filter(({ slot }) => slot === 'current'),
      [promoted],
    );
    assert.deepEqual(sessions.map(({ slot }) => slot).sort(), ['current', 'previous']);
  });

  it('keeps admissions and secrets, the newest of each, until they are dropped', async () => {
    const pending = sampleAdmission({ key: keyB, state: 'pending', start: null });
    const secrets = [
      { name: 'psk/a', sealed: '00ff' },
      { name: 'network key', sealed: 'ab' },
    ];
    await store().commit(sampleGroup([], { admissions: [sampleAdmission(), pending], secrets }));
    await reopen();
    const revoked = sampleAdmission({ state: 'revoked', sinceMs: START_MS + 1 });
    const replaced = { name: 'psk/a', sealed: '11' };
    await store().commit(
      sampleGroup([], { admissions: [revoked], droppedAdmissions: [keyA, keyB], secrets: [replaced] }),
    );
    let state = await reopen();
    assert.deepEqual(state.admissions, [revoked], 'what is dropped and written in one group is written');
    assert.deepEqual(state.secrets, [{ name: 'network key', sealed: 'ab' }, replaced]);
    await store().commit(sampleGroup([], { droppedSecrets: ['psk/a', 'never there'] }));
    state = await reopen();
    assert.deepEqual(
      state.secrets.map(({ name }) => name),
      ['network key'],
    );
  });

  it('takes ever higher owner epochs: the clock, or one more', async () => {
    assert.equal(await store().takeEpoch(1_700_000_000), 1_700_000_000);
    assert.equal(await store().takeEpoch(1_600_000_000), 1_700_000_001);
    await reopen();
    assert.equal(await store().takeEpoch(0), 1_700_000_002);
    assert.equal(await store().takeEpoch(1_800_000_000), 1_800_000_000);
    await assert.rejects(store().takeEpoch(2 ** 32), { reason: 'badField' });
  });
}

function queryTests(store: Current): void {
  it('answers by time, oldest first, from inclusive, to exclusive', async () => {
    const rows = [5, 1, 4, 2, 3].map((seq) => sampleRow(seq));
    const others = [1, 2, 3].map((seq) => sampleRow(seq, { key: keyB }));
    await store().commit(sampleGroup([...rows, ...others]));
    const at = (seq: number) => sampleRow(seq).measuredAtMs;
    const seqs = async (query: Parameters<Store['readings']>[0]) =>
      (await store().readings(query)).map(({ key, seq }) => `${key[0]}${seq}`);
    assert.deepEqual(await seqs({}), ['a1', 'b1', 'a2', 'b2', 'a3', 'b3', 'a4', 'a5']);
    assert.deepEqual(await seqs({ key: keyA }), ['a1', 'a2', 'a3', 'a4', 'a5']);
    assert.deepEqual(await seqs({ fromMs: at(2), toMs: at(4) }), ['a2', 'b2', 'a3', 'b3']);
    assert.deepEqual(await seqs({ key: keyB, fromMs: at(2), toMs: at(3) }), ['b2']);
    assert.deepEqual(await seqs({ key: keyA, fromMs: at(2), limit: 2 }), ['a2', 'a3']);
    assert.deepEqual(await seqs({ key: keyA, newestFirst: true, limit: 2 }), ['a5', 'a4']);
    assert.deepEqual(await seqs({ toMs: at(3), newestFirst: true, limit: 3 }), ['b2', 'a2', 'b1']);
    assert.deepEqual(await seqs({ limit: 0 }), []);
    assert.deepEqual(await seqs({ key: 'cc' }), []);
    await assert.rejects(store().readings({ limit: -1 }), { reason: 'badField' });
  });

  it('gives at most READINGS_PER_QUERY_MAX rows at once', async () => {
    const rows = Array.from({ length: READINGS_PER_QUERY_MAX + 1 }, (_, index) => sampleRow(index + 1));
    await store().commit(sampleGroup(rows));
    const found = await store().readings({ limit: rows.length });
    assert.equal(found.length, READINGS_PER_QUERY_MAX);
    assert.deepEqual(found.at(-1), rows.at(-2));
    assert.equal((await store().readings({})).length, READINGS_PER_QUERY_MAX);
  }).timeout(20_000);
}

function lifeTests(store: Current, reopen: Reopen): void {
  it('refuses a second opener and stays open itself', async () => {
    await assert.rejects(store().open(), { reason: 'storeLocked' });
    assert.equal((await store().commit(sampleGroup([sampleRow(1)]))).outbox.length, 1);
  });

  it('refuses everything before open and after close', async () => {
    await store().close();
    await store().close();
    for (const call of [
      () => store().commit(sampleGroup([])),
      () => store().takeEpoch(1),
      () => store().readings({}),
      () => store().count(),
    ]) {
      await assert.rejects(call, { reason: 'storeFailed', message: /not open/ });
    }
    await store().open();
  });

  it('can be closed while it is being opened', async () => {
    await store().close();
    const opening = store().open();
    await store().close();
    await opening;
    await store().close();
    await reopen();
  });

  it('finishes the commits under way before it closes', async () => {
    const commits = [1, 2, 3].map((seq) => store().commit(sampleGroup([sampleRow(seq)])));
    await reopen();
    const results = await Promise.all(commits);
    assert.deepEqual(
      results.map(({ outbox }) => outbox[0]?.id),
      [1, 2, 3],
    );
    assert.equal(await store().count(), 3);
  });
}
