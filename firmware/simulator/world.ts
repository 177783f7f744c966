import type { ResetCause } from '../../nodes/headend/frame/fields.ts';
import { SUITE_ECC, SUITE_NONE, SUITE_RSA } from '../../nodes/headend/frame/packet.ts';
import { networkNumber } from '../../nodes/headend/security/keys.ts';
import { Device, type RestState } from './device.ts';
import { DeviceClock } from './device-clock.ts';
import type { DeviceConfig, DeviceSecurity } from './device-config.ts';
import type { Firmware } from './firmware.ts';
import { GatewayPort } from './gateway-port.ts';
import { MeterInput } from './meter-input.ts';
import { MeterLog } from './meter-log.ts';
import { handshakeAt, identityOf, OLD_NUMBERS, provision } from './provision.ts';
import { LinkTable, withPairs } from './radio/links.ts';
import { linksFromPositions } from './radio/path-loss.ts';
import { Radio } from './radio/radio.ts';
import { Random } from './random.ts';
import { gatewayIds, type Scenario, type ScenarioNode } from './scenario.ts';
import type { ScenarioEvent } from './scenario-events.ts';
import type { Fault } from './scenario-faults.ts';
import { Schedule } from './schedule.ts';
import type { MeterRow, Trace } from './trace.ts';

/** UTC at the start of a run unless told otherwise. */
export const START_UTC_MS = Date.UTC(2026, 0, 15, 10);

/** A power cut ends after this time, us. */
const POWER_CUT_US = 2_000_000;
/** A chip that restarts itself is back after this time, us. */
const RESTART_US = 300_000;
const KEY_ID = 1;
const KEY_BYTES = 16;

export interface WorldOptions {
  readonly scenario: Scenario;
  readonly firmware: Firmware;
  /** Fixes everything that is random. */
  readonly seed: string | number;
  /**
   * Fixes the devices' keys and the households of a mesh that starts again and again, each time with another `seed` and empty flash; default:
   * `seed` fixes them too.
   */
  readonly lastingSeed?: string;
  /** Network id. */
  readonly network: string;
  /** 16 bytes; default: drawn from the seed. */
  readonly networkKey?: Uint8Array;
  /** What protects a device's session, by its name in the scenario; default: suite 0x00. */
  security?(node: string): DeviceSecurity;
  /** All devices use suite 0x01 with the head-end that has this public key, unless `security` says otherwise. */
  readonly headEndKey?: Uint8Array | undefined;
  /** UTC at simulated time 0; default {@link START_UTC_MS}. */
  readonly startUtcMs?: number;
  /** The gateways' host links are a serial byte stream instead of envelopes. */
  readonly serialHost?: boolean;
  /** Rows remembered per meter. */
  readonly meterLogRowsMax?: number;
}

type RadioFault = Extract<Fault, { kind: 'partition' | 'heal' | 'ackLoss' | 'link' | 'channel' }>;

/** What happens in a world, told within the event in which it happens. */
export interface WorldObserver {
  /** A meter committed a row that was not known before. */
  measured?(node: string, row: MeterRow): void;
  traced?(node: string, trace: Trace): void;
  power?(node: string, on: boolean): void;
  /** A battery leaf sleeps, is awake, or woke without listening. */
  slept?(node: string, state: RestState): void;
  /** A meter's switch moved. */
  switched?(node: string, on: boolean): void;
  /** A device shows for `seconds` which one it is. */
  identified?(node: string, seconds: number): void;
  /** A device seals something; both arrays are good for this call only. */
  sealed?(node: string, key: Uint8Array, nonce: Uint8Array): void;
  /** A device with power tells of an event of the scenario now. */
  raised?(event: ScenarioEvent): void;
  /** A fault of the scenario happens now. */
  fault?(fault: Fault): void;
}

/** A simulated mesh: schedule, radio, devices with their firmware, households behind the meters, and the gateways' host sides. */
export class World {
  readonly schedule = new Schedule();
  readonly radio: Radio;
  /** By the gateway's id, in the order of the scenario. */
  readonly gateways: ReadonlyMap<string, GatewayPort>;
  readonly scenario: Scenario;
  readonly seed: string;
  readonly #devices = new Map<string, Device>();
  readonly #logs = new Map<string, MeterLog>();
  readonly #observers: WorldObserver[] = [];
  readonly #random: Random;
  readonly #options: WorldOptions;
  readonly #networkKey: Uint8Array;
  readonly #killed = new Set<string>();
  #startUtcMs: number;
  #measuring = true;

