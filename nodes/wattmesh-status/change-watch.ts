import type { NodeStatus } from '../headend/messages.ts';

/** Finds the nodes that came or went between one look and the next. It remembers as many nodes as the last look showed. */
export class ChangeWatch {
  #before: ReadonlyMap<string, NodeStatus['status']> = new Map();

  /** Nodes whose status differs from the last look's; of a node seen for the first time only news count, and `never` is none. */
  changes(nodes: readonly NodeStatus[]): NodeStatus[] {
    const before = this.#before;
    this.#before = new Map(nodes.map(({ nodeId, status }) => [nodeId, status]));
    return nodes.filter(({ nodeId, status }) => status !== (before.get(nodeId) ?? 'never'));
  }
}
