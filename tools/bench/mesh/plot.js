// The bench's figures as an SVG that reads on light and on dark: a row per topology, in it a line per variant, in three columns.

const ROW_PX = 15;
const GAP_PX = 14;
const TOP_PX = 78;
const BOTTOM_PX = 56;
const LABEL_PX = 178;
const PANEL_PX = 170;
const PANEL_GAP_PX = 62;
const WIDTH_PX = 900;
/** What a value's label takes behind its mark. */
const LABEL_ROOM_PX = 40;

/** Colours that stand out on white and on black. */
const COLOURS = {
  flooding: '#e0820f',
  'one hub': '#2f81f7',
  'several hubs': '#1a9c5b',
  'several hubs, bulk': '#8f63e6',
};
const ORDER = Object.keys(COLOURS);

const PANELS = [
  {
    title: 'frames per reading',
    ...{ isLog: true, from: 0.3, to: 300, ticks: [1, 10, 100] },
    amountOf: ({ framesPerReading }) => framesPerReading.total,
    boundOf: ({ bound }) => bound.etx,
    text: (value) => value.toFixed(1),
  },
  {
    title: 'readings delivered, %',
    ...{ isLog: false, from: 0, to: 100, ticks: [0, 50, 100] },
    amountOf: ({ pdr }) => 100 * pdr,
    text: (value) => (value === 100 ? '100' : (Math.floor(10 * value) / 10).toFixed(1)),
  },
  {
    title: 'energy of sending, µA per node',
    ...{ isLog: true, from: 1, to: 10_000, ticks: [1, 100, 10_000] },
    amountOf: ({ energy }) => 1000 * energy.sendingMilliAmp,
    text: (value) => (value < 10 ? value.toFixed(1) : Math.round(value).toString()),
  },
];

/** Follows the reader's colour scheme; where that is not known, greys that do on both. */
const STYLE = `
  text { font: 11px system-ui, sans-serif; fill: #6e7681; }
  .name { font-weight: 600; }
  .title { font-size: 12px; font-weight: 600; }
  .grid { stroke: #8b949e; stroke-opacity: 0.35; }
  .bound { stroke: #d1242f; stroke-width: 2; }
  @media (prefers-color-scheme: light) { text { fill: #424a53; } }
  @media (prefers-color-scheme: dark) { text { fill: #b1bac4; } .bound { stroke: #ff7b72; } }
`;

/** The SVG of a result of the mesh bench. */
export function plotOf({ scenarios }) {
  const rows = layOut(scenarios);
  const bottom = rows.at(-1).endPx;
  const panels = PANELS.map((panel, index) => {
    const leftPx = LABEL_PX + index * (PANEL_PX + PANEL_GAP_PX);
    return drawPanel(panel, leftPx, bottom, rows);
  });
  const names = rows.map(({ name, startPx }) => text(8, startPx + 11, name, 'name'));
  const height = bottom + BOTTOM_PX;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH_PX} ${height}" width="${WIDTH_PX}" height="${height}" role="img">`,
    '<title>Frames per reading, delivery and energy of the mesh by topology and mode</title>',
    `<style>${STYLE}</style>`,
    ...legend(),
    ...names,
    ...panels.flat(),
    text(LABEL_PX, bottom + 42, footnote(rows)),
    '</svg>\n',
  ].join('\n');
}

/** What the drawing leaves out: listening takes the same in every mode. */
function footnote([{ lines }]) {
  const { meanRouterMilliAmp, sendingMilliAmp } = lines[0].figures.energy;
  const listening = Math.round(meanRouterMilliAmp - sendingMilliAmp);
  return `Frames and energy on logarithmic scales. Listening takes ${listening} mA more per node, in every mode.`;
}

/** A line for each variant, from top to bottom. */
function layOut(scenarios) {
  let y = TOP_PX;
  return Object.entries(scenarios).map(([name, { variants }]) => {
    const startPx = y;
    const lines = ORDER.filter((variant) => variants[variant]).map((variant, index) => ({
      ...{ variant, figures: variants[variant], y: startPx + index * ROW_PX + ROW_PX / 2 },
    }));
    const endPx = startPx + lines.length * ROW_PX;
    y = endPx + GAP_PX;
    return { name, startPx, endPx, lines };
  });
}

function legend() {
  const marks = ORDER.flatMap((variant, index) => {
    const x = LABEL_PX + index * 150;
    return [`<circle cx="${x}" cy="16" r="4.5" fill="${COLOURS[variant]}"/>`, text(x + 9, 20, variant)];
  });
  const x = LABEL_PX + ORDER.length * 150;
  return [...marks, `<line class="bound" x1="${x}" x2="${x}" y1="9" y2="23"/>`, text(x + 7, 20, 'ETX bound')];
}

function drawPanel(panel, leftPx, bottom, rows) {
  const at = (value) => leftPx + PANEL_PX * positionOf(panel, value);
  const ticks = panel.ticks.flatMap((tick) => [
    `<line class="grid" x1="${at(tick)}" x2="${at(tick)}" y1="${TOP_PX - 8}" y2="${bottom + 4}"/>`,
    text(at(tick), bottom + 18, tick.toLocaleString('en'), '', 'middle'),
  ]);
  const marks = rows.flatMap(({ lines }) => lines.flatMap((line) => drawLine(panel, leftPx, at, line)));
  return [text(leftPx, TOP_PX - 18, panel.title, 'title'), ...ticks, ...marks];
}

function drawLine({ amountOf, boundOf, text: textOf }, leftPx, at, { variant, figures, y }) {
  const value = amountOf(figures);
  const colour = COLOURS[variant];
  const x = rounded(at(value));
  const bound = boundOf && rounded(at(boundOf(figures)));
  // A bound that stands close behind the value stands in its label's way.
  const labelled = bound > x && bound < x + LABEL_ROOM_PX ? bound : x;
  const marks = [
    `<line x1="${leftPx}" x2="${x}" y1="${y}" y2="${y}" stroke="${colour}" stroke-width="3" stroke-opacity="0.55"/>`,
    `<circle cx="${x}" cy="${y}" r="4.5" fill="${colour}"/>`,
    text(labelled + 8, y + 4, textOf(value)),
  ];
  if (bound !== undefined)
    marks.unshift(`<line class="bound" x1="${bound}" x2="${bound}" y1="${y - 7}" y2="${y + 7}"/>`);
  return marks;
}

/** 0 … 1 along the axis; what lies outside stands at its end. */
function positionOf({ isLog, from, to }, value) {
  const share = isLog ? Math.log(value / from) / Math.log(to / from) : (value - from) / (to - from);
  return Math.min(1, Math.max(0, share));
}

function text(x, y, content, kind = '', anchor = 'start') {
  const attributes = `${kind && ` class="${kind}"`}${anchor === 'start' ? '' : ` text-anchor="${anchor}"`}`;
  return `<text x="${rounded(x)}" y="${rounded(y)}"${attributes}>${escaped(content)}</text>`;
}

function escaped(content) {
  return content.replace(/[&<>]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[sign]);
}

function rounded(value) {
  return Math.round(10 * value) / 10;
}
