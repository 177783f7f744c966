import { elapsedMs, type FastTime } from './fast-time.ts';

/**
 * Puts the whole process into fast time: `Date`, `setTimeout` and `setInterval`, from which everything in Node-RED takes its time. Timers of
 * `node:timers/promises` keep the machine's pace. To be called before anything else is loaded.
 */
export function installFastClock(time: FastTime): void {
  const wallNow = Date.now;
  const fastNow = (): number => Math.round(time.startUtcMs + elapsedMs(time, wallNow()));
  const { Date: RealDate, setTimeout: realTimeout, setInterval: realInterval } = globalThis;
  RealDate.now = fastNow;
  // A proxy, not a subclass: dates that Node itself makes must stay instances of the global class.
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length === 0 ? [fastNow()] : args, newTarget) as Date,
    apply: () => new RealDate(fastNow()).toString(),
  });
  globalThis.setTimeout = hastened(realTimeout, time.factor);
  globalThis.setInterval = hastened(realInterval, time.factor);
}

/** The same function with its delay, the second argument, divided by `factor`. */
function hastened<Start extends typeof setTimeout | typeof setInterval>(start: Start, factor: number): Start {
  return new Proxy(start, {
    apply: (target, self, [callback, delayMs = 0, ...args]) =>
      Reflect.apply(target, self, [callback, Number(delayMs) / factor, ...args]),
  });
}
