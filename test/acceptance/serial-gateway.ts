import { once } from 'node:events';
import { SerialPort } from 'serialport';
import type { FastMesh } from './mesh.ts';

/** Connects the simulated gateway's serial line with a port of this machine. What is sent while the cable is out is lost. */
export class SerialGateway {
  readonly #mesh: FastMesh;
  readonly #path: string;
  #port: SerialPort | undefined;

  constructor(mesh: FastMesh, path: string) {
    this.#mesh = mesh;
    this.#path = path;
    mesh.world.gateway.onHostBytes((bytes) => {
      if (this.#port?.isOpen) this.#port.write(bytes);
    });
  }

  /** To be called whenever the cable has been put in. */
  async open(): Promise<void> {
    const port = new SerialPort({ path: this.#path, baudRate: 115_200, autoOpen: false });
    port.on('data', (bytes: Buffer) => this.#mesh.world.gateway.hostBytes(bytes));
    // The cable is pulled on purpose: the port vanishes, as it should.
    port.on('error', () => undefined);
    await new Promise<void>((resolve, reject) => port.open((error) => (error ? reject(error) : resolve())));
    this.#port = port;
  }

  /** Puts bytes on the line, as noise would; resolves when the line takes more. */
  async send(bytes: Uint8Array): Promise<void> {
    if (this.#port?.isOpen && !this.#port.write(bytes)) await once(this.#port, 'drain');
  }

  async close(): Promise<void> {
    const port = this.#port;
    if (port?.isOpen) await new Promise<void>((resolve) => port.close(() => resolve()));
  }
}
