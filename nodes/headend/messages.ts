/**
 * What leaves the head-end: the messages of the Node-RED nodes. These shapes are a promise: fields are added, never renamed or removed.
 * Flat, JSON-safe, SI units in the field names, times ISO 8601 UTC.
 */

/** One row of interval data. `topic` = "<network>/<meter id>". */
export interface ReadingMessage {
  topic: string;
  payload: {
    /** Id of the metering point: never changes. */
    meter: string;
    name: string;
    measuredAt: string;
    receivedAt: string;
    interval_s: number;
    power_w?: number;
    energy_import_kwh?: number;
    energy_export_kwh?: number;
    voltage_v?: number;
    current_a?: number;
    frequency_hz?: number;
    power_factor?: number;
    quality: 'good' | 'clock' | 'estimated';
  };
  wattmesh: {
    /** Identity: "<device key hex>:<logId hex>:<seq>": de-duplicate by it. */
    id: string;
    network: string;
    nodeId: string;
    /** Name of the hub that the reading came through; null when it came straight to the gateway. */
    hub: string | null;
    localHubId: number | null;
    gateway: string;
    hops: number;
    /** Names from the origin's first hop to the gateway. */
    path: string[];
    /** Of the last hop as the gateway heard it; null for the gateway's own packets. */
    rssi_dbm: number | null;
    seq: number;
    session: number;
    suite: 'none' | 'ecc' | 'rsa';
    /** Older on receipt than max(2 poll cycles, 2 intervals): keep it off live displays. */
    late: boolean;
    /** May have been sent before (restart of the head-end): same id, same content. */
    redelivered: boolean;
  };
}

/** A node's condition. */
export interface NodeStatus {
  nodeId: string;
  /** Device key, hex. */
  key: string;
  meter: string;
  name: string;
  role: 'meter' | 'hub' | 'gateway';
  /** `never`: known, not heard of since it was. */
  status: 'online' | 'offline' | 'never';
  /** ISO 8601 UTC; null when never heard of. */
  lastSeen: string | null;
  hub: string | null;
  localHubId: number | null;
  hops: number | null;
  rssi_dbm: number | null;
  /** Links' expected transmission count on the hop to the parent; null until reported. */
  etx: number | null;
  bootCount: number | null;
  batteryV: number | null;
  suite: 'none' | 'ecc' | 'rsa';
  energy: 'mains' | 'backup' | 'battery';
  /** It can switch a load. */
  relay: boolean;
  /** It was shut out, or another device took its place. */
  revoked: boolean;
}

/** `status` of the whole network: sent when anything changed. `topic` = "<network>/status". */
export interface StatusMessage {
  topic: string;
  payload: { network: string; at: string; online: number; offline: number; nodes: NodeStatus[] };
}

/** The mesh as the head-end knows it. `topic` = "<network>/topology". */
export interface TopologyMessage {
  topic: string;
  payload: {
    network: string;
    at: string;
    nodes: {
      nodeId: string;
      name: string;
      role: 'meter' | 'hub' | 'gateway';
      status: NodeStatus['status'];
      hops: number | null;
      localHubId: number | null;
      suite: 'none' | 'ecc' | 'rsa';
    }[];
    /** From child to parent, by node id. */
    links: { from: string; to: string; rssi_dbm: number | null; etx: number | null }[];
  };
}

/** Where the network stands, for badges. */
export interface NetworkState {
  link: { up: boolean; detail: string };
  /** Gateways heard of lately, by their name on the link. */
  gateways: number;
  nodesOnline: number;
  nodesKnown: number;
  /** Dropped input by error name. */
  errors: Record<string, number>;
  /** Rows stored since the start. */
  stored: number;
  /** Devices that wait for the operator. */
  pendingDevices: number;
  /** How far a new network key has come; null: none is on its way. `useAt`: ISO 8601 UTC. */
  rotation: { keyId: number; useAt: string; confirmed: number; total: number } | null;
  /** Shown as long as it stands: a store without SQLite, suite 0x00 in use. */
  warnings: string[];
}

/**
 * What happens to a command: `sent` and, in a relay's two steps, `prepared`; then the result (`done`, `refused`, `expired`, `unknownOperation`,
 * `failed`) or `timeout`; `late`: the result came after all, see `outcome`.
 */
export type CommandEvent =
  | 'sent'
  | 'prepared'
  | 'done'
  | 'refused'
  | 'expired'
  | 'unknownOperation'
  | 'failed'
  | 'timeout'
  | 'late';

/** An event of a command. `topic` = "<network>/<meter id>/command". */
export interface CommandMessage {
  topic: string;
  payload: {
    /** The same in all messages of one command. */
    id: number;
    meter: string;
    name: string;
    operation: 'pollNow' | 'setInterval' | 'identify' | 'reboot' | 'rekey' | 'relay';
    event: CommandEvent;
    /** As the node reported it; null before that. */
    outcome: 'done' | 'prepared' | 'refused' | 'expired' | 'unknownOperation' | 'failed' | null;
    /** What the node sent with it, hex. */
    data: string | null;
    at: string;
  };
  wattmesh: { network: string; nodeId: string; suite: 'none' | 'ecc' | 'rsa' };
}

/** What devices tell at once. `suppressed`: so many further events came too fast; `unknown`: of a newer firmware, see `code`. */
export type EventName =
  | 'powerFailing'
  | 'powerBack'
  | 'overCurrent'
  | 'overVoltage'
  | 'underVoltage'
  | 'tamper'
  | 'switchMoved'
  | 'clockWrong'
  | 'suppressed'
  | 'unknown';

/** Something that happened at a device, told at once. `topic` = "<network>/<meter id>/event". */
export interface EventMessage {
  topic: string;
  payload: {
    meter: string;
    name: string;
    event: EventName;
    /** As the device sent them (PROTOCOL.md, section 4.3); the fields below say the same in units. */
    code: number;
    value: number;
    current_a?: number;
    voltage_v?: number;
    open?: boolean;
    on?: boolean;
    /** By so much the device's clock is ahead of the head-end's; negative: behind. */
    ahead_s?: number;
    count?: number;
    /** By the device's clock. */
    raisedAt: string;
    receivedAt: string;
  };
  wattmesh: {
    /** Identity: "<device key hex>:<code>:<UTC ms>": de-duplicate by it. */
    id: string;
    network: string;
    nodeId: string;
    hub: string | null;
    gateway: string;
    hops: number;
    suite: 'none' | 'ecc' | 'rsa';
    /** It happened before the head-end started, which may have told it before. */
    redelivered: boolean;
  };
}

/** A device and what the operator has decided about it. */
export interface DeviceStatus {
  /** Device key, hex. */
  key: string;
  nodeId: string;
  state: 'pending' | 'approved' | 'rejected' | 'revoked';
  /** When it first asked, or when the decision was made. */
  since: string;
  /** Its last handshake while it was not approved; null: none. */
  lastSeen: string | null;
  gateway: string | null;
  role: 'meter' | 'hub' | 'gateway' | null;
  suite: 'none' | 'ecc' | 'rsa' | null;
  meter: string | null;
  name: string | null;
  hub: number | null;
  /** The digits of its label, eight groups of five; null for those that the operator is asked for. */
  digits: (string | null)[];
  /** Numbers of the groups asked for, 1..8. */
  asked: [number, number];
  /** Registers with its first reading at this metering point, and its last ones there. */
  start: RegisterReading | null;
  end: RegisterReading | null;
}

export interface RegisterReading {
  at: string;
  energy_import_kwh: number | null;
  energy_export_kwh: number | null;
}
