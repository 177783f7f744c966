import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { nodeRedRoot } from '../../support/node-red.ts';
import { Observed } from '../../support/observed.ts';

interface WebSocketLike {
  on(event: 'message', listener: (data: Buffer) => void): void;
  once(event: string, listener: (...args: unknown[]) => void): void;
  send(text: string): void;
  close(): void;
}

/** Listens to what Node-RED tells its editor: the debug sidebar, badges, notifications. */
export class Comms extends Observed {
  #text = '';
  readonly #socket: WebSocketLike;

  private constructor(socket: WebSocketLike) {
    super();
    this.#socket = socket;
    socket.on('message', (data) => {
      this.#text += data.toString();
      this.changed();
    });
  }

  /** `url`: of the admin interface. */
  static async open(url: string): Promise<Comms> {
    const { WebSocket } = createRequire(join(nodeRedRoot(), 'package.json'))('ws') as {
      WebSocket: new (url: string) => WebSocketLike;
    };
    const socket = new WebSocket(`${url.replace('http', 'ws')}/comms`);
    const comms = new Comms(socket);
    await once(socket as unknown as NodeJS.EventEmitter, 'open');
    for (const topic of ['debug', 'status/#', 'notification/#']) socket.send(JSON.stringify({ subscribe: topic }));
    return comms;
  }

  /** Everything heard so far. */
  get text(): string {
    return this.#text;
  }

  close(): void {
    this.#socket.close();
  }

  protected override summary(): unknown {
    return this.#text.slice(-2000);
  }
}
