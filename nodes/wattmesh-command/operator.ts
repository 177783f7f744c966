import type { DeviceSelector } from '../headend/decisions.ts';
import type { Devices } from '../headend/devices.ts';
import type { DeviceStatus, NodeStatus } from '../headend/messages.ts';
import { type ListFault, parseDeviceKey } from '../headend/preload.ts';
import { nodeIdOf } from '../headend/security/keys.ts';
import { meantDevice, meantMeter } from './meant-device.ts';
import type { OperatorOperation, Order } from './order.ts';

/** An order that the head-end carries out by itself. */
export type OperatorOrder = Exclude<Order, { kind: 'command' }>;

/** What became of it. */
export type OperatorAnswer = { readonly operation: OperatorOperation } & (
  | { readonly devices: readonly DeviceStatus[] }
  /** Null: there is no decision on record about it, because the network lets everybody in. */
  | { readonly device: DeviceStatus | null }
  | { readonly approved: number; readonly faults: readonly ListFault[] }
);

/** Carries an operator's order out. Rejects as `Devices` does. `nodes`: those of the network now, by whose names devices may be meant. */
export async function carryOut(
  devices: Devices,
  order: OperatorOrder,
  nodes: readonly NodeStatus[],
): Promise<OperatorAnswer> {
  const operation = order.kind;
  switch (order.kind) {
    case 'devices':
      return { operation, devices: devices.list() };
    case 'approve':
      return { operation, device: await devices.approve(order.request) };
    case 'exchange':
      return { operation, device: await devices.exchange(meantMeter(order.meter, nodes), order.request) };
    case 'preload': {
      const { approved, faults } = await devices.preload(order.text);
      return { operation, approved, faults };
    }
    case 'reject':
      return { operation, device: await changed(devices, order.device, nodes, (device) => devices.reject(device)) };
    case 'revoke':
      return { operation, device: await changed(devices, order.device, nodes, (device) => devices.revoke(device)) };
    case 'rename':
      return {
        operation,
        device: await changed(devices, order.device, nodes, (device) => devices.rename(device, order.name)),
      };
  }
}

/** A device after a change; it is found before it, since a revoked one serves its metering point no more. */
async function changed(
  devices: Devices,
  selector: DeviceSelector,
  nodes: readonly NodeStatus[],
  change: (device: DeviceSelector) => Promise<void>,
): Promise<DeviceStatus | null> {
  const meant = meantDevice(selector, nodes);
  const nodeId = nodeIdIn(meant, nodes, devices.list());
  await change(meant);
  return devices.list().find((device) => device.nodeId === nodeId) ?? null;
}

function nodeIdIn(
  { key, nodeId, meter }: DeviceSelector,
  nodes: readonly NodeStatus[],
  listed: readonly DeviceStatus[],
): string | undefined {
  if (key !== undefined) return nodeIdOf(parseDeviceKey(key));
  if (nodeId !== undefined) return nodeId;
  const serving =
    nodes.find((node) => node.meter === meter && !node.revoked) ??
    listed.find((device) => device.meter === meter && device.state === 'approved');
  return serving?.nodeId;
}
