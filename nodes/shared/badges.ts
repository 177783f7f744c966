/** What Node-RED shows beneath a node. */
export interface Badge {
  fill: 'green' | 'yellow' | 'red' | 'grey';
  shape: 'dot' | 'ring';
  text: string;
}

/** Longest text that the editor shows beside a node without crowding the flow. */
export const BADGE_CHARS_MAX = 19;

/** Works. */
export function fine(text: string): Badge {
  return { fill: 'green', shape: 'dot', text: shorten(text) };
}

/** Waits for something that comes by itself. */
export function waiting(text: string): Badge {
  return { fill: 'yellow', shape: 'ring', text: shorten(text) };
}

/** Needs somebody to do something. */
export function broken(text: string): Badge {
  return { fill: 'red', shape: 'ring', text: shorten(text) };
}

/** Switched off on purpose. */
export function disabled(text: string): Badge {
  return { fill: 'grey', shape: 'ring', text: shorten(text) };
}

/** At most BADGE_CHARS_MAX characters; an ellipsis says that there was more. */
export function shorten(text: string): string {
  return text.length <= BADGE_CHARS_MAX ? text : `${text.slice(0, BADGE_CHARS_MAX - 1)}…`;
}

/** A count in at most four characters: 999, 12k, 3M, 45G. */
export function compact(count: number): string {
  const units = ['', 'k', 'M', 'G'];
  let value = count;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${Math.floor(value)}${units[unit]}`;
}
