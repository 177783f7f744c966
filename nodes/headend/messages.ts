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
  /** Shown as long as it stands: a store without SQLite, suite 0x00 in use. */
  warnings: string[];
}
