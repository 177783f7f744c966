import type { NodeAPI } from 'node-red';
import { serveDialogs } from '../../../nodes/wattmesh-network/admin/serve.ts';

/** What an endpoint answered. */
export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: answers are what the endpoints make of them; tests look at all of it
  readonly body: any;
  readonly headers: Readonly<Record<string, string>>;
}

interface Asked {
  readonly params: Record<string, string>;
  readonly query: Record<string, string>;
  readonly body: unknown;
}

type Handler = (request: Asked, response: FakeResponse) => void;

/** The part of a Node-RED that the endpoints use. */
interface Surroundings {
  getNode(id: string): unknown;
  getCredentials(id: string): unknown;
}

/** As much of an express response as the endpoints use. */
class FakeResponse {
  readonly headers: Record<string, string> = {};
  readonly #finish: (answer: Answer) => void;
  #status = 200;

  constructor(finish: (answer: Answer) => void) {
    this.#finish = finish;
  }

  set(name: string, value: string): this {
    this.headers[name.toLowerCase()] = value;
    return this;
  }

  type(value: string): this {
    return this.set('content-type', value);
  }

  status(status: number): this {
    this.#status = status;
    return this;
  }

  /** What JSON leaves of the body. */
  json(body: unknown): this {
    return this.send(JSON.parse(JSON.stringify(body)));
  }

  send(body: unknown): this {
    this.#finish({ status: this.#status, body, headers: this.headers });
    return this;
  }
}

/** The dialogs' endpoints without a server in front of them, and whom each lets in. */
export class Endpoints {
  /** Method, path and permission of each, in the order of registration. */
  readonly routes: string[] = [];
  readonly #handlers = new Map<string, Handler>();

  constructor(nodes: Surroundings = { getNode: () => null, getCredentials: () => undefined }) {
    const add =
      (method: string) =>
      (path: string, permission: string, handler: Handler): void => {
        this.routes.push(`${method} ${path} ${permission}`);
        this.#handlers.set(`${method} ${path}`, handler);
      };
    const RED = {
      nodes,
      auth: { needsPermission: (permission: string) => permission },
      httpAdmin: { get: add('GET'), post: add('POST') },
    };
    serveDialogs(RED as unknown as NodeAPI);
  }

  /** `path`: behind "/wattmesh/", with the id of a network in the place of ":id". */
  get(path: string, query: Record<string, string> = {}): Promise<Answer> {
    return this.#ask('GET', path, { query, body: undefined });
  }

  post(path: string, body: unknown = {}): Promise<Answer> {
    return this.#ask('POST', path, { query: {}, body });
  }

  #ask(method: string, path: string, asked: Omit<Asked, 'params'>): Promise<Answer> {
    const [, id = ''] = /^networks\/([^/]+)\//.exec(path) ?? [];
    const route = `${method} /wattmesh/${id ? path.replace(`/${id}/`, '/:id/') : path}`;
    const handler = this.#handlers.get(route);
    if (!handler) throw new RangeError(`there is no endpoint ${route}`);
    return new Promise((resolve) => handler({ ...asked, params: { id } }, new FakeResponse(resolve)));
  }
}
