import assert from 'node:assert/strict';
import { npmPack, readManifest } from '../support/package.ts';
import { projectFiles } from '../support/sources.ts';

/** All that may be packed. TypeScript sources and source maps stay in the repository. */
const ALLOWED = [
  /^(package\.json|README\.md|ARCHITECTURE\.md|CHANGELOG\.md|LICENSE)$/,
  /^dist\/(nodes|firmware)\/.+\.js$/,
  /^dist\/nodes\/[\w-]+\/[\w-]+\.html$/,
  /^dist\/nodes\/[\w-]+\/locales\/[\w-]+\/[\w-]+\.(json|html)$/,
  /^dist\/nodes\/[\w-]+\/icons\/[\w-]+\.svg$/,
  /^dist\/firmware\/simulator\/.+\.json$/,
  /^dist\/firmware\/wasm\/wattmesh\.wasm$/,
  /^(examples|flows)\/.+\.json$/,
  /^resources\/network\/[\w-]+\.(js|css)$/,
  /^firmware\/(PROTOCOL|DESIGN|README)\.md$/,
  /^firmware\/(platformio\.ini|partitions\.csv)$/,
  /^firmware\/(lib|src|wasm)\/.+\.(cpp|hpp|h|c|S|ld|json|md|js|sh|txt)$/,
];
const PACKED_BYTES_MAX = 2_000_000;

describe('tarball', function () {
  this.timeout(60_000);
  let packed: ReturnType<typeof npmPack>;
  let paths: string[];

  before(() => {
    packed = npmPack('--dry-run');
    paths = packed.files.map((file) => file.path);
  });

  it('contains nothing else than what the package needs', () => {
    const strange = paths.filter((path) => !ALLOWED.some((pattern) => pattern.test(path)));
    assert.deepEqual(strange, []);
  });

  it('contains no tests and no build folders', () => {
    assert.deepEqual(
      paths.filter((path) => /^(dist\/)?test\/|\.test\.|\/(build|\.pio|node_modules)\//.test(path)),
      [],
    );
  });

  it('contains every node with its template and its locale', () => {
    for (const [type, script] of Object.entries(readManifest()['node-red'].nodes)) {
      const folder = script.replace(/\/[^/]+$/, '');
      for (const wanted of [script, script.replace(/\.js$/, '.html'), `${folder}/locales/en-US/${type}.json`]) {
        assert.ok(paths.includes(wanted), `${wanted} is not packed`);
      }
    }
  });

  it('contains the command, the changelog and the licence', () => {
    for (const wanted of [
      ...Object.values(readManifest().bin),
      'README.md',
      'CHANGELOG.md',
      'LICENSE',
      'ARCHITECTURE.md',
    ]) {
      assert.ok(paths.includes(wanted), `${wanted} is not packed`);
    }
  });

  it('contains exactly one WASM module', () => {
    assert.deepEqual(
      paths.filter((path) => path.endsWith('.wasm')),
      ['dist/firmware/wasm/wattmesh.wasm'],
    );
  });

  it('contains every example, and every flow also as an example', () => {
    const own = projectFiles();
    const examples = own.filter((file) => /^examples\/.+\.json$/.test(file));
    const flows = own.filter((file) => /^flows\/.+\.json$/.test(file));
    assert.ok(examples.length > 0 && flows.length > 0, 'the repository has no examples or no flows');
    const wanted = [...examples, ...flows, ...flows.map((file) => file.replace(/^flows/, 'examples/Dashboards'))];
    assert.deepEqual(
      wanted.filter((file) => !paths.includes(file)),
      [],
    );
  });

  it('contains the firmware that boards are built from', () => {
    const sources = projectFiles().filter((file) => /^firmware\/(lib|src)\/.+\.(cpp|hpp|json)$/.test(file));
    assert.deepEqual(
      [
        ...sources,
        ...['PROTOCOL.md', 'DESIGN.md', 'platformio.ini', 'partitions.csv'].map((name) => `firmware/${name}`),
      ].filter((file) => !paths.includes(file)),
      [],
    );
  });

  it(`stays below ${PACKED_BYTES_MAX} B`, () => {
    assert.ok(packed.size < PACKED_BYTES_MAX, `${packed.size} B`);
  });
});
