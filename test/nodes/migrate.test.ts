import assert from 'node:assert/strict';
import { type MigrationStep, migrate } from '../../nodes/shared/migrate.ts';

const RENAMED: MigrationStep = ({ old, ...rest }) => ({ ...rest, fresh: old });
const DOUBLED: MigrationStep = ({ kept, ...rest }) => ({ ...rest, kept: Number(kept) * 2 });
const HISTORY = { defaults: { fresh: 'default', kept: 1 }, steps: [RENAMED, DOUBLED] };

describe('settings of an older version', () => {
  it('brings settings without a version through every step', () => {
    assert.deepEqual(migrate({ old: 'mine', kept: 2 }, HISTORY), { fresh: 'mine', kept: 4, version: 3 });
  });

  it('takes only the steps that are missing', () => {
    assert.deepEqual(migrate({ version: 2, fresh: 'mine', kept: 2 }, HISTORY), { fresh: 'mine', kept: 4, version: 3 });
    assert.deepEqual(migrate({ version: 3, fresh: 'mine', kept: 2 }, HISTORY), { fresh: 'mine', kept: 2, version: 3 });
  });

  it('completes settings of any version, and leaves false and empty ones alone', () => {
    assert.deepEqual(migrate({ version: 3, kept: undefined }, HISTORY), { fresh: 'default', kept: 1, version: 3 });
    assert.deepEqual(migrate({ version: 3, fresh: '', kept: false }, HISTORY), { fresh: '', kept: false, version: 3 });
  });

  it('does not touch the settings that it is given', () => {
    const settings = Object.freeze({ old: 'mine', kept: 3 });
    assert.equal(migrate(settings, HISTORY).kept, 6);
    assert.deepEqual(settings, { old: 'mine', kept: 3 });
  });

  it('refuses settings of a later version, and versions that are none', () => {
    assert.throws(() => migrate({ version: 4 }, HISTORY), { reason: 'badConfig', message: /update the package/ });
    for (const version of ['1', 0, -1, 1.5, Number.NaN, true]) {
      assert.throws(() => migrate({ version }, HISTORY), { reason: 'badConfig' });
    }
  });
});
