import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { FastMesh } from './mesh.ts';

const TRIES = 100;
const PAUSE_WALL_MS = 50;

/** Connects the simulated gateway's serial line with two TCP ports, one for each direction, as a serial server on the network would. */
export class TcpGateway {
  readonly #up: Socket;
  readonly #down: Socket;

  private constructor(mesh: FastMesh, up: Socket, down: Socket) {
    this.#up = up;
    this.#down = down;
    down.on('data', (bytes) => mesh.world.gateway.hostBytes(bytes));
    mesh.world.gateway.onHostBytes((bytes) => void up.write(bytes));
  }

  static async connect(mesh: FastMesh, ports: { readonly up: number; readonly down: number }): Promise<TcpGateway> {
    return new TcpGateway(mesh, await reach(ports.up), await reach(ports.down));
  }

  /** Puts bytes on the line, as noise would; resolves when the line takes more. */
  async send(bytes: Uint8Array): Promise<void> {
    if (!this.#up.write(bytes)) await once(this.#up, 'drain');
  }

  async close(): Promise<void> {
    this.#up.destroy();
    this.#down.destroy();
  }
}

/** A connection to a port of this machine that is perhaps only about to be opened. */
async function reach(port: number): Promise<Socket> {
  for (let left = TRIES; ; left--) {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return socket;
    } catch (error) {
      if (left === 0) throw error;
      await delay(PAUSE_WALL_MS);
    }
  }
}
