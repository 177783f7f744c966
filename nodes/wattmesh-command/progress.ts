import type { CommandEvent, CommandMessage } from '../headend/messages.ts';
import { type Badge, broken, fine, waiting } from '../shared/badges.ts';
import { errorBadge } from '../shared/funnel.ts';

/** One order under way. */
export interface Step {
  readonly operation: string;
  /** What happened last. */
  event: CommandEvent | 'waiting';
}

/** What the badge shows: orders under way, or else how the last one ended. The head-end limits how many commands are under way. */
export class Progress {
  readonly #underWay = new Set<Step>();
  #last: Badge = fine('ready');

  begin(operation: string): Step {
    const step: Step = { operation, event: 'waiting' };
    this.#underWay.add(step);
    return step;
  }

  /** It ended with an outcome; the head-end's own orders have none. */
  ended(step: Step, outcome: CommandMessage['payload']['outcome'] = 'done'): void {
    this.#underWay.delete(step);
    this.#last = outcomeBadge(step.operation, outcome);
  }

  /** It ended with an error, or was wrong from the beginning. */
  failed(error: unknown, step?: Step): void {
    if (step) this.#underWay.delete(step);
    this.#last = errorBadge(error);
  }

  cameLate(outcome: CommandMessage['payload']['outcome']): void {
    this.#last = outcomeBadge('late', outcome);
  }

  badge(): Badge {
    const [first] = this.#underWay;
    if (!first) return this.#last;
    return waiting(this.#underWay.size > 1 ? `${this.#underWay.size} under way` : `${first.operation}: ${first.event}`);
  }
}

function outcomeBadge(what: string, outcome: CommandMessage['payload']['outcome']): Badge {
  const text = `${what}: ${outcome === 'unknownOperation' ? 'unknown' : outcome}`;
  return outcome === 'done' ? fine(text) : broken(text);
}
