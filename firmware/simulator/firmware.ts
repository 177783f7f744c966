import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ErrorName, errorCodes, WattmeshError } from '../../nodes/headend/errors.ts';

/** What a device lends its firmware: the imports of the module `env` (firmware/wasm/port.cpp). Addresses, lengths and booleans are i32. */
export type FirmwareImports = Readonly<Record<FirmwareImportName, (...args: number[]) => unknown>>;
export type FirmwareImportName =
  | 'radio_send'
  | 'host_send'
  | 'nv_read'
  | 'nv_write'
  | 'nv_erase'
  | 'random'
  | 'sha256'
  | 'x25519'
  | 'aead_seal'
  | 'aead_open'
  | 'rsa_oaep_encrypt'
  | 'registers'
  | 'free_ram'
  | 'trace'
  | 'relay_set'
  | 'relay_get'
  | 'identify'
  | 'reboot'
  | 'rtc_read'
  | 'rtc_write'
  | 'deep_sleep';

/** One instance of the firmware. Times are microseconds since its boot; most calls return when the next tick is wanted. */
export interface FirmwareInstance {
  readonly memory: { readonly buffer: ArrayBufferLike };
  _initialize?(): void;
  wm_io(): number;
  wm_boot(length: number, nowUs: number): number;
  wm_receive(length: number, rssiDbm: number, nowUs: number): number;
  wm_sent(ok: number, nowUs: number): number;
  wm_host(length: number, nowUs: number): number;
  wm_tick(nowUs: number): number;
  /** Something happens that the head-end is to hear of at once. */
  wm_raise(code: number, value: number, nowUs: number): number;
  wm_state(): number;
  /** Network time, microseconds of UTC; negative: it has none. */
  wm_utc(nowUs: number): number;
  wm_sizeof(role: number): number;
}

/** The compiled firmware, shared by all devices. */
export interface Firmware {
  instantiate(imports: FirmwareImports): FirmwareInstance;
}

/** Bytes of the buffer through which data goes in and out. */
export const IO_BYTES = 2048;

const RELEASE = 'dist/firmware/wasm/wattmesh.wasm';
const CHECKED = '.cache/wasm/wattmesh.checked.wasm';

const loaded = new Map<string, Firmware>();

/**
 * The firmware as the build left it; `checked` is the variant that traps on undefined behaviour, of a development checkout only. Compiled
 * once per process. Throws `badConfig` when it has not been built.
 */
export function loadFirmware(checked = false): Firmware {
  const file = join(packageRoot(), checked ? CHECKED : RELEASE);
  const known = loaded.get(file);
  if (known) return known;
  if (!existsSync(file)) throw new WattmeshError('badConfig', `there is no firmware module ${file}: run npm run build`);
  const module = new WebAssembly.Module(readFileSync(file));
  const firmware: Firmware = {
    instantiate(imports) {
      const { exports } = new WebAssembly.Instance(module, { env: imports as WebAssembly.ModuleImports });
      return exports as unknown as FirmwareInstance;
    },
  };
  loaded.set(file, firmware);
  return firmware;
}

/** Folder of the package that this file belongs to, wherever it was compiled to. */
function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder)
      throw new WattmeshError('badConfig', 'the simulator stands outside its package: install it again');
    folder = parent;
  }
  return folder;
}

/** The error of a device whose firmware does not start, by the number that it gave. */
export function bootFailed(id: string, code: number): WattmeshError {
  const reason = (Object.keys(errorCodes) as ErrorName[]).find((name) => errorCodes[name] === code) ?? 'badField';
  return new WattmeshError(
    reason,
    `the firmware of ${id} does not start: error ${code} (${reason}); check its configuration and flash`,
  );
}
