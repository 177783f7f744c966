import { readProjectFile } from '../support/sources.ts';

const PROJECT = 'firmware';

export interface Environment {
  readonly name: string;
  readonly platform: string;
  readonly board: string;
  /** Sources below firmware/src that it builds, as paths from the root or folders that end in a slash. */
  readonly sources: readonly string[];
  /** Definitions and folders of headers, as paths from the root. */
  readonly flags: readonly string[];
}

type Section = ReadonlyMap<string, string>;

/** The environments of firmware/platformio.ini, with `extends` and `${section.option}` resolved as PlatformIO does. */
export function environments(): Environment[] {
  const sections = parse(readProjectFile(`${PROJECT}/platformio.ini`));
  return [...sections.keys()]
    .filter((name) => name.startsWith('env:'))
    .map((section) => {
      const option = (name: string): string => optionOf(sections, section, name);
      return {
        name: section.slice('env:'.length),
        platform: option('platform'),
        board: option('board'),
        sources: [...option('build_src_filter').matchAll(/\+<([^>]+)>/g)].map(
          ([, path]) => `${PROJECT}/src/${path as string}`,
        ),
        flags: option('build_flags')
          .split(/\s+/)
          .filter((flag) => /^-[DI]/.test(flag))
          .map((flag) => flag.replace(/^-I/, `-I${PROJECT}/`)),
      };
    });
}

function parse(text: string): Map<string, Section> {
  const sections = new Map<string, Map<string, string>>();
  let section = new Map<string, string>();
  let option = '';
  for (const line of text.split('\n')) {
    const [, header] = /^\[(.+)\]$/.exec(line) ?? [];
    const [, name, value] = /^([\w.]+) = (.*)$/.exec(line) ?? [];
    if (header !== undefined) {
      section = new Map();
      sections.set(header, section);
    } else if (name !== undefined) {
      option = name;
      section.set(name, value as string);
    } else if (/^\s+\S/.test(line)) {
      section.set(option, `${section.get(option) as string} ${line.trim()}`);
    } else if (line !== '' && !line.startsWith(';')) {
      throw new Error(`platformio.ini: "${line}" is no option, header or comment`);
    }
  }
  return sections;
}

function optionOf(sections: ReadonlyMap<string, Section>, section: string, name: string): string {
  const found = sections.get(section);
  if (found === undefined) throw new Error(`platformio.ini has no section [${section}]`);
  const parent = found.get('extends');
  const value = found.get(name) ?? (parent && sections.get(parent)?.get(name)) ?? sections.get('env')?.get(name);
  if (value === undefined) throw new Error(`platformio.ini: [${section}] has no ${name}`);
  return value.replace(/\$\{([^}]+)\}/g, (_, reference: string) => {
    const at = reference.indexOf('.');
    return optionOf(sections, reference.slice(0, at), reference.slice(at + 1));
  });
}
