import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ReadingMessage } from '../../nodes/headend/messages.ts';

const MESSAGES = 'messages.jsonl';
const BADGES = 'badges.jsonl';
const KILL = 'kill-at-next-message';

/**
 * What comes out of the flow under test, in files of the user directory that outlive the Node-RED process. Its nodes append synchronously:
 * a message that is in the file has gone out, one that has gone out is in the file.
 */
export class Outlet {
  readonly #folder: string;

  constructor(userDir: string) {
    this.#folder = userDir;
  }

  /** Nodes that take the readings (to be wired to `messages`) and the badges of all nodes on the same tab. */
  nodes(tab: string): object[] {
    const libs = ['fs', 'process'].map((name) => ({ var: name, module: name }));
    const collector = { type: 'function', z: tab, libs, outputs: 0, noerr: 0, initialize: '', finalize: '', wires: [] };
    return [
      { ...collector, id: 'messages', func: this.#keepMessage() },
      {
        ...collector,
        id: 'badges',
        func: append(join(this.#folder, BADGES), '[msg.status.source.id, msg.status.text]'),
      },
      { id: 'statuses', type: 'status', z: tab, scope: null, wires: [['badges']] },
    ];
  }

  /**
   * The process kills itself (SIGKILL) right after the next message has gone out: before any later turn of its event loop, in which the
   * store could have learned of it.
   */
  killAtNextMessage(): void {
    writeFileSync(join(this.#folder, KILL), '');
  }

  /** False once the process has killed itself. */
  get killIsPending(): boolean {
    return existsSync(join(this.#folder, KILL));
  }

  messages(): ReadingMessage[] {
    return linesOf(join(this.#folder, MESSAGES)) as ReadingMessage[];
  }

  /** Texts of a node's badge, oldest first. */
  badges(node: string): string[] {
    const all = linesOf(join(this.#folder, BADGES)) as [string, string][];
    return all.filter(([id]) => id === node).map(([, text]) => text);
  }

  #keepMessage(): string {
    const killFile = JSON.stringify(join(this.#folder, KILL));
    const keep = append(
      join(this.#folder, MESSAGES),
      '{ topic: msg.topic, payload: msg.payload, wattmesh: msg.wattmesh }',
    );
    return `${keep}
if (fs.existsSync(${killFile})) {
  fs.unlinkSync(${killFile});
  process.kill(process.pid, 'SIGKILL');
}`;
  }
}

function append(file: string, expression: string): string {
  return `fs.appendFileSync(${JSON.stringify(file)}, JSON.stringify(${expression}) + '\\n');`;
}

/** The whole lines of a file of JSON lines; none while there is no file. */
function linesOf(file: string): unknown[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as unknown);
}
