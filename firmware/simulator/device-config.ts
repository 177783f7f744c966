import { Writer } from '../../nodes/headend/bytes.ts';
import {
  ENERGY_CLASSES,
  type EnergyClass,
  RESET_CAUSES,
  type ResetCause,
  ROLES,
  type Role,
} from '../../nodes/headend/frame/fields.ts';
import { SUITE_NONE, type Suite } from '../../nodes/headend/frame/packet.ts';

/** What a device is built with. */
export interface DeviceConfig {
  /** Its name in the scenario and on the radio. */
  readonly id: string;
  readonly role: Role;
  readonly energy: EnergyClass;
  readonly mac: Uint8Array;
  readonly networkNumber: number;
  /** 0: none is provisioned, the device gets its network key when it joins. */
  readonly keyId: number;
  /** 16 bytes. */
  readonly networkKey: Uint8Array;
  /** 0: no hub. */
  readonly localHubId: number;
  readonly intervalS: number;
  readonly pollCycleS: number;
  /** How the end-to-end session is protected, with what each suite needs; default: suite 0x00. */
  readonly security?: DeviceSecurity;
  /** Peers that the radio remembers; default: no limit. */
  readonly peersMax?: number;
  /** Gateways: a serial line instead of messages of one envelope each. */
  readonly serialHost: boolean;
  /** Meters: there is a switch that stays as it is without power. */
  readonly relay?: boolean;
}

/** The head-end's keys as a device's label has them. */
export interface DeviceSecurity {
  readonly suite: Suite;
  /** Suite 0x01: the head-end's X25519 public key, 32 bytes. */
  readonly headEndKey?: Uint8Array;
  /** Suite 0x10: the device's pre-shared key, 32 bytes. */
  readonly psk?: Uint8Array;
  /** Suite 0x10: modulus of the head-end's key, 256 bytes, big-endian; its exponent is 65537. */
  readonly rsaModulus?: Uint8Array;
}

const KEY_BYTES = 32;
const RSA_BYTES = 256;

const CAPABILITY = { routes: 1, relay: 2, battery: 4, simulated: 8 } as const;

/** A configuration as the firmware reads it (firmware/wasm/port.cpp). */
export function configBytes(config: DeviceConfig, cause: ResetCause, flashBytes: number): Uint8Array {
  const routes = config.energy === 'battery' ? CAPABILITY.battery : CAPABILITY.routes;
  const { suite = SUITE_NONE, headEndKey, psk, rsaModulus } = config.security ?? {};
  return new Writer(364)
    .u8(ROLES.indexOf(config.role))
    .u8(ENERGY_CLASSES.indexOf(config.energy))
    .bytes(config.mac)
    .u32(config.networkNumber)
    .u8(config.keyId)
    .bytes(config.networkKey)
    .u16(config.localHubId)
    .u16(config.intervalS)
    .u16(config.pollCycleS)
    .u16(routes | CAPABILITY.simulated | (config.relay ? CAPABILITY.relay : 0))
    .u8(RESET_CAUSES.indexOf(cause))
    .u8(config.serialHost ? 1 : 0)
    .u32(flashBytes)
    .u8(suite)
    .bytes(headEndKey ?? new Uint8Array(KEY_BYTES))
    .bytes(psk ?? new Uint8Array(KEY_BYTES))
    .bytes(rsaModulus ?? new Uint8Array(RSA_BYTES))
    .finish();
}
