/**
 * What the head-end keeps. One interface, judged by one contract suite: SQLite (durable), memory (tests), JSONL (where no SQLite driver loads).
 * Everything that must stand or fall together goes through `commit`: rows, replay windows, log states and the messages to send (outbox).
 */

/** A node's identity and what is known of it; `key` is the full public key as hex and never changes, `name` may. */
export interface NodeRecord {
  readonly key: string;
  /** First 6 bytes of SHA-256(public key), hex. */
  readonly nodeId: string;
  /** Id of the metering point; default: nodeId. */
  readonly meter: string;
  readonly name: string;
  readonly role: 'meter' | 'hub' | 'gateway';
  readonly shortId: number;
  /** 0 for nodes that are no hub. */
  readonly localHubId: number;
  /** Highest handshake number accepted. */
  readonly handshake: number;
  /** Seconds between rows and between polls as the node reported them in its handshake. */
  readonly intervalS: number;
  readonly pollCycleS: number;
  readonly firmware: string;
  readonly lastSeenMs: number;
}

/** A session of a node: `current` answers now, `pending` waits for its first valid packet, `previous` may still have packets under way. */
export interface SessionRecord {
  readonly key: string;
  readonly slot: 'previous' | 'current' | 'pending';
  readonly sessionId: number;
  readonly suite: number;
  /** Highest uplink counter accepted, -1 before the first, and the 64-packet window below it (bit 0 = the highest). */
  readonly highest: number;
  readonly window: bigint;
  /** Next downlink counter of the present owner epoch. */
  readonly downCounter: number;
  /** Echoed by M2 caching: SHA-256(M1), hex. */
  readonly handshakeHash: string;
}

/** One row of interval data; identity = (key, logId, seq). Integers in register units (PROTOCOL.md, "Registers"); absent registers are absent. */
export interface ReadingRow {
  readonly key: string;
  /** 4 bytes, hex. */
  readonly logId: string;
  readonly seq: number;
  readonly measuredAtMs: number;
  readonly intervalS: number;
  readonly quality: 'good' | 'clock' | 'estimated';
  readonly importDwh?: number;
  readonly exportDwh?: number;
  readonly powerDw?: number;
  readonly voltageDv?: number;
  readonly currentCa?: number;
  readonly frequencyChz?: number;
  readonly powerFactorPct?: number;
}

/** How a row came in: kept beside it until its message has gone out. */
export interface Arrival {
  readonly receivedAtMs: number;
  readonly gateway: string;
  readonly session: number;
  readonly suite: number;
  readonly rssiDbm: number;
  /** Short ids from the origin to the last transmitter; empty for the gateway's own packets. */
  readonly route: readonly number[];
}

/** State of one log of one node: everything <= cumulative is stored or a recorded gap; `ranges` are stored rows above it; `gaps` were never received. */
export interface LogState {
  readonly key: string;
  readonly logId: string;
  readonly cumulative: number;
  /** Inclusive [first, last], ascending, disjoint. */
  readonly ranges: readonly (readonly [number, number])[];
  readonly gaps: readonly (readonly [number, number])[];
}

/** What goes down in one transaction. Rows that are stored already are not stored again. */
export interface CommitGroup {
  readonly rows: readonly { readonly row: ReadingRow; readonly arrival: Arrival }[];
  readonly nodes: readonly NodeRecord[];
  readonly sessions: readonly SessionRecord[];
  /** A session replaced in its slot or ended: slots to clear before `sessions` are written. */
  readonly clearedSessions: readonly { readonly key: string; readonly slot: SessionRecord['slot'] }[];
  readonly logs: readonly LogState[];
  /** Messages up to and including this outbox id have been sent (0: none yet). */
  readonly outboxSent: number;
}

/** One message to send: ids ascend in the order of commit. */
export interface OutboxEntry {
  readonly id: number;
  readonly row: ReadingRow;
  readonly arrival: Arrival;
}

export interface CommitResult {
  /** One per row that was new, in the order given. */
  readonly outbox: readonly OutboxEntry[];
  /** Rows whose identity was stored already with the same content. */
  readonly duplicates: number;
  /** Rows whose identity was stored with other content: kept aside, the first content stands. */
  readonly conflicts: readonly ReadingRow[];
}

/** Everything a head-end needs after a start. */
export interface StoredState {
  readonly nodes: readonly NodeRecord[];
  readonly sessions: readonly SessionRecord[];
  readonly logs: readonly LogState[];
  /** Entries that may not have been sent before the last stop: to be sent with `redelivered`. */
  readonly outbox: readonly OutboxEntry[];
}

export interface ReadingQuery {
  readonly key?: string;
  /** Rows measured at or after this moment. */
  readonly fromMs?: number;
  /** Rows measured before this moment, so that days laid end to end share none. */
  readonly toMs?: number;
  /** At most READINGS_PER_QUERY_MAX. */
  readonly limit?: number;
}

/** Most rows one query returns. */
export const READINGS_PER_QUERY_MAX = 100_000;

export interface Store {
  /** `sqlite`, `jsonl` or `memory`; a `warning` is shown on the network's badge. */
  readonly kind: 'sqlite' | 'jsonl' | 'memory';
  readonly warning?: string;
  /** Opens under an exclusive lease: a second opener gets `storeLocked`. */
  open(): Promise<StoredState>;
  /** Takes the owner epoch: max(stored + 1, `utcS`), durable before it returns. */
  takeEpoch(utcS: number): Promise<number>;
  /** One transaction, durable (`synchronous=FULL`) when it resolves. A failure leaves nothing of the group behind. */
  commit(group: CommitGroup): Promise<CommitResult>;
  /** Rows by time, oldest first. */
  readings(query: ReadingQuery): Promise<ReadingRow[]>;
  /** Rows in the store, all told. */
  count(): Promise<number>;
  close(): Promise<void>;
}
