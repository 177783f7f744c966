import { WattmeshError } from '../headend/errors.ts';

/** Settings as a flow holds them: made by this version, an older one, or by hand. */
export type StoredSettings = Readonly<Record<string, unknown>>;

/** Brings settings from one version to the next one. */
export type MigrationStep = (settings: StoredSettings) => StoredSettings;

/** How the settings of a node type have developed. */
export interface SettingsHistory {
  /** What the present version has; flows written by hand may leave out any of it. */
  readonly defaults: StoredSettings;
  /** The first turns version 1 into version 2, and so on. */
  readonly steps: readonly MigrationStep[];
}

/**
 * Settings in the present version, complete. Settings that name no version are of version 1. Throws `badConfig` for settings of a later
 * version than the present one: guessing at their meaning could lose data.
 */
export function migrate(settings: StoredSettings, { defaults, steps }: SettingsHistory): StoredSettings {
  const version = settings.version ?? 1;
  const present = steps.length + 1;
  if (typeof version !== 'number' || !Number.isInteger(version) || version < 1) {
    throw new WattmeshError('badConfig', 'the settings carry a version that is none: open the node and press Done');
  }
  if (version > present) {
    throw new WattmeshError(
      'badConfig',
      `the settings are of version ${version}, which is newer than this package knows (${present}): update the package`,
    );
  }
  const migrated = steps.slice(version - 1).reduce((current, step) => step(current), settings);
  const given = Object.entries(migrated).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(given), version: present };
}
