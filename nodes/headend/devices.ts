import type { Clock } from './clock.ts';
import {
  type ApproveRequest,
  admit,
  approve,
  type DecisionContext,
  type DeviceSelector,
  exchange,
  reject,
  rename,
  revoke,
  servesMeter,
} from './decisions.ts';
import { deviceStatus } from './device-status.ts';
import type { Draft } from './draft.ts';
import { WattmeshError } from './errors.ts';
import type { DeviceStatus } from './messages.ts';
import { type ListedDevice, type ListFault, readDeviceList } from './preload.ts';
import type { Registry } from './registry.ts';
import type { AdmissionRecord, ReadingRow, RegisterMarks } from './store/store.ts';

/** What became of a pre-loaded list. */
export interface PreloadReport {
  /** Devices approved now; those that were already are not counted. */
  readonly approved: number;
  readonly faults: readonly ListFault[];
}

export interface DevicesParts {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly rotationGraceMs: number;
  random(length: number): Uint8Array;
  /** Takes a change into the next group; what `change` returned, once that is durable. */
  submit<Result>(change: (draft: Draft) => Result): Promise<Result>;
  /** The newest row of a device. */
  latestRow(key: string): Promise<ReadingRow | undefined>;
  /** A device may join now. */
  approved(key: string): void;
  /** A node is out, and K_net is changing. */
  revoked(nodeId: string): void;
  /** The list of devices, or a name, is another one. */
  changed(): void;
}

/**
 * What the operator decides about devices. Every call resolves once its change is durable. It rejects with an error of the closed set, which
 * quotes no secret: `badField` (wrong digits, a name or metering point that is taken, ...), `unknownNode`, `idConflict`, `queueFull`,
 * `linkClosed` (the head-end is not running), or the store's.
 */
export class Devices {
  readonly #parts: DevicesParts;

  constructor(parts: DevicesParts) {
    this.#parts = parts;
  }

  /** All devices on which there is a decision, or one to make: those first, the newest first. */
  list(): DeviceStatus[] {
    const rank = ({ state }: AdmissionRecord) => (state === 'pending' ? 0 : 1);
    return [...this.#parts.registry.admissions.all()]
      .sort((a, b) => rank(a) - rank(b) || b.sinceMs - a.sinceMs)
      .map((record) => this.#status(record));
  }

  /** Devices that wait for a decision, the newest first. */
  pending(): DeviceStatus[] {
    return this.list().filter(({ state }) => state === 'pending');
  }

  /** Lets a device in: by the WM1 text of its label, or by key or node id together with the digits asked for. */
  async approve(request: ApproveRequest): Promise<DeviceStatus> {
    const { registry, submit, approved, changed } = this.#parts;
    const key = await submit((draft) => approve(draft, request, this.#context()));
    approved(key);
    changed();
    return this.#status(registry.admissions.get(key) as AdmissionRecord);
  }

  /** Does not let a device in, and lists it no more. */
  async reject(device: DeviceSelector): Promise<void> {
    await this.#parts.submit((draft) => reject(draft, device, this.#context()));
    this.#parts.changed();
  }

  /** Lets all devices of a list in (CSV: key,name,hub,psk). Lines that cannot be used are reported, the others count. */
  async preload(text: string): Promise<PreloadReport> {
    const { registry, submit, approved, changed } = this.#parts;
    const waiting = this.pending();
    const report = await submit((draft) => this.preloadInto(draft, text));
    for (const { key } of waiting) if (registry.admissions.get(key)?.state === 'approved') approved(key);
    changed();
    return report;
  }

  /** The same as a change to a draft. */
  preloadInto(draft: Draft, text: string): PreloadReport {
    const { devices, faults } = readDeviceList(text);
    const refused: ListFault[] = [];
    let approved = 0;
    for (const device of devices) {
      try {
        if (admitListed(draft, device, this.#context())) approved++;
      } catch (error) {
        if (!(error instanceof WattmeshError)) throw error;
        refused.push({ line: device.line, message: error.message });
      }
    }
    return { approved, faults: [...faults, ...refused].sort((a, b) => a.line - b.line) };
  }

  /** Gives a node another name; its ids stay. */
  async rename(device: DeviceSelector, name: string): Promise<void> {
    await this.#parts.submit((draft) => rename(draft, device, name));
    this.#parts.changed();
  }

  /** Shuts a device out: its sessions end, its handshakes are refused and counted, and all others get a new K_net. */
  async revoke(device: DeviceSelector): Promise<void> {
    const nodeId = await this.#parts.submit((draft) => revoke(draft, device, this.#context()));
    this.#parts.revoked(nodeId);
    this.#parts.changed();
  }

  /**
   * Puts another device at a metering point: it goes on under the same id and, unless the request says otherwise, the same name. The former one
   * is revoked; the last registers of that one and the first ones of the new one are noted.
   */
  async exchange(meter: string, request: ApproveRequest): Promise<DeviceStatus> {
    const { registry, submit, approved, revoked, changed } = this.#parts;
    const end = await this.#lastRegisters(meter);
    const [key, formerNodeId] = await submit((draft) => {
      const former = servesMeter(draft, meter) ?? '';
      return [exchange(draft, meter, request, this.#context(), end), former] as const;
    });
    revoked(formerNodeId);
    approved(key);
    changed();
    return this.#status(registry.admissions.get(key) as AdmissionRecord);
  }

  async #lastRegisters(meter: string): Promise<RegisterMarks | null> {
    const { registry, latestRow } = this.#parts;
    const node = [...registry.nodes()].find(({ record }) => record.meter === meter && !registry.isRevoked(record));
    const row = node && (await latestRow(node.record.key));
    if (!row) return null;
    return { atMs: row.measuredAtMs, importDwh: row.importDwh ?? null, exportDwh: row.exportDwh ?? null };
  }

  #status(record: AdmissionRecord): DeviceStatus {
    return deviceStatus(record, this.#parts.registry.byKey(record.key)?.record);
  }

  #context(): DecisionContext {
    const { clock, random, rotationGraceMs } = this.#parts;
    return { nowMs: clock.nowMs(), random, rotationGraceMs };
  }
}

/** False for a device that was let in already; the list may still bring its PSK. */
function admitListed(draft: Draft, { key, name, hub, psk }: ListedDevice, context: DecisionContext): boolean {
  const known = draft.admissions.get(key);
  if (known?.state === 'revoked') {
    throw new WattmeshError(
      'revoked',
      `device ${known.nodeId} has been revoked: approve it by hand if it may join again`,
    );
  }
  if (known?.state !== 'approved') admit(draft, key, { name, hub }, context);
  if (psk) draft.vault.putPsk(key, psk);
  return known?.state !== 'approved';
}
