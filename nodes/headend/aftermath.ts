import type { Acknowledger } from './acknowledger.ts';
import type { Downlinks } from './downlinks.ts';
import type { UpSection } from './frame/sections.ts';
import type { Gateways } from './gateways.ts';
import type { Input, TransportInput, Verdict } from './intake.ts';
import { allowedSilenceMs, type StatusTable } from './mesh/status.ts';
import type { Topology } from './mesh/topology.ts';
import type { Places } from './places.ts';
import type { MeshNode } from './registry.ts';
import type { Tally } from './tally.ts';

/** ETX travels in 1/128. */
const ETX_UNIT = 128;

/** What the aftermath acts upon. */
export interface AftermathParts {
  readonly gateways: Gateways;
  readonly downlinks: Downlinks;
  readonly acknowledger: Acknowledger;
  readonly places: Places;
  readonly status: StatusTable;
  readonly topology: Topology;
  readonly tally: Tally;
  /** Cycles that a node may miss. */
  readonly offlineAfterCycles: number;
  /** The mesh looks different now. */
  topologyChanged(): void;
}

/** What follows from a packet once its group is committed: who is heard, over which way, and what the node is owed. */
export class Aftermath {
  readonly #parts: AftermathParts;

  constructor(parts: AftermathParts) {
    this.#parts = parts;
  }

  /** A node has joined: `m2` is its answer, and may be lost like any packet. */
  joined(input: Input, node: MeshNode, m2: Uint8Array): void {
    const { downlinks, status, offlineAfterCycles } = this.#parts;
    const { nodeId } = input;
    status.expect(nodeId, allowedSilenceMs(node.record, offlineAfterCycles), input.receivedAtMs, 0);
    this.#heard(input, node);
    if (input.kind === 'join') status.report(nodeId, { bootCount: input.handshake.payload.bootCount });
    this.#parts.topologyChanged();
    downlinks.send({ nodeId, packet: m2, hold: false, gateway: input.gateway });
  }

  transported(input: Input & TransportInput, verdict: Verdict, node: MeshNode | undefined): void {
    const { acknowledger, tally } = this.#parts;
    const { nodeId, sections } = input;
    if (verdict === 'gone' || !node) return tally.add('notJoined');
    const hasReadings = sections.some(({ kind }) => kind === 'readings');
    if (verdict !== 'new') {
      if (verdict === 'seen' || !hasReadings) tally.add('replay');
      return acknowledger.due(nodeId);
    }
    this.#heard(input, node);
    for (const section of sections) this.#section(input, section);
    if (hasReadings) acknowledger.due(nodeId);
    else acknowledger.heard(nodeId);
  }

  /** Only for packets that verified and are new: a recorded one must not move anything. */
  #heard(input: Input, node: MeshNode): void {
    const { gateways, downlinks, status, topology, places } = this.#parts;
    const { nodeId, gateway, route, receivedAtMs: atMs } = input;
    const rssiDbm = route.length === 0 ? null : input.rssiDbm;
    if (route.length === 0) gateways.ownPacket(gateway, node.record);
    downlinks.heard(nodeId, gateway);
    const { status: before, hops } = status.condition(nodeId);
    status.heard(nodeId, { atMs, hops: route.length, hubId: places.hubOn(route)?.record.nodeId ?? null, rssiDbm });
    const nodeIds = route.map((shortId, hop) => (hop === 0 ? nodeId : places.nodeId(shortId)));
    const moved = topology.route(nodeIds, places.gatewayRef(gateway), rssiDbm, atMs);
    if (moved || before !== 'online' || hops !== route.length) this.#parts.topologyChanged();
  }

  #section(input: Input & TransportInput, section: UpSection): void {
    const { acknowledger, places, status, tally, topology } = this.#parts;
    const { nodeId } = input;
    switch (section.kind) {
      case 'telemetry': {
        const etx = Math.round((section.etx / ETX_UNIT) * 100) / 100;
        const battery = section.batteryMv === undefined ? {} : { batteryV: section.batteryMv / 1000 };
        status.report(nodeId, { etx, bootCount: section.bootCount, ...battery });
        const parent = section.parent === 0 ? undefined : places.nodeId(section.parent);
        const changed = topology.report(nodeId, parent, section.parentRssiDbm, etx, input.receivedAtMs);
        if (changed) this.#parts.topologyChanged();
        return;
      }
      case 'echo':
        return acknowledger.echoed(nodeId, input.session, section.epoch);
      case 'probe':
        return acknowledger.due(nodeId);
      case 'unknown':
        return tally.add('unknownType');
      case 'readings':
      case 'result':
      case 'event':
        // Readings went into the store; results and events belong to commands, which this head-end does not send.
        return;
    }
  }
}
