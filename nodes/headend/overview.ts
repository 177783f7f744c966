import type { Condition, StatusTable } from './mesh/status.ts';
import type { Topology } from './mesh/topology.ts';
import type { NodeStatus, StatusMessage, TopologyMessage } from './messages.ts';
import type { MeshNode, Registry } from './registry.ts';
import { suiteName } from './security/suites.ts';

/** Where the messages take their facts from. */
export interface Facts {
  readonly network: string;
  readonly registry: Registry;
  readonly status: StatusTable;
  readonly topology: Topology;
}

/** The condition of all nodes. */
export function statusMessage({ network, registry, status }: Facts, nowMs: number): StatusMessage {
  const nodes = [...registry.nodes()].map((node) => nodeStatus(node, status.condition(node.record.nodeId), registry));
  const offline = nodes.filter((node) => node.status === 'offline').length;
  const at = new Date(nowMs).toISOString();
  return { topic: `${network}/status`, payload: { network, at, online: status.online, offline, nodes } };
}

/** The mesh; links with an end that has not joined are left out. */
export function topologyMessage({ network, registry, status, topology }: Facts, nowMs: number): TopologyMessage {
  const nodes = [...registry.nodes()].map((node) => {
    const { nodeId, name, role, localHubId } = node.record;
    const condition = status.condition(nodeId);
    const ownHubId = localHubId === 0 ? null : localHubId;
    const suite = suiteOf(node);
    return { nodeId, name, role, status: condition.status, hops: condition.hops, localHubId: ownHubId, suite };
  });
  const links = topology
    .links()
    .filter(({ from, to }) => registry.get(from) && registry.get(to))
    .map(({ from, to, rssiDbm, etx }) => ({ from, to, rssi_dbm: rssiDbm, etx }));
  const at = new Date(nowMs).toISOString();
  return { topic: `${network}/topology`, payload: { network, at, nodes, links } };
}

function nodeStatus(node: MeshNode, condition: Condition, registry: Registry): NodeStatus {
  const { record } = node;
  const hub = condition.hubId === null ? undefined : registry.get(condition.hubId)?.record;
  const { lastSeenMs, status, hops, etx, bootCount, batteryV } = condition;
  const localHubId = record.role === 'meter' ? hub?.localHubId : record.localHubId;
  return {
    nodeId: record.nodeId,
    key: record.key,
    meter: record.meter,
    name: record.name,
    role: record.role,
    status,
    lastSeen: lastSeenMs === 0 ? null : new Date(lastSeenMs).toISOString(),
    hub: hub?.name ?? null,
    localHubId: localHubId || null,
    hops,
    rssi_dbm: condition.rssiDbm,
    etx,
    bootCount,
    batteryV,
    suite: suiteOf(node),
    energy: record.energy,
    relay: record.relay,
    revoked: registry.isRevoked(record),
  };
}

/** Of its session, or of its last handshake. */
function suiteOf({ record, sessions }: MeshNode): NodeStatus['suite'] {
  return suiteName((sessions.current ?? sessions.pending ?? record).suite);
}
