import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import { WattmeshError } from '../errors.ts';
import { encodeSlip, SlipDecoder } from '../frame/slip.ts';
import { Backoff, formatWait } from './backoff.ts';
import type { Link, LinkHandler } from './link.ts';

/** Most bytes handed to the port and not yet written, about 0.7 s at 115200 baud; beyond that send() refuses. */
export const WRITE_QUEUE_BYTES_MAX = 8_192;

/** The baud rates that gateways know. */
export const BAUD_RATES: readonly number[] = [115_200, 921_600];

/** What is used of a serial port; `serialport`'s class has it. `close` comes with an error when the port vanished. */
export interface SerialPortLike {
  readonly isOpen: boolean;
  open(callback: (error: Error | null) => void): void;
  write(bytes: Uint8Array, callback: (error: Error | null | undefined) => void): boolean;
  close(callback: (error: Error | null) => void): void;
  on(event: 'data', listener: (bytes: Uint8Array) => void): unknown;
  on(event: 'close', listener: (error?: Error | null) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** Makes a port that is still closed. */
export type SerialPortFactory = (path: string, baudRate: number) => SerialPortLike;

export interface SerialSettings {
  /** `/dev/ttyUSB0`, better `/dev/serial/by-id/…`, or `COM3`. */
  readonly path: string;
  readonly baudRate: 115_200 | 921_600;
  readonly clock: Clock;
  /** Numbers in [0, 1) for the back-off; default Math.random. */
  readonly random?: () => number;
  /** Default: the ports of the package `serialport`. */
  readonly open?: SerialPortFactory;
}

/** One opening of the port; the next opening has another, so nothing of an old one can leak into it. */
interface Session {
  readonly port: SerialPortLike;
  readonly decoder: SlipDecoder;
  /** Settled when open() has called back. */
  readonly opened: Promise<void>;
  queuedBytes: number;
}

/**
 * One gateway on a serial port (PROTOCOL.md, "Serial line"): envelopes in SLIP with CRC-32. When the port cannot be opened, fails or
 * vanishes, it is opened again with back-off.
 */
export class SerialLink implements Link {
  readonly kind = 'serial';
  readonly #settings: SerialSettings;
  readonly #gateway: string;
  readonly #backoff: Backoff;
  readonly #ending = new Set<Promise<void>>();
  #factory: SerialPortFactory | undefined;
  #handler: LinkHandler | undefined;
  #session: Session | undefined;

  constructor(settings: SerialSettings) {
    this.#settings = settings;
    this.#gateway = settings.path.split(/[/\\]/).at(-1) || 'serial';
    this.#backoff = new Backoff(settings.clock, settings.random);
  }

  async open(handler: LinkHandler): Promise<void> {
    const { path, baudRate, open } = this.#settings;
    if (path.trim() === '')
      throw new WattmeshError('badConfig', 'no serial port is chosen: pick one, such as /dev/ttyUSB0');
    if (!BAUD_RATES.includes(baudRate)) {
      throw new WattmeshError('badConfig', `gateways do not know ${baudRate} baud: choose ${BAUD_RATES.join(' or ')}`);
    }
    this.#handler = handler;
    this.#factory = open ?? (await loadFactory());
    if (this.#handler) this.#open();
  }

  send(_gateway: string, envelope: Uint8Array): boolean {
    const line = encodeSlip(envelope);
    const session = this.#session;
    // A closed port would queue silently what nobody may want any more when it opens again.
    if (!session?.port.isOpen || session.queuedBytes + line.length > WRITE_QUEUE_BYTES_MAX) return false;
    session.queuedBytes += line.length;
    session.port.write(line, (error) => {
      session.queuedBytes -= line.length;
      if (error) this.#lost(session, error.message);
    });
    return true;
  }

  async close(): Promise<void> {
    this.#handler = undefined;
    this.#backoff.cancel();
    if (this.#session) this.#end(this.#session);
    await Promise.all(this.#ending);
  }

  #open(): void {
    const { path, baudRate } = this.#settings;
    const port = (this.#factory as SerialPortFactory)(path, baudRate);
    const decoder = new SlipDecoder({
      frame: (envelope) => this.#handler?.envelope(this.#gateway, envelope),
      bad: (reason, length) => this.#handler?.bad(this.#gateway, reason, length),
    });
    let settle = (): void => undefined;
    const opened = new Promise<void>((resolve) => {
      settle = resolve;
    });
    const session: Session = { port, decoder, opened, queuedBytes: 0 };
    this.#session = session;
    // Listeners stay for good, so that a late error of an old session is never unhandled; #lost ignores all but the present one.
    port.on('data', (bytes) => this.#session === session && decoder.push(bytes));
    port.on('error', (error) => this.#lost(session, error.message));
    port.on('close', (error) => this.#lost(session, error ? 'the port has vanished' : 'the port was closed'));
    port.open((error) => {
      settle();
      if (this.#session !== session) return;
      if (error) return this.#lost(session, explainOpenError(error, path));
      this.#backoff.opened();
      this.#handler?.state({ up: true, detail: `${path} open at ${baudRate} baud` });
    });
  }

  /** The present session is of no more use: says why and tries again later. */
  #lost(session: Session, cause: string): void {
    if (this.#session !== session) return;
    this.#end(session);
    session.decoder.end();
    const waitMs = this.#backoff.schedule(() => this.#open());
    const detail = `${this.#settings.path}: ${cause}; next try in ${formatWait(waitMs)}`;
    this.#handler?.state({ up: false, reason: 'linkClosed', detail });
  }

  #end(session: Session): void {
    this.#session = undefined;
    const ended = endPort(session);
    this.#ending.add(ended);
    void ended.then(() => this.#ending.delete(ended));
  }
}

/** Closes a session's port, also one that is just opening. A port that fails to close has gone already. */
async function endPort({ port, opened }: Session): Promise<void> {
  await opened;
  if (port.isOpen) await new Promise<void>((resolve) => port.close(() => resolve()));
}

function explainOpenError(error: Error, path: string): string {
  const text = error.message;
  if (/no such file|cannot find|file not found/i.test(text))
    return 'there is no such port: plug the gateway in or choose another port';
  if (/permission denied|access denied/i.test(text)) {
    return `no permission to open it: add this user to the group that owns ${path} (often dialout)`;
  }
  if (/cannot lock|resource busy|temporarily unavailable/i.test(text))
    return 'another program holds it: close that program';
  return `it cannot be opened (${text})`;
}

async function loadFactory(): Promise<SerialPortFactory> {
  const { SerialPort } = await loadSerialPort();
  // Without hupcl the control lines stay as they are on closing: on many boards their change resets the gateway.
  return (path, baudRate) => new SerialPort({ path, baudRate, autoOpen: false, hupcl: false });
}

async function loadSerialPort(): Promise<typeof import('serialport')> {
  try {
    return await import('serialport');
  } catch (error) {
    throw new WattmeshError(
      'noDriver',
      'serial ports need the package serialport: run "npm install serialport" in the user directory',
      {
        cause: error,
      },
    );
  }
}

/** A serial port for a choice list. */
export interface PortChoice {
  readonly path: string;
  readonly label: string;
}

/** What `SerialPort.list()` tells of a port, as far as it is used. */
export interface PortFacts {
  readonly path: string;
  readonly manufacturer?: string | undefined;
  readonly serialNumber?: string | undefined;
}

/**
 * The machine's serial ports, never rejecting: where the driver is absent or cannot list (no udev), the names below `devices` that look
 * like USB serial adapters, by-id names first because they survive replugging.
 */
export async function listPorts(
  list: () => Promise<readonly PortFacts[]> = listByDriver,
  devices = '/dev',
): Promise<PortChoice[]> {
  try {
    const ports = await list();
    return ports.map(({ path, manufacturer, serialNumber }) => {
      const facts = [manufacturer, serialNumber].filter(Boolean).join(' ');
      return { path, label: facts ? `${path} (${facts})` : path };
    });
  } catch {
    // The driver says no more than "I cannot": the device files say what there is.
    return listByName(devices);
  }
}

async function listByDriver(): Promise<PortFacts[]> {
  return (await loadSerialPort()).SerialPort.list();
}

async function listByName(devices: string): Promise<PortChoice[]> {
  const byId = join(devices, 'serial', 'by-id');
  const stable = (await namesIn(byId)).map((name) => ({ path: join(byId, name), label: name }));
  const names = (await namesIn(devices)).filter((name) => /^tty(USB|ACM)\d+$/.test(name));
  return [...stable, ...names.map((name) => ({ path: join(devices, name), label: join(devices, name) }))];
}

/** Sorted names in a folder; none where the folder cannot be read. */
async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).then(
    (names) => names.sort(),
    () => [],
  );
}
