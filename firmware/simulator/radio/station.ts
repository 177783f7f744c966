/** What the radio needs of a device. The callbacks run inside an event of the schedule and may call the radio again. */
export interface Station {
  readonly id: string;
  /** Six bytes, unique among the attached stations. */
  readonly mac: Uint8Array;
  /** True: {@link listening} is always true while the station is attached, and is not asked. */
  readonly neverSleeps?: boolean;
  /** Is the receiver on? A station that sleeps misses frames, the acknowledgement of its own one too. */
  listening(): boolean;
  /**
   * A frame for this station or for everybody: once per frame, repetitions by the sender's MAC are filtered. `frame`, `from` and `to`
   * are shared with other receivers: copy what is to be changed.
   */
  received(frame: Uint8Array, from: Uint8Array, to: Uint8Array, rssiDbm: number): void;
  /** A repetition of `frame` was filtered. */
  repeated?(frame: Uint8Array, from: Uint8Array): void;
  /** The outstanding frame is done: acknowledged by the other MAC, or (false) given up after all repetitions. Broadcast: always true. */
  sent(ok: boolean): void;
}

/** The `radio` part of a scenario. */
export interface RadioConfig {
  /** A sender whose link to a receiver has at least this packet reception ratio is sensed there and collides there. */
  readonly interferencePrr: number;
  /** Of two frames that overlap, one survives when it is stronger by this much, dB; null: both are lost. */
  readonly captureDb: number | null;
  /** Repetitions of an unacknowledged unicast frame: it is sent at most `macRetries + 1` times. */
  readonly macRetries: number;
  /** Losses in bursts (Gilbert and Elliott). */
  readonly burst: BurstConfig;
}

/** Mean lengths of the bad and the good periods of every directed link, seconds; both 0: links do not change. */
export interface BurstConfig {
  readonly meanBadS: number;
  readonly meanGoodS: number;
}

/** One frame that was on air, reported at its end. */
export interface Transmission {
  readonly from: string;
  /** Id of the addressed station, 'broadcast', or the MAC address in hex when no station has it. */
  readonly to: string;
  /** The payload, shared with the receivers; undefined for an acknowledgement. */
  readonly bytes: Uint8Array | undefined;
  readonly kind: 'data' | 'ack';
  /** 1 for the first transmission of a frame. */
  readonly attempt: number;
  readonly startUs: number;
  /** Earlier than the frame's length tells when its sender was powered off. */
  readonly endUs: number;
  /** The addressed station, or of a broadcast any station that it might reach, lost it to another transmission, its own included. */
  readonly collided: boolean;
}

/** Counters of one station since the start of the simulation; they outlast a power-off. */
export interface RadioStats {
  /** Time on air, acknowledgements included, us. */
  txUs: number;
  /** Time on air of the frames that arrived intact, those for others included, us. */
  rxUs: number;
  /** Data frames put on air, repetitions included. */
  attempts: number;
  /** Of these, repetitions. */
  retries: number;
  /** Of the attempts, those that the addressed station, or of a broadcast any with a link, lost to another transmission. */
  collided: number;
  /** Unicast frames given up after all repetitions. */
  failures: number;
  acks: number;
  /** Frames handed to the station. */
  received: number;
  /** Frames that arrived again because their acknowledgement was lost, and were filtered. */
  duplicates: number;
}

export function emptyStats(): RadioStats {
  return { txUs: 0, rxUs: 0, attempts: 0, retries: 0, collided: 0, failures: 0, acks: 0, received: 0, duplicates: 0 };
}
