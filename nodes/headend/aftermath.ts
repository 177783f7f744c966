import type { Acknowledger } from './acknowledger.ts';
import type { Commands } from './commands.ts';
import type { EventArrival } from './device-events.ts';
import type { Downlinks } from './downlinks.ts';
import type { EventSection, Telemetry, UpSection } from './frame/sections.ts';
import type { Gateways } from './gateways.ts';
import type { JoinRequest, Reception, Transport, Verdict } from './intake.ts';
import type { Joined } from './joining.ts';
import { allowedSilenceMs, type StatusTable } from './mesh/status.ts';
import type { Topology } from './mesh/topology.ts';
import type { Places } from './places.ts';
import type { MeshNode } from './registry.ts';
import type { Rotation } from './rotation.ts';
import type { Tally } from './tally.ts';

/** ETX travels in 1/128. */
const ETX_UNIT = 128;

/** What the aftermath acts upon. */
export interface AftermathParts {
  readonly gateways: Gateways;
  readonly downlinks: Downlinks;
  readonly acknowledger: Acknowledger;
  readonly rotation: Rotation;
  readonly commands: Commands;
  readonly places: Places;
  readonly status: StatusTable;
  readonly topology: Topology;
  readonly tally: Tally;
  /** Cycles that a node may miss. */
  readonly offlineAfterCycles: number;
  /** A node tells an event. */
  event(node: MeshNode, event: EventSection, arrival: EventArrival): void;
  /** The mesh looks different now. */
  topologyChanged(): void;
}

/** What follows from a packet once its group is committed: who is heard, over which way, and what the node is owed. */
export class Aftermath {
  readonly #parts: AftermathParts;

  constructor(parts: AftermathParts) {
    this.#parts = parts;
  }

  /** A node has joined. */
  joined(request: JoinRequest, reception: Reception, node: MeshNode, joined: Joined): void {
    const { status, offlineAfterCycles, rotation } = this.#parts;
    const { nodeId, handshake } = request;
    status.expect(nodeId, allowedSilenceMs(node.record, offlineAfterCycles), reception.receivedAtMs, 0);
    this.#heard(reception, node);
    status.report(nodeId, { bootCount: handshake.payload.bootCount });
    rotation.joined(nodeId, joined.keyId);
    this.#parts.topologyChanged();
    this.answer(joined, reception.gateway);
  }

  /** Sends M2 where its M1 came from; it may be lost like any packet, and the node asks again. */
  answer({ nodeId, m2 }: Joined, gateway: string): void {
    this.#parts.downlinks.send({ nodeId, packet: m2, hold: false, gateway });
  }

  transported(packet: Transport, reception: Reception, verdict: Verdict, node: MeshNode | undefined): void {
    const { acknowledger, tally } = this.#parts;
    const { nodeId, sections } = packet;
    if (verdict === 'gone' || !node) {
      tally.add('notJoined');
      return;
    }
    const hasReadings = sections.some(({ kind }) => kind === 'readings');
    if (verdict !== 'new') {
      if (verdict === 'seen' || !hasReadings) tally.add('replay');
      acknowledger.due(nodeId);
      return;
    }
    this.#heard(reception, node);
    for (const section of sections) {
      if (section.kind === 'event') this.#parts.event(node, section, { ...reception, suite: packet.session.suite });
      else this.#section(packet, section, reception.receivedAtMs);
    }
    if (hasReadings) acknowledger.due(nodeId);
    else acknowledger.heard(nodeId);
  }

  /** Only for packets that verified and are new: a recorded one must not move anything. */
  #heard(reception: Reception, node: MeshNode): void {
    const { gateways, downlinks, status, topology, places } = this.#parts;
    const { gateway, route, receivedAtMs: atMs } = reception;
    const { nodeId } = node.record;
    const rssiDbm = route.length === 0 ? null : reception.rssiDbm;
    gateways.proved(gateway);
    if (route.length === 0) gateways.ownPacket(gateway, node.record);
    downlinks.heard(nodeId, gateway);
    const hubId = places.hubOn(route)?.record.nodeId ?? null;
    const changed = status.heard(nodeId, { atMs, hops: route.length, hubId, rssiDbm });
    const nodeIds = route.map((shortId, hop) => (hop === 0 ? nodeId : places.nodeId(shortId)));
    const moved = topology.route(nodeIds, reception.gatewayRef, rssiDbm, atMs);
    if (moved || changed) this.#parts.topologyChanged();
  }

  /** Readings are in the store by now. */
  #section({ nodeId, session }: Transport, section: UpSection, atMs: number): void {
    const { acknowledger, rotation, commands, tally } = this.#parts;
    if (section.kind === 'telemetry') this.#telemetry(nodeId, section, atMs);
    else if (section.kind === 'echo') {
      const isOurs = acknowledger.echoed(nodeId, session, section.epoch);
      if (isOurs) rotation.echoed(nodeId, session, section.counter);
    } else if (section.kind === 'result') commands.result(nodeId, section);
    else if (section.kind === 'probe') acknowledger.due(nodeId);
    else if (section.kind === 'unknown') tally.add('unknownType');
  }

  #telemetry(nodeId: string, telemetry: Telemetry, atMs: number): void {
    const { places, status, topology } = this.#parts;
    const etx = Math.round((telemetry.etx / ETX_UNIT) * 100) / 100;
    const battery = telemetry.batteryMv === undefined ? {} : { batteryV: telemetry.batteryMv / 1000 };
    status.report(nodeId, { etx, bootCount: telemetry.bootCount, ...battery });
    const parent = telemetry.parent === 0 ? undefined : places.nodeId(telemetry.parent);
    const changed = topology.report(nodeId, parent, telemetry.parentRssiDbm, etx, atMs);
    if (changed) this.#parts.topologyChanged();
  }
}
