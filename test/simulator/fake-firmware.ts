import type { Firmware, FirmwareImports, FirmwareInstance } from '../../firmware/simulator/firmware.ts';

/** One call of an export, times in microseconds since boot. */
export type Call =
  | { readonly kind: 'boot'; readonly io: Uint8Array; readonly nowUs: number }
  | { readonly kind: 'receive'; readonly io: Uint8Array; readonly rssiDbm: number; readonly nowUs: number }
  | { readonly kind: 'sent'; readonly ok: boolean; readonly nowUs: number }
  | { readonly kind: 'host'; readonly io: Uint8Array; readonly nowUs: number }
  | { readonly kind: 'tick'; readonly nowUs: number };

const IO = 1024;
/** Where a script may put what it hands to imports. */
export const SCRATCH = 4096;

/** What a firmware of a test does: returns when it wants to be called again. */
export type Script = (call: Call, device: FakeInstance) => number;

/** An instance whose behaviour is a script; it notes every call. */
export class FakeInstance implements FirmwareInstance {
  readonly memory = { buffer: new ArrayBuffer(8192) };
  readonly calls: Call[] = [];
  readonly imports: FirmwareImports;
  state: Uint8Array = new Uint8Array(0);
  /** Negative: no network time. */
  utcUs = -1;
  readonly #script: Script;

  constructor(imports: FirmwareImports, script: Script) {
    this.imports = imports;
    this.#script = script;
  }

  get bytes(): Uint8Array {
    return new Uint8Array(this.memory.buffer);
  }

  wm_io(): number {
    return IO;
  }

  wm_boot(length: number, nowUs: number): number {
    return this.#called({ kind: 'boot', io: this.#input(length), nowUs });
  }

  wm_receive(length: number, rssiDbm: number, nowUs: number): number {
    return this.#called({ kind: 'receive', io: this.#input(length), rssiDbm, nowUs });
  }

  wm_sent(ok: number, nowUs: number): number {
    return this.#called({ kind: 'sent', ok: ok === 1, nowUs });
  }

  wm_host(length: number, nowUs: number): number {
    return this.#called({ kind: 'host', io: this.#input(length), nowUs });
  }

  wm_raise(_code: number, _value: number, nowUs: number): number {
    return this.wm_tick(nowUs);
  }

  wm_tick(nowUs: number): number {
    return this.#called({ kind: 'tick', nowUs });
  }

  wm_state(): number {
    this.bytes.set(this.state, IO);
    return this.state.length;
  }

  wm_utc(): number {
    return this.utcUs;
  }

  wm_sizeof(): number {
    return 0;
  }

  #input(length: number): Uint8Array {
    return this.bytes.slice(IO, IO + length);
  }

  #called(call: Call): number {
    this.calls.push(call);
    return this.#script(call, this);
  }
}

/** A firmware that does what the script says, and its instances in the order of their boots. */
export function fakeFirmware(script: Script): { readonly firmware: Firmware; readonly instances: FakeInstance[] } {
  const instances: FakeInstance[] = [];
  const firmware: Firmware = {
    instantiate(imports) {
      const instance = new FakeInstance(imports, script);
      instances.push(instance);
      return instance;
    },
  };
  return { firmware, instances };
}