  constructor(options: WorldOptions) {
    const { scenario } = options;
    this.#options = options;
    this.scenario = scenario;
    this.seed = String(options.seed);
    this.#startUtcMs = options.startUtcMs ?? START_UTC_MS;
    this.#random = new Random(options.seed);
    const keySource = new Random(options.lastingSeed ?? options.seed);
    this.#networkKey = options.networkKey ?? keySource.fork('network key').bytes(KEY_BYTES);
    this.radio = new Radio(this.schedule, this.#random.fork('radio'), scenario.radio, this.#linkTable());
    this.gateways = new Map(
      gatewayIds(scenario).map((id) => {
        return [id, new GatewayPort(this.schedule, (bytes) => this.device(id).hostBytes(bytes))];
      }),
    );
    for (const [index, node] of scenario.nodes.entries()) this.#addDevice(node, index);
    for (const fault of scenario.faults) this.schedule.at(Math.round(fault.atS * 1e6), () => this.apply(fault));
    for (const event of scenario.events) this.schedule.at(Math.round(event.atS * 1e6), () => this.raise(event));
  }

  /** In the order of the scenario. */
  get devices(): Device[] {
    return [...this.#devices.values()];
  }

  /** The host side of the only gateway, or of the first one. */
  get gateway(): GatewayPort {
    const [first] = this.gateways.values();
    return first as GatewayPort;
  }

  device(id: string): Device {
    const device = this.#devices.get(id);
    if (!device) throw new RangeError(`no device is called ${id}: name one of the scenario's nodes`);
    return device;
  }

  /** What a meter measured; empty for hubs and gateways. */
  log(id: string): MeterLog {
    return this.#logs.get(this.device(id).id) as MeterLog;
  }

  /** UTC now, whole ms. */
  utcMs(): number {
    return this.#startUtcMs + Math.floor(this.schedule.nowUs / 1000);
  }

  observe(observer: WorldObserver): void {
    this.#observers.push(observer);
  }

  /** Runs everything up to and including `untilUs`. */
  run(untilUs: number): void {
    this.schedule.run(untilUs);
  }

  /** UTC jumps ahead while the world stands still: the process that runs it was asleep. */
  skip(byMs: number): void {
    this.#startUtcMs += byMs;
  }

  /** From now on the meters' inputs have no valid value, so that no row is added. */
  stopMeasuring(): void {
    this.#measuring = false;
  }

  powerOn(id: string, cause: ResetCause = 'powerOn'): void {
    const device = this.device(id);
    if (device.on) return;
    device.powerOn(cause);
    this.#tellPower(id, true);
  }

  powerOff(id: string): void {
    const device = this.device(id);
    if (!device.on) return;
    device.powerOff();
    this.#tellPower(id, false);
  }

  /** Lets an event of the scenario happen, now. */
  raise(event: ScenarioEvent): void {
    const device = this.device(event.node);
    if (!device.on) return;
    this.#tell((observer) => observer.raised?.(event));
    device.raise(event.code, event.value);
  }

  /** Does what a fault of the scenario says, now. */
  apply(fault: Fault): void {
    for (const observer of this.#observers) observer.fault?.(fault);
    switch (fault.kind) {
      case 'kill':
        this.#killed.add(fault.node);
        this.powerOff(fault.node);
        break;
      case 'revive':
        this.#killed.delete(fault.node);
        this.powerOn(fault.node);
        break;
      case 'powerCut':
        this.powerOff(fault.node);
        this.#powerOnIn(POWER_CUT_US, fault.node, 'brownOut');
        break;
      case 'powerCutInWrite':
        this.device(fault.node).flash.cutPowerAt(1, this.#random.fork(`write of ${fault.node} at ${fault.atS}`));
        break;
      case 'hostOutage':
        for (const id of fault.gateways) (this.gateways.get(id) as GatewayPort).plugged = !fault.on;
        break;
      default:
        applyToRadio(this.radio, fault);
    }
  }

  #linkTable(): LinkTable {
    const { scenario } = this.#options;
    const ids = scenario.nodes.map((node) => node.id);
    // A link that a fault will change has to be in the table from the start.
    const changing = scenario.faults.flatMap((fault) => (fault.kind === 'link' ? [fault] : []));
    const interference = scenario.interference;
    if (scenario.links) return new LinkTable(ids, withPairs(scenario.links, changing), interference);
    const places = scenario.nodes.map(({ id, place }) => ({ id, x: place?.x ?? 0, y: place?.y ?? 0 }));
    const { interferencePrr } = scenario.radio;
    const links = linksFromPositions(places, this.#random.fork('links'), interferencePrr);
    return new LinkTable(ids, withPairs(links, changing), interference);
  }

  #addDevice(node: ScenarioNode, index: number): void {
    const { scenario, network, firmware, lastingSeed, serialHost = false, meterLogRowsMax } = this.#options;
    const { id, role } = node;
    const random = this.#random.fork(`device ${id}`);
    const input =
      role === 'meter' ? new MeterInput(lastingSeed ?? this.seed, id, lastingSeed !== undefined) : undefined;
    const log = new MeterLog(meterLogRowsMax);
    const security = this.#options.security?.(id) ?? this.#defaultSecurity();
    const config = {
      ...(security ? { security } : {}),
      ...(scenario.peersMax === null ? {} : { peersMax: scenario.peersMax }),
      id,
      role,
      energy: node.power,
      mac: macOf(index),
      networkNumber: networkNumber(network),
      ...this.#provisioned(security),
      localHubId: node.localHubId,
      intervalS: scenario.intervalS,
      pollCycleS: scenario.pollCycleS,
      serialHost,
      relay: node.relay ?? false,
    };
    const device = new Device(config, {
      firmware,
      schedule: this.schedule,
      radio: this.radio,
      random,
      clock: new DeviceClock(scenario.clock, node.power, random.fork('clock')),
      seed: this.seed,
      registers: () => (this.#measuring ? input?.sample(this.utcMs()) : undefined),
      toHost: (bytes) => this.gateways.get(id)?.fromDevice(bytes),
      traced: (trace) => this.#traced(id, trace),
      slept: (state) => this.#tell((observer) => observer.slept?.(id, state)),
      powerLost: () => {
        this.#tellPower(id, false);
        this.#powerOnIn(POWER_CUT_US, id, 'brownOut');
      },
      restarting: () => {
        this.#tellPower(id, false);
        this.#powerOnIn(RESTART_US, id, 'software');
      },
      switched: (on) => this.#tell((observer) => observer.switched?.(id, on)),
      identified: (seconds) => this.#tell((observer) => observer.identified?.(id, seconds)),
      sealed: (key, nonce) => this.#tell((observer) => observer.sealed?.(id, key, nonce)),
    });
    // A device with a pre-shared key has its own key from the factory too: the two are listed together.
    const identity = identityOf(lastingSeed ?? this.seed, id);
    if (scenario.counters === 'old') provision(device.flash, { identity, ...OLD_NUMBERS });
    else if (lastingSeed !== undefined || security?.suite === SUITE_RSA) {
      provision(device.flash, { identity, handshake: handshakeAt(this.#startUtcMs) });
    }
    this.#devices.set(id, device);
    this.#logs.set(id, log);
    this.#powerOnIn(random.fork('boot').int(Math.max(1, Math.round(scenario.powerUpS * 1e6))), id, 'powerOn');
  }

  #powerOnIn(delayUs: number, id: string, cause: ResetCause): void {
    this.schedule.at(this.schedule.nowUs + delayUs, () => {
      if (!this.#killed.has(id)) this.powerOn(id, cause);
    });
  }

  #traced(id: string, trace: Trace): void {
    const log = this.#logs.get(id) as MeterLog;
    if (trace.kind === 'rowOverwritten') log.overwritten(trace.logId, trace.first, trace.last);
    const isNew = trace.kind === 'rowCommitted' && log.commit(trace.row, this.schedule.nowUs);
    for (const observer of this.#observers) {
      observer.traced?.(id, trace);
      if (isNew) observer.measured?.(id, trace.row);
    }
  }

  #tellPower(id: string, on: boolean): void {
    this.#tell((observer) => observer.power?.(id, on));
  }

  #tell(tell: (observer: WorldObserver) => void): void {
    for (const observer of this.#observers) tell(observer);
  }

  #defaultSecurity(): DeviceSecurity | undefined {
    const { headEndKey } = this.#options;
    return headEndKey ? { suite: SUITE_ECC, headEndKey } : undefined;
  }

  /** Under suite 0x00 a network key comes with the configuration, otherwise when the device joins. */
  #provisioned(security: DeviceSecurity | undefined): Pick<DeviceConfig, 'keyId' | 'networkKey'> {
    const joins = security !== undefined && security.suite !== SUITE_NONE;
    return joins
      ? { keyId: 0, networkKey: new Uint8Array(KEY_BYTES) }
      : { keyId: KEY_ID, networkKey: this.#networkKey };
  }
}

/** Does what the faults of the radio say. */
function applyToRadio(radio: Radio, fault: RadioFault): void {
  switch (fault.kind) {
    case 'partition':
      radio.partition(fault.nodes);
      break;
    case 'heal':
      radio.heal();
      break;
    case 'ackLoss':
      radio.loseAcks(fault.from, fault.to, fault.loss);
      break;
    case 'link':
      radio.changeLink(fault.from, fault.to, fault.prr);
      break;
    case 'channel':
      radio.tune(fault.nodes, fault.channel);
      break;
  }
}

/** A locally administered address (IEEE 802-2014, 8.4), "WM" and the node's number. */
function macOf(index: number): Uint8Array {
  return Uint8Array.of(0x02, 0x57, 0x4d, index >> 16, index >> 8, index);
}
