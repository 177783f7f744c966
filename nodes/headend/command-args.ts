import { Writer } from './bytes.ts';
import { WattmeshError } from './errors.ts';
import { OPERATIONS } from './frame/sections.ts';

/** What a node can be asked to do; `relay` moves something, and takes two steps. */
export const COMMAND_OPERATIONS = ['pollNow', 'setInterval', 'identify', 'reboot', 'rekey', 'relay'] as const;
export type CommandOperation = (typeof COMMAND_OPERATIONS)[number];

/** Arguments: of `setInterval` the first two, of `identify` the third (default 10), of `relay` the last. */
export interface CommandArgs {
  /** Seconds between rows, 1..65535. */
  readonly intervalS?: number;
  /** Seconds between polls, 1..65535. */
  readonly pollCycleS?: number;
  /** How long the node shows itself, 1..255. */
  readonly seconds?: number;
  readonly on?: boolean;
}

const IDENTIFY_S = 10;
const NOTHING = new Uint8Array(0);

/** A COMMAND's operation and arguments as they travel. */
export interface WireCommand {
  readonly operation: number;
  readonly arguments: Uint8Array;
}

/** The first step of an operation; `badField` for one that does not exist and for arguments outside their ranges. */
export function wireCommand(operation: CommandOperation, args: CommandArgs): WireCommand {
  switch (operation) {
    case 'pollNow':
    case 'reboot':
    case 'rekey':
      return { operation: OPERATIONS[operation], arguments: NOTHING };
    case 'setInterval': {
      const writer = new Writer(4).u16(checked(args.intervalS, 0xffff, 'intervalS'));
      return {
        operation: OPERATIONS.setInterval,
        arguments: writer.u16(checked(args.pollCycleS, 0xffff, 'pollCycleS')).finish(),
      };
    }
    case 'identify': {
      const seconds = checked(args.seconds ?? IDENTIFY_S, 0xff, 'seconds');
      return { operation: OPERATIONS.identify, arguments: Uint8Array.of(seconds) };
    }
    case 'relay': {
      if (typeof args.on !== 'boolean') throw new WattmeshError('badField', 'relay needs "on": true or false');
      return { operation: OPERATIONS.relayPrepare, arguments: Uint8Array.of(args.on ? 1 : 0) };
    }
    default:
      throw new WattmeshError('badField', `there is no such operation: use ${COMMAND_OPERATIONS.join(', ')}`);
  }
}

/** The second step of `relay`: the node's own nonce proves that the command is not an old one. */
export function relayCommit(nonce: Uint8Array): WireCommand {
  return { operation: OPERATIONS.relayCommit, arguments: nonce };
}

function checked(value: number | undefined, max: number, name: string): number {
  if (value !== undefined && Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw new WattmeshError('badField', `${name} must be a whole number from 1 to ${max}`);
}
