import { EVENT_NAMES, eventCode, type RaisedName } from '../../nodes/headend/device-events.ts';
import { Fields } from './scenario-fields.ts';
import { knownNode } from './scenario-radio.ts';

/** Something that happens at a device and that it tells at once. */
export interface ScenarioEvent {
  readonly atS: number;
  readonly node: string;
  readonly code: number;
  /** As it travels: PROTOCOL.md, section 4.3, has the units. */
  readonly value: number;
}

const VALUE = { min: -32_768, max: 32_767, whole: true, fallback: 0 };

/** The list `events`. */
export function readEvents(fields: Fields, ids: ReadonlySet<string>, durationS: number): ScenarioEvent[] {
  return fields.list('events').map(({ value, path }) => {
    const event = new Fields(value, path, ['atS', 'node', 'event', 'value']);
    return {
      atS: event.number('atS', { min: 0, max: durationS }),
      node: knownNode(event.text('node'), event.at('node'), ids),
      code: eventCode(event.oneOf<RaisedName>('event', EVENT_NAMES)),
      value: event.number('value', VALUE),
    };
  });
}
