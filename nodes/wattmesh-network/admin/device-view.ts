import { fromHex } from '../../headend/bytes.ts';
import type { DeviceStatus, NodeStatus } from '../../headend/messages.ts';
import { labelDigits, labelText } from '../../headend/security/label.ts';

/** A device as the dialog shows it. */
export interface DeviceView extends Omit<DeviceStatus, 'state' | 'since'> {
  /** `joined`: it is in although nobody has decided on it, because everyone is let in. */
  readonly state: DeviceStatus['state'] | 'joined';
  /** Null without a decision. */
  readonly since: string | null;
  /** Text of its label, where the operator need not prove any more to have seen it; its digits are complete then. */
  readonly label?: string;
  /** Null until it has joined. */
  readonly status: NodeStatus['status'] | null;
}

/** All devices on which there is a decision, or one to make, then those that are in without one. */
export function deviceViews(devices: readonly DeviceStatus[], nodes: readonly NodeStatus[]): DeviceView[] {
  const known = new Set(devices.map(({ key }) => key));
  const byKey = new Map(nodes.map((node) => [node.key, node]));
  return [
    ...devices.map((device) => withNode(labelled(device), byKey.get(device.key))),
    ...nodes.filter(({ key, revoked }) => !known.has(key) && !revoked).map(undecided),
  ];
}

/** A device from a list has told nobody its suite before it joined. */
function withNode(device: ReturnType<typeof labelled>, node: NodeStatus | undefined): DeviceView {
  return { ...device, suite: node?.suite ?? device.suite, status: node?.status ?? null };
}

/** The device with its whole label if it has been approved. */
export function labelled(device: DeviceStatus): DeviceStatus & Pick<DeviceView, 'label'> {
  return device.state === 'approved' ? { ...device, ...labelOf(device.key) } : device;
}

function undecided({ key, nodeId, status, lastSeen, role, suite, meter, name, localHubId }: NodeStatus): DeviceView {
  const unknown = { since: null, gateway: null, start: null, end: null };
  const label = { ...labelOf(key), asked: [1, 2] as [number, number] };
  return {
    key,
    nodeId,
    state: 'joined',
    status,
    lastSeen,
    role,
    suite,
    meter,
    name,
    hub: localHubId,
    ...unknown,
    ...label,
  };
}

function labelOf(key: string): { label: string; digits: string[] } {
  const bytes = fromHex(key);
  return { label: labelText(bytes), digits: labelDigits(bytes) };
}
