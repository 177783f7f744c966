import { ManualClock, type Timer } from '../../../nodes/headend/clock.ts';

/** A manual clock that knows how many timers wait. */
export class CountingClock extends ManualClock {
  waiting = 0;

  override after(delayMs: number, callback: () => void): Timer {
    let isWaiting = true;
    const done = (): void => {
      if (isWaiting) this.waiting--;
      isWaiting = false;
    };
    this.waiting++;
    const timer = super.after(delayMs, () => {
      done();
      callback();
    });
    return {
      cancel: () => {
        done();
        timer.cancel();
      },
    };
  }
}
