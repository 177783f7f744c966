import { csvField } from '../headend/csv.ts';
import { labelText } from '../headend/security/label.ts';

/** A device as a factory delivers it. */
export interface DeliveredDevice {
  readonly name: string;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** 0: none. */
  readonly localHubId: number;
}

/** The list that comes with devices: CSV (RFC 4180) of WM1 text, name, number of a hub, and no PSK. */
export function deviceList(devices: readonly DeliveredDevice[]): string {
  const lines = devices.map(({ name, publicKey, localHubId }) => {
    return `${labelText(publicKey)},${csvField(name)},${localHubId || ''},\n`;
  });
  return `key,name,hub,psk\n${lines.join('')}`;
}
