import type { Node } from 'node-red';
import type { Badge } from './badges.ts';

/** A badge changes at most this often, ms: the editor is told of each change. */
export const BADGE_PERIOD_MS = 1_000;
/** A badge is looked at again this often, ms, when nothing happens: rates fall, times pass. */
export const BADGE_REVIEW_MS = 10_000;

/** Keeps a node's badge up to date: at once, then at most every BADGE_PERIOD_MS, and only what differs is shown. */
export class BadgeShower {
  readonly #node: Node;
  readonly #make: () => Badge;
  readonly #review = setInterval(() => this.refresh(), BADGE_REVIEW_MS).unref();
  #pause: NodeJS.Timeout | undefined;
  #again = false;
  #shown = '';

  constructor(node: Node, make: () => Badge) {
    this.#node = node;
    this.#make = make;
  }

  refresh(): void {
    if (this.#pause) {
      this.#again = true;
      return;
    }
    this.#show();
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      if (!this.#again) return;
      this.#again = false;
      this.refresh();
    }, BADGE_PERIOD_MS).unref();
  }

  /** Somebody else has set the node's badge: the next refresh sets it again, whatever it was. */
  forget(): void {
    this.#shown = '';
  }

  end(): void {
    clearTimeout(this.#pause);
    clearInterval(this.#review);
  }

  #show(): void {
    const badge = this.#make();
    const text = JSON.stringify(badge);
    if (text === this.#shown) return;
    this.#shown = text;
    this.#node.status(badge);
  }
}
