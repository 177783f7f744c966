import type { DeviceSelector } from '../headend/decisions.ts';
import type { NodeStatus } from '../headend/messages.ts';
import { badField } from './fields.ts';

/**
 * Finds the device that is meant where people wrote a name or a node id in place of the metering point's id, in any case. Ids go before names,
 * and devices that take part before revoked ones. What nobody is called stays as it is: the head-end says what is wrong with it.
 */
export function meantDevice(device: DeviceSelector, nodes: readonly NodeStatus[]): DeviceSelector {
  const { key, nodeId, meter } = device;
  if (key !== undefined || nodeId !== undefined || meter === undefined) return device;
  const present = nodes.filter(({ revoked }) => !revoked);
  if (present.some((node) => node.meter === meter)) return device;
  const found = called(present, meter) ?? called(nodes, meter);
  return found ? { nodeId: found.nodeId } : device;
}

/** The id of the metering point that is meant, likewise. */
export function meantMeter(meter: string, nodes: readonly NodeStatus[]): string {
  const { nodeId } = meantDevice({ meter }, nodes);
  return nodes.find((node) => node.nodeId === nodeId)?.meter ?? meter;
}

function called(nodes: readonly NodeStatus[], text: string): NodeStatus | undefined {
  const wanted = text.toLowerCase();
  const byId = nodes.find(({ nodeId, meter }) => nodeId === wanted || meter === text);
  const byName = nodes.filter(({ name }) => name.toLowerCase() === wanted);
  if (!byId && byName.length > 1) {
    throw badField(`${byName.length} devices have the name that is given as the meter: give the id of one instead`);
  }
  return byId ?? byName[0];
}
