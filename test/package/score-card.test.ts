import assert from 'node:assert/strict';
import { readManifest } from '../support/package.ts';
import { projectFiles, readProjectFile, sourceOf } from '../support/sources.ts';

const RUNTIME_DEPENDENCIES_MAX = 6;
const manifest = readManifest();
const files = projectFiles();

interface Registration {
  template: string;
  type: string;
  category: string;
}

/** What the palette's score card sees of a node: literals in the template's inline script, never computed values. */
function registrations(): Registration[] {
  return Object.values(manifest['node-red'].nodes).flatMap((script) => {
    const template = sourceOf(script).replace(/\.ts$/, '.html');
    const inline = [...readProjectFile(template).matchAll(/<script type="text\/javascript">([\s\S]*?)<\/script>/g)];
    const text = inline.map(([, body]) => body).join('\n');
    const calls = [...text.matchAll(/RED\.nodes\.registerType\(\s*'([^']+)'\s*,\s*\{([\s\S]*?)\n\s*\}\)/g)];
    return calls.map(([, type = '', body = '']) => ({
      template,
      type,
      category: /\bcategory: '([^']+)'/.exec(body)?.[1] ?? '',
    }));
  });
}

function typesIn(flowFile: string): Set<string> {
  const nodes = JSON.parse(readProjectFile(flowFile)) as { type: string }[];
  return new Set(nodes.map((node) => node.type));
}

describe('score card of the flow library', () => {
  it('names an open licence, and ships its text', () => {
    assert.equal(manifest.license, 'MIT');
    assert.match(readProjectFile('LICENSE'), /MIT License/);
  });

  it('names its repository and where to report faults', () => {
    assert.match(manifest.repository?.url ?? '', /^git\+https:\/\/.+\.git$/);
    assert.match(manifest.bugs?.url ?? '', /^https:\/\//);
  });

  it('has a scoped name and a version', () => {
    assert.match(manifest.name, /^@[a-z-]+\/[a-z-]+$/);
    assert.match(manifest.version, /^\d+\.\d+\.\d+$/);
  });

  it('carries the keyword node-red', () => {
    assert.ok(manifest.keywords?.includes('node-red'));
  });

  it('says which Node-RED and which Node it needs', () => {
    assert.equal(manifest['node-red'].version, '>=4.0.0');
    assert.equal(manifest.engines?.node, '>=20.19');
  });

  it('needs no other palette module', () => {
    assert.equal(manifest['node-red'].dependencies, undefined);
  });

  it(`has at most ${RUNTIME_DEPENDENCIES_MAX} run-time dependencies, the optional ones included`, () => {
    const names = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies });
    assert.ok(names.length <= RUNTIME_DEPENDENCIES_MAX, names.join(', '));
  });

  it('registers each type once, literally, under the name of its node set', () => {
    const found = registrations();
    assert.deepEqual(found.map(({ type }) => type).sort(), Object.keys(manifest['node-red'].nodes).sort());
    for (const { template, type, category } of found) {
      assert.notEqual(category, '', `${template}: no literal category beside registerType('${type}')`);
      assert.match(type, /^wattmesh-/);
    }
  });

  it('has an example for every node but the config nodes', () => {
    const shown = new Set<string>();
    for (const file of files.filter((name) => /^examples\/.*\.json$/.test(name))) {
      for (const type of typesIn(file)) shown.add(type);
    }
    const missing = registrations().filter(({ type, category }) => category !== 'config' && !shown.has(type));
    assert.deepEqual(missing, []);
  });

  it('has help for every node', () => {
    for (const [type, script] of Object.entries(manifest['node-red'].nodes)) {
      const folder = sourceOf(script).replace(/\/[^/]+$/, '');
      const text = files
        .filter((file) => file === `${folder}/${type}.html` || file === `${folder}/locales/en-US/${type}.html`)
        .map(readProjectFile)
        .join('\n');
      assert.match(text, new RegExp(`data-help-name="${type}"`), type);
    }
  });

  it('shows an icon that it ships for every node', () => {
    for (const { template } of registrations()) {
      const [, icon] = /\bicon: '([^']+)'/.exec(readProjectFile(template)) ?? [];
      if (icon === undefined) continue;
      if (icon.endsWith('.svg'))
        assert.ok(files.includes(`icons/${icon}`), `${template} names ${icon}, which is not in icons/`);
      else assert.match(icon, /^font-awesome\//, template);
    }
  });
});
