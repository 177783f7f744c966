import { BoundedMap } from './bounded-map.ts';
import { toHex } from './bytes.ts';
import type { Clock, Timer } from './clock.ts';
import { type CommandArgs, type CommandOperation, relayCommit, type WireCommand, wireCommand } from './command-args.ts';
import { WattmeshError } from './errors.ts';
import type { Outcome, UpSection } from './frame/sections.ts';
import type { CommandEvent, CommandMessage } from './messages.ts';
import type { MeshNode } from './registry.ts';
import { suiteName } from './security/suites.ts';
import type { Sender } from './sender.ts';

/** Most commands under way at once, and to one node. */
export const COMMANDS_MAX = 64;
export const COMMANDS_PER_NODE_MAX = 4;
/** Time for a command unless the request says otherwise, and what it may say, s. */
export const COMMAND_TIMEOUT_S = 120;
const TIMEOUT_S_MIN = 5;
const TIMEOUT_S_MAX = 24 * 3600;
/** A node's nonce lives for this long, ms: afterwards its COMMIT is not sent any more. */
const NONCE_LIFE_MS = 60_000;
const NONCE_BYTES = 8;
/** A command that has no result is sent again after this, ms; a sleeping node gets it with its polls, so after a poll cycle. */
const RESEND_MS = 10_000;
/** The next try, ms, when no gateway took it. */
const RETRY_MS = 5_000;
/** Commands that have ended and whose results may still come, or come again. */
const ENDED_MAX = 256;

/** What is asked of a node. */
export interface CommandOrder {
  readonly operation: CommandOperation;
  readonly args?: CommandArgs;
  readonly timeoutS?: number;
}

type ResultSection = Extract<UpSection, { kind: 'result' }>;

/** How a command ended. */
export type CommandEnd = { readonly message: CommandMessage } | { readonly error: WattmeshError };

interface Command {
  readonly id: number;
  readonly node: MeshNode['record'];
  readonly suite: number;
  readonly operation: CommandOperation;
  readonly tell: (message: CommandMessage) => void;
  readonly end: (end: CommandEnd) => void;
  /** The step under way: number on the wire, and what it says. */
  number: number;
  wire: WireCommand;
  isSent: boolean;
  /** The next time it is sent; its end; the end of its nonce. Timers, because the clock may be set while they run. */
  resend: Timer | undefined;
  deadline: Timer | undefined;
  nonceEnd: Timer | undefined;
}

export interface CommandsParts {
  readonly network: string;
  readonly clock: Clock;
  readonly sender: Sender;
  /** Number of the first command, a random u16: results meant for an earlier life are told apart by it. */
  readonly firstNumber: number;
  /** A result came that nobody waits for any more. */
  late(): void;
}

/**
 * Commands to nodes and their results. A command is sent again under its own number until its result comes; a node that has done it answers a
 * repetition with the same result.
 */
export class Commands {
  readonly #parts: CommandsParts;
  readonly #commands = new Set<Command>();
  readonly #ended = new BoundedMap<string, Command | 'answered'>(ENDED_MAX);
  #lastId = 0;
  #number: number;

  constructor(parts: CommandsParts) {
    this.#parts = parts;
    this.#number = parts.firstNumber & 0xffff;
  }

  /**
   * Begins a command. `tell` hears of every event, `end` of its end: the result's message, or `commandTimeout` when there was none in time, or
   * `linkClosed` when the head-end stops. Throws `badField` for a wrong order and `queueFull` when too many are under way.
   */
  begin(
    { record, sessions }: MeshNode,
    { operation, args = {}, timeoutS = COMMAND_TIMEOUT_S }: CommandOrder,
    tell: (message: CommandMessage) => void,
    end: (end: CommandEnd) => void,
  ): void {
    const wire = wireCommand(operation, args);
    if (!(timeoutS >= TIMEOUT_S_MIN && timeoutS <= TIMEOUT_S_MAX)) {
      throw new WattmeshError('badField', `timeoutS must be from ${TIMEOUT_S_MIN} to ${TIMEOUT_S_MAX}`);
    }
    this.#requireRoom(record.nodeId);
    const command: Command = {
      id: ++this.#lastId,
      node: record,
      suite: sessions.current?.suite ?? record.suite,
      operation,
      tell,
      end,
      number: this.#nextNumber(),
      wire,
      isSent: false,
      resend: undefined,
      deadline: undefined,
      nonceEnd: undefined,
    };
    this.#commands.add(command);
    command.deadline = this.#parts.clock.after(timeoutS * 1000, () => this.#timeOut(command));
    this.#run(command);
  }

