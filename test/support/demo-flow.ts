import { readProjectFile } from './sources.ts';

/** A node of a flow file. */
export type FlowNode = Record<string, unknown> & { readonly id: string; readonly type: string; readonly name?: string };

/** The nodes of flows/demo.json. */
export function readDemoFlow(): FlowNode[] {
  return JSON.parse(readProjectFile('flows/demo.json')) as FlowNode[];
}

/** The same flow with other settings of its network, and other ids where a prefix for them is given. */
export function demoFlowWith(network: Record<string, unknown>, prefix = ''): FlowNode[] {
  const nodes = readDemoFlow();
  let text = JSON.stringify(nodes.map((node) => (node.type === 'wattmesh-network' ? { ...node, ...network } : node)));
  if (prefix !== '') for (const { id } of nodes) text = text.replaceAll(`"${id}"`, `"${prefix}${id}"`);
  return JSON.parse(text) as FlowNode[];
}
