// How deep the stack gets, from the call graphs that gcc writes with -fcallgraph-info=su (one .ci file per object).
const NODE = /^node: \{ title: "([^"]+)" label: "([^"]*?)\\n[^"]*?\\n(\d+) bytes \((\S+)\)/;
const EDGE = /^edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"/;
const INDIRECT = '__indirect_call';

/** Functions by their mangled name: C++ name, bytes of their frame, whom they call. Throws for a frame whose size is not fixed. */
function readGraph(texts, virtualCalls) {
  const functions = new Map();
  const edges = [];
  for (const line of texts.flatMap((text) => text.split('\n'))) {
    const [, title, name, bytes, kind] = NODE.exec(line) ?? [];
    if (title && kind !== 'static') throw new Error(`the stack frame of ${name} is not static: ${kind}`);
    if (title) functions.set(title, { name, bytes: Number(bytes), callees: new Set() });
    const [, source, target] = EDGE.exec(line) ?? [];
    if (source) edges.push([source, target]);
  }
  const titlesOf = (pattern) => [...functions].filter(([, { name }]) => pattern.test(name)).map(([title]) => title);
  for (const [source, target] of edges) {
    const caller = functions.get(source);
    if (!caller) continue;
    if (target !== INDIRECT) caller.callees.add(target);
    for (const { from, to } of virtualCalls) {
      if (target === INDIRECT && from.test(caller.name)) for (const title of titlesOf(to)) caller.callees.add(title);
    }
  }
  return functions;
}

/**
 * The deepest chain of calls from the functions that `from` names, as { bytes, path }; with `through`, of those that pass a function of that
 * name. What is called through pointers counts as far as `virtualCalls` ({ from, to }: patterns of C++ names) say; libraries and
 * recursion do not.
 */
export function deepestPath(texts, { from, through, virtualCalls = [] }) {
  const functions = readGraph(texts, virtualCalls);
  const known = new Map();
  const nothing = { bytes: 0, path: [] };

  function deepest(title, passed, open) {
    const entry = functions.get(title);
    if (!entry || open.has(title)) return passed ? nothing : undefined;
    const passes = passed || through.test(entry.name);
    const key = `${passes} ${title}`;
    if (known.has(key)) return known.get(key);
    const inside = new Set(open).add(title);
    const below = [...entry.callees].map((callee) => deepest(callee, passes, inside)).filter(Boolean);
    const best = below.reduce((a, b) => (b.bytes > a.bytes ? b : a), passes ? nothing : { bytes: -1 });
    const result = best.bytes < 0 ? undefined : { bytes: entry.bytes + best.bytes, path: [entry.name, ...best.path] };
    known.set(key, result);
    return result;
  }

  const starts = [...functions].filter(([, { name }]) => from.test(name)).map(([title]) => title);
  if (starts.length === 0) throw new Error(`no function matches ${from}: was it renamed?`);
  const found = starts.map((title) => deepest(title, false, new Set())).filter(Boolean);
  if (found.length === 0) throw new Error(`no call from ${from} reaches ${through}: was it renamed?`);
  return found.reduce((a, b) => (b.bytes > a.bytes ? b : a));
}
