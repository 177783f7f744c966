import type { Role } from '../../../nodes/headend/frame/fields.ts';
import { Findings, type Violation } from './violation.ts';

/** Items on their way up that a device may hold (PROTOCOL.md, "Limits"). */
export const QUEUE_ITEMS_MAX = 32;
/** Packets that wait in a hub's flash. */
export const SPOOL_PACKETS_MAX = 256;
/** Members that a hub and a gateway may poll. */
export const MEMBERS_MAX: Readonly<Record<Role, number>> = { meter: 0, hub: 64, gateway: 512 };
/** What may wait on the line between gateway and host, in one direction: its window of envelopes, seconds at the line's pace. */
export const LINE_BACKLOG_S_MAX = 2;
/** Events that may be pending per device: its tick, timers of its MAC, callbacks that are late. */
export const EVENTS_PER_DEVICE_MAX = 16;
/** And those that belong to none: faults, timers of the head-end, envelopes on the line. */
export const EVENTS_BESIDE_MAX = 10_000;

/** Nothing that waits grows without end: queues and members of the devices, the line to the host, events of the simulation. Fed with samples. */
export class BoundedQueuesChecker {
  readonly #findings: Findings;

  constructor(seed: string) {
    this.#findings = new Findings('bounded-queues', seed);
  }

  get violations(): readonly Violation[] {
    return this.#findings.violations;
  }

  device(who: string, role: Role, queue: number, members: number, atS: number, spooled = 0): void {
    if (queue > QUEUE_ITEMS_MAX)
      this.#findings.report(who, `${queue} items wait in its queue, the limit is ${QUEUE_ITEMS_MAX}`, atS);
    if (spooled > SPOOL_PACKETS_MAX)
      this.#findings.report(who, `${spooled} packets wait in its flash, the limit is ${SPOOL_PACKETS_MAX}`, atS);
    if (members > MEMBERS_MAX[role])
      this.#findings.report(who, `it has ${members} members, the limit of a ${role} is ${MEMBERS_MAX[role]}`, atS);
  }

  line(gateway: string, backlogS: number, atS: number): void {
    if (backlogS <= LINE_BACKLOG_S_MAX) return;
    const what = `${backlogS.toFixed(1)} s of envelopes wait on the line to the host, the limit is ${LINE_BACKLOG_S_MAX}`;
    this.#findings.report(gateway, what, atS);
  }

  events(pending: number, devices: number, atS: number): void {
    const limit = EVENTS_BESIDE_MAX + EVENTS_PER_DEVICE_MAX * devices;
    if (pending > limit) this.#findings.report('', `${pending} events are pending, the limit is ${limit}`, atS);
  }
}
