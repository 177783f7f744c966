import { BoundedMap } from './bounded-map.ts';
import type { Registry } from './registry.ts';

/** Most devices named; the one whose last alarm is oldest is forgotten first. */
export const ALARMED_DEVICES_MAX = 32;

interface Alarm {
  lostRows: number;
  setBack: number;
}

/** What devices do that somebody should look at, since the start. */
export class DeviceAlarms {
  readonly #registry: Registry;
  readonly #alarms = new BoundedMap<string, Alarm>(ALARMED_DEVICES_MAX);

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** A meter can no longer read so many rows that were never delivered. */
  lost(nodeId: string, rows: number): void {
    this.#alarm(nodeId).lostRows += rows;
  }

  /** A meter came back with a log that it had given up: no meter does that by itself. */
  wentBack(nodeId: string): void {
    this.#alarm(nodeId).setBack++;
  }

  /** One line for each. */
  lines(): string[] {
    return this.#alarms.entries().flatMap(([nodeId, { lostRows, setBack }]) => {
      const name = this.#registry.get(nodeId)?.record.name ?? nodeId;
      const lines: string[] = [];
      if (lostRows > 0) lines.push(`${name} has lost ${lostRows} readings that were in its memory: replace the device`);
      if (setBack > 0) {
        lines.push(
          `${name} came back with an older log ${setBack} times: two devices have its key, or its memory was set back; give one of them a new key`,
        );
      }
      return lines;
    });
  }

  #alarm(nodeId: string): Alarm {
    const alarm = this.#alarms.get(nodeId) ?? { lostRows: 0, setBack: 0 };
    this.#alarms.set(nodeId, alarm);
    return alarm;
  }
}
