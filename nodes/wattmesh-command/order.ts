import { COMMAND_OPERATIONS, type CommandArgs, type CommandOperation } from '../headend/command-args.ts';
import type { CommandOrder } from '../headend/commands.ts';
import type { ApproveRequest, DeviceSelector } from '../headend/decisions.ts';
import { badField, kindOf, PayloadFields } from './fields.ts';

/** What the operator does about devices. */
export const OPERATOR_OPERATIONS = ['devices', 'approve', 'reject', 'rename', 'revoke', 'exchange', 'preload'] as const;
export type OperatorOperation = (typeof OPERATOR_OPERATIONS)[number];

/** What a message and the node's dialog ask for together. */
export type Order =
  | { readonly kind: 'command'; readonly device: DeviceSelector; readonly order: CommandOrder }
  | { readonly kind: 'devices' }
  | { readonly kind: 'approve'; readonly request: ApproveRequest }
  | { readonly kind: 'reject' | 'revoke'; readonly device: DeviceSelector }
  | { readonly kind: 'rename'; readonly device: DeviceSelector; readonly name: string }
  | { readonly kind: 'exchange'; readonly meter: string; readonly request: ApproveRequest }
  | { readonly kind: 'preload'; readonly text: string };

/** What the dialog says. */
export interface Dialog {
  /** Empty: the message names it. */
  readonly operation: string;
  /** As the typed input gives it for this message; empty or undefined: none. */
  readonly meter: unknown;
  /** Of the dialog's operation. */
  readonly args: CommandArgs;
  readonly timeoutS: number;
}

/** Operator's operations that take the device from the dialog, if the dialog names the operation too. */
const METER_OPERATIONS: readonly string[] = ['rename', 'revoke', 'exchange'] satisfies OperatorOperation[];

const ARGUMENTS: Readonly<Record<CommandOperation, readonly (keyof CommandArgs)[]>> = {
  pollNow: [],
  setInterval: ['intervalS', 'pollCycleS'],
  identify: ['seconds'],
  reboot: [],
  rekey: [],
  relay: ['on'],
};

/**
 * Reads an order. Fields of `payload` go before those of the dialog; a payload that is no object only triggers what the dialog says, but `true`
 * and `false` switch a relay, and a text or Buffer is the list of `preload`. Throws `badField`, which names the field and quotes no secret.
 */
export function readOrder(payload: unknown, dialog: Dialog): Order {
  const fields = new PayloadFields(payload);
  const operation = fields.filledText('operation') ?? dialog.operation;
  if (isOneOf(COMMAND_OPERATIONS, operation)) return readCommand(operation, payload, dialog);
  if (isOneOf(OPERATOR_OPERATIONS, operation)) return readDecision(operation, payload, dialog);
  const all = [...COMMAND_OPERATIONS, ...OPERATOR_OPERATIONS].join(', ');
  if (operation === '') throw badField(`no operation is chosen: give msg.payload.operation, one of ${all}`);
  throw badField(`there is no operation "${operation.slice(0, 40)}": msg.payload.operation is one of ${all}`);
}

function readCommand(operation: CommandOperation, payload: unknown, dialog: Dialog): Order {
  const fields = new PayloadFields(payload);
  const fromDialog = operation === dialog.operation ? dialog.args : {};
  const fromPayload =
    operation === 'relay' && typeof payload === 'boolean' ? { on: payload } : (fields.record('args') ?? {});
  const known: readonly string[] = ARGUMENTS[operation];
  const strange = Object.keys(fromPayload).find((name) => !known.includes(name));
  if (strange !== undefined) {
    const takes = known.length > 0 ? `takes ${known.join(' and ')}` : 'takes no arguments';
    throw badField(`msg.payload.args.${strange.slice(0, 40)} is unknown: ${operation} ${takes}`);
  }
  const args = { ...fromDialog, ...fromPayload };
  const timeoutS = fields.number('timeoutS') ?? dialog.timeoutS;
  return { kind: 'command', device: readDevice(fields, dialog.meter), order: { operation, args, timeoutS } };
}

function readDecision(operation: OperatorOperation, payload: unknown, dialog: Dialog): Order {
  const fields = new PayloadFields(payload);
  const isInDialog = operation === dialog.operation && METER_OPERATIONS.includes(operation);
  const dialogMeter = isInDialog ? dialog.meter : undefined;
  switch (operation) {
    case 'devices':
      return { kind: operation };
    case 'approve':
      return { kind: operation, request: { ...readCandidate(fields), ...optional('meter', fields.text('meter')) } };
    case 'reject':
    case 'revoke':
      return { kind: operation, device: readDevice(fields, dialogMeter) };
    case 'rename':
      return { kind: operation, device: readDevice(fields, dialogMeter), name: required(fields, 'name') };
    case 'exchange': {
      const meter = fields.filledText('meter') ?? meterOf(dialogMeter) ?? required(fields, 'meter');
      return { kind: operation, meter, request: readCandidate(fields) };
    }
    case 'preload':
      return { kind: operation, text: listIn(payload) ?? required(fields, 'text') };
  }
}

/** The device that is meant: the payload's, or else the dialog's. */
function readDevice(fields: PayloadFields, dialogMeter: unknown): DeviceSelector {
  for (const name of ['key', 'nodeId', 'meter'] as const) {
    const text = fields.filledText(name);
    if (text !== undefined) return { [name]: name === 'nodeId' ? text.toLowerCase() : text };
  }
  const meter = meterOf(dialogMeter);
  if (meter !== undefined) return { meter };
  throw badField('no device is chosen: give msg.payload.meter, nodeId or key, or choose a meter in the dialog');
}

function meterOf(dialogMeter: unknown): string | undefined {
  if (dialogMeter === undefined || dialogMeter === null || dialogMeter === '') return undefined;
  if (typeof dialogMeter === 'string') return dialogMeter.trim();
  throw badField(`the meter that the dialog points to must be a text and is ${kindOf(dialogMeter)}`);
}

/** What is said of a device that is to be let in. */
function readCandidate(fields: PayloadFields): Omit<ApproveRequest, 'meter'> {
  if (!fields.has('key') && !fields.has('nodeId')) {
    throw badField('no device is named: give msg.payload.key (the WM1 text of its label), or nodeId or key and digits');
  }
  return {
    ...optional('key', fields.filledText('key')),
    ...optional('nodeId', fields.filledText('nodeId')?.toLowerCase()),
    ...optional('digits', fields.text('digits')),
    ...optional('name', fields.text('name')),
    ...optional('hub', fields.number('hub')),
    ...optional('psk', fields.text('psk')),
  };
}

/** The list of `preload` where it is the payload itself, as `file in` gives it. */
function listIn(payload: unknown): string | undefined {
  if (typeof payload === 'string') return payload;
  return payload instanceof Uint8Array ? new TextDecoder().decode(payload) : undefined;
}

function required(fields: PayloadFields, name: string): string {
  const text = fields.filledText(name);
  if (text !== undefined) return text;
  throw badField(`msg.payload.${name} is missing`);
}

function optional<Name extends string, Value>(name: Name, value: Value | undefined): { [Key in Name]?: Value } {
  return (value === undefined ? {} : { [name]: value }) as { [Key in Name]?: Value };
}

function isOneOf<Name extends string>(names: readonly Name[], name: string): name is Name {
  return (names as readonly string[]).includes(name);
}
