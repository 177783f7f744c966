/** Names one pending event; stays unique for the life of its schedule, so a stale one is recognised. */
export type EventHandle = number;

/** Most events that may be pending at one time; more is a leak in a caller. */
export const MAX_PENDING_EVENTS = 2 ** 20;

const INITIAL_CAPACITY = 256;

/**
 * The queue of a discrete-event simulation: a binary heap of events by time, equal times in the order of their insertion, so that a
 * run depends on nothing but its input. Times are whole microseconds since the start of the simulation.
 */
export class Schedule {
  /** Simulated time, microseconds. */
  nowUs = 0;

  // An event lives in a slot; the heap holds slot numbers, so moving an event moves one integer and nothing is allocated per event.
  #timeUs = new Float64Array(INITIAL_CAPACITY);
  #order = new Float64Array(INITIAL_CAPACITY);
  #place = new Int32Array(INITIAL_CAPACITY);
  #action: ((() => void) | undefined)[] = [];
  #heap = new Int32Array(INITIAL_CAPACITY);
  #size = 0;
  #free: number[] = [];
  #inserted = 0;

  /** Number of events that have not run yet. */
  get pending(): number {
    return this.#size;
  }

  /**
   * Runs `action` at `timeUs`, a whole number of microseconds that is not before `nowUs`.
   * Throws a RangeError for any other time, and when {@link MAX_PENDING_EVENTS} are waiting already.
   */
  at(timeUs: number, action: () => void): EventHandle {
    if (!Number.isSafeInteger(timeUs) || timeUs < this.nowUs) {
      throw new RangeError(`cannot schedule an event at ${timeUs} us: give a whole number not before ${this.nowUs} us`);
    }
    const slot = this.#free.pop() ?? this.#size;
    if (slot >= this.#heap.length) this.#grow();
    const order = this.#inserted++;
    this.#timeUs[slot] = timeUs;
    this.#order[slot] = order;
    this.#action[slot] = action;
    this.#rise(this.#size++, slot);
    return order * MAX_PENDING_EVENTS + slot;
  }

  /** Takes an event back. False: it has run or was cancelled before. */
  cancel(handle: EventHandle): boolean {
    const slot = handle % MAX_PENDING_EVENTS;
    if (this.#action[slot] === undefined || this.#order[slot] !== Math.floor(handle / MAX_PENDING_EVENTS)) return false;
    this.#remove(slot);
    return true;
  }

  /** Time of the next event, undefined when none is pending. */
  next(): number | undefined {
    return this.#size === 0 ? undefined : this.#timeUs[this.#heap[0] as number];
  }

  /** Moves on to the next event and runs it. False: none is pending. */
  step(): boolean {
    if (this.#size === 0) return false;
    const slot = this.#heap[0] as number;
    const action = this.#action[slot] as () => void;
    this.nowUs = this.#timeUs[slot] as number;
    this.#remove(slot);
    action();
    return true;
  }

  /** Runs every event up to and including `untilUs`, those that are added on the way too, and leaves `nowUs` there. */
  run(untilUs: number): void {
    if (!Number.isSafeInteger(untilUs) || untilUs < this.nowUs) {
      throw new RangeError(`cannot run until ${untilUs} us: give a whole number not before ${this.nowUs} us`);
    }
    while (this.#size > 0 && (this.#timeUs[this.#heap[0] as number] as number) <= untilUs) this.step();
    this.nowUs = untilUs;
  }

  #remove(slot: number): void {
    const place = this.#place[slot] as number;
    this.#action[slot] = undefined;
    this.#free.push(slot);
    const last = this.#heap[--this.#size] as number;
    if (last === slot) return;
    this.#rise(place, last);
    this.#sink(this.#place[last] as number, last);
  }

  #before(a: number, b: number): boolean {
    const difference = (this.#timeUs[a] as number) - (this.#timeUs[b] as number);
    return difference < 0 || (difference === 0 && (this.#order[a] as number) < (this.#order[b] as number));
  }

  #rise(from: number, slot: number): void {
    let place = from;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = this.#heap[above] as number;
      if (!this.#before(slot, parent)) break;
      this.#put(place, parent);
      place = above;
    }
    this.#put(place, slot);
  }

  #sink(from: number, slot: number): void {
    let place = from;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= this.#size) break;
      if (below + 1 < this.#size && this.#before(this.#heap[below + 1] as number, this.#heap[below] as number)) below++;
      const child = this.#heap[below] as number;
      if (!this.#before(child, slot)) break;
      this.#put(place, child);
      place = below;
    }
    this.#put(place, slot);
  }

  #put(place: number, slot: number): void {
    this.#heap[place] = slot;
    this.#place[slot] = place;
  }

  #grow(): void {
    const capacity = this.#heap.length * 2;
    if (capacity > MAX_PENDING_EVENTS) {
      throw new RangeError(`${MAX_PENDING_EVENTS} events are pending: something schedules without end`);
    }
    this.#timeUs = enlarged(this.#timeUs, new Float64Array(capacity));
    this.#order = enlarged(this.#order, new Float64Array(capacity));
    this.#place = enlarged(this.#place, new Int32Array(capacity));
    this.#heap = enlarged(this.#heap, new Int32Array(capacity));
  }
}

function enlarged<T extends Float64Array | Int32Array>(old: T, larger: T): T {
  larger.set(old);
  return larger;
}
