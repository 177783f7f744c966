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
  readonly energy: 'mains' | 'backup' | 'battery';
  /** It can switch a load. */
  readonly relay: boolean;
  /** Of its latest handshake; a node that has had keys is never let in without. */
  readonly suite: number;
}

/** Cumulative registers at one moment, in register units; null where the device has none. */
export interface RegisterMarks {
  readonly atMs: number;
  readonly importDwh: number | null;
  readonly exportDwh: number | null;
}

/** What the operator has decided about a device key; a `pending` one waits for that. */
export interface AdmissionRecord {
  readonly key: string;
  readonly nodeId: string;
  readonly state: 'pending' | 'approved' | 'rejected' | 'revoked';
  /** When it first asked, or when the decision was made; UTC ms. */
  readonly sinceMs: number;
  /** Its last handshake while it was not approved; 0: none yet. */
  readonly lastSeenMs: number;
  /** The gateway of that handshake; empty: none yet. */
  readonly gateway: string;
  /** What it says it is; null before its first handshake. */
  readonly role: NodeRecord['role'] | null;
  /** Suite of that handshake; null before it. */
  readonly suite: number | null;
  /** The two groups of its label's digits that the operator is asked for, 0..7. */
  readonly groups: readonly [number, number];
  /** Metering point, name and hub number given at approval; empty and 0: by default. */
  readonly meter: string;
  readonly name: string;
  readonly hub: number;
  /** Registers with its first reading, and its last ones when another device took its place; null: not known yet. */
  readonly start: RegisterMarks | null;
  readonly end: RegisterMarks | null;
}

/** An entry of the key table, sealed under the store key: without that it is of no use to anybody. */
export interface SecretRecord {
  readonly name: string;
  /** Hex. */
  readonly sealed: string;
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
  /** The log that its readings come from; empty: not known. */
  readonly logId: string;
  /** UTC ms; 0: not known. */
  readonly beganMs: number;
  /** Its keys, sealed under the store key, hex; empty under suite 0x00. */
  readonly sealedKeys: string;
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
  readonly admissions?: readonly AdmissionRecord[];
  /** Device keys whose admissions are forgotten: before `admissions` are written. */
  readonly droppedAdmissions?: readonly string[];
  readonly secrets?: readonly SecretRecord[];
  /** Names of secrets that are forgotten: before `secrets` are written. */
  readonly droppedSecrets?: readonly string[];
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
  readonly admissions: readonly AdmissionRecord[];
  readonly secrets: readonly SecretRecord[];
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
  /** The newest rows first. */
  readonly newestFirst?: boolean;
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
  /** Rows by time, oldest first unless the query says otherwise. */
  readings(query: ReadingQuery): Promise<ReadingRow[]>;
  /** Rows in the store, all told. */
  count(): Promise<number>;
  close(): Promise<void>;
}