  /** A node's RESULT, of a packet that is new. */
  result(nodeId: string, { command: number, outcome, data }: ResultSection): void {
    const command = [...this.#commands].find((each) => each.node.nodeId === nodeId && each.number === number);
    if (command) this.#answered(command, outcome, data);
    else this.#cameLate(nodeId, number, outcome, data);
  }

  /** Ends everything under way. */
  stop(): void {
    for (const command of this.#commands) {
      this.#close(command, {
        error: new WattmeshError(
          'linkClosed',
          `the network was stopped before the result of ${command.operation} came`,
        ),
      });
    }
  }

  #answered(command: Command, outcome: Outcome, data: Uint8Array): void {
    if (outcome !== 'prepared') {
      this.#finish(command, outcome, data);
    } else if (command.wire.operation === wireCommand('relay', { on: true }).operation && data.length === NONCE_BYTES) {
      command.tell(this.#message(command, 'prepared'));
      this.#ended.set(stepOf(command), 'answered');
      command.number = this.#nextNumber();
      command.wire = relayCommit(data);
      command.resend?.cancel();
      command.nonceEnd = this.#parts.clock.after(NONCE_LIFE_MS, () => command.resend?.cancel());
      this.#run(command);
    }
  }

  /** Sends what is to be sent, and again after a while. */
  #run(command: Command): void {
    const { clock, sender } = this.#parts;
    const hold = command.node.energy === 'battery';
    const section = { kind: 'command', command: command.number, ...command.wire } as const;
    const wasSent = typeof sender.send(command.node.nodeId, [section], hold) === 'object';
    if (wasSent && !command.isSent) {
      command.isSent = true;
      command.tell(this.#message(command, 'sent'));
    }
    const pauseMs = hold ? Math.max(RESEND_MS, command.node.pollCycleS * 1000) : RESEND_MS;
    command.resend = clock.after(wasSent ? pauseMs : RETRY_MS, () => this.#run(command));
  }

  #finish(command: Command, outcome: Exclude<Outcome, 'prepared'>, data: Uint8Array): void {
    const message = this.#message(command, outcome, { outcome, data });
    command.tell(message);
    this.#ended.set(stepOf(command), 'answered');
    this.#close(command, { message });
  }

  #timeOut(command: Command): void {
    const { operation, node, isSent } = command;
    const why = isSent
      ? `it may still have been done: look before you repeat it`
      : `it was never sent: the node has not joined, or no gateway is there`;
    command.tell(this.#message(command, 'timeout'));
    this.#ended.set(stepOf(command), command);
    this.#close(command, {
      error: new WattmeshError('commandTimeout', `${operation} of ${node.name} had no result in time; ${why}`),
    });
  }

  #cameLate(nodeId: string, number: number, outcome: Outcome, data: Uint8Array): void {
    const step = `${nodeId}:${number}`;
    const ended = this.#ended.get(step);
    if (ended === 'answered') return;
    this.#parts.late();
    if (!ended) return;
    this.#ended.set(step, 'answered');
    ended.tell(this.#message(ended, 'late', { outcome, data }));
  }

  #close(command: Command, end: CommandEnd): void {
    for (const timer of [command.resend, command.deadline, command.nonceEnd]) timer?.cancel();
    this.#commands.delete(command);
    command.end(end);
  }

  #requireRoom(nodeId: string): void {
    const ofNode = [...this.#commands].filter((each) => each.node.nodeId === nodeId).length;
    if (this.#commands.size < COMMANDS_MAX && ofNode < COMMANDS_PER_NODE_MAX) return;
    throw new WattmeshError(
      'queueFull',
      `${COMMANDS_PER_NODE_MAX} commands to one node and ${COMMANDS_MAX} in all may be under way: wait for their results`,
    );
  }

  #nextNumber(): number {
    this.#number = (this.#number + 1) & 0xffff;
    return this.#number;
  }

  #message(
    { id, node, suite, operation }: Command,
    event: CommandEvent,
    result?: { readonly outcome: Outcome; readonly data: Uint8Array },
  ): CommandMessage {
    const { network, clock } = this.#parts;
    return {
      topic: `${network}/${node.meter}/command`,
      payload: {
        id,
        meter: node.meter,
        name: node.name,
        operation,
        event,
        outcome: result?.outcome ?? null,
        data: result && result.data.length > 0 ? toHex(result.data) : null,
        at: new Date(clock.nowMs()).toISOString(),
      },
      wattmesh: { network, nodeId: node.nodeId, suite: suiteName(suite) },
    };
  }
}

/** A step of a command by node and number on the wire. */
function stepOf({ node, number }: Command): string {
  return `${node.nodeId}:${number}`;
}
