import { WattmeshError } from '../headend/errors.ts';

/** Settings as a flow holds them: made by this version, an older one, or by hand. */
export type StoredSettings = Readonly<Record<string, unknown>>;

/** Brings settings from one version to the next one. */
export type MigrationStep = (settings: StoredSettings) => StoredSettings;

/**
 * Settings in the present version: step n turns version n into n + 1, and settings without a version (written by hand, or older than
 * versions) are version 0. Throws `badConfig` for settings of a later version: guessing at their meaning could lose data.
 */
export function migrate(settings: StoredSettings, steps: readonly MigrationStep[]): StoredSettings {
  const version = settings.version ?? 0;
  if (typeof version !== 'number' || !Number.isInteger(version) || version < 0) {
    throw new WattmeshError('badConfig', 'the settings carry a version that is no number: open the node and press Done');
  }
  if (version > steps.length) {
    throw new WattmeshError(
      'badConfig',
      `the settings are of version ${version}, which is newer than this package knows (${steps.length}): update the package`,
    );
  }
  return steps.slice(version).reduce((current, step, done) => ({ ...step(current), version: version + done + 1 }), settings);
}

/** The step for settings that were never versioned: what is missing or undefined gets its default. */
export function withDefaults(defaults: StoredSettings): MigrationStep {
  return (settings) => {
    const given = Object.entries(settings).filter(([, value]) => value !== undefined);
    return { ...defaults, ...Object.fromEntries(given) };
  };
}
