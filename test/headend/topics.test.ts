import assert from 'node:assert/strict';
import fc from 'fast-check';
import { reasonOf } from '../../nodes/headend/errors.ts';
import {
  formatGatewayPresence,
  formatHostPresence,
  formatTopic,
  hostFilters,
  isId,
  parseGatewayPresence,
  parseHostPresence,
  parseTopic,
  type Topic,
} from '../../nodes/headend/frame/topics.ts';

const letters = 'abcdefghijklmnopqrstuvwxyz0123456789';
const id = fc
  .tuple(fc.constantFrom(...letters), fc.string({ unit: fc.constantFrom(...letters, '-'), maxLength: 31 }))
  .map((parts) => parts.join(''));
const badIds = ['', '-a', 'A', 'a b', 'a/b', '+', '#', 'a+', 'a\0', 'ä', 'a_b', '__proto__', 'x'.repeat(33), 'a\n'];
const instance = '0123456789abcdef';

describe('MQTT topics', () => {
  it('come back from their text', () => {
    const anyTopic: fc.Arbitrary<Topic> = fc.oneof(
      fc.record({ kind: fc.constantFrom('up' as const, 'down' as const, 'status' as const), network: id, gateway: id }),
      fc.record({ kind: fc.constant('host' as const), network: id }),
    );
    fc.assert(fc.property(anyTopic, (topic) => assert.deepEqual(parseTopic(formatTopic(topic)), { ...topic })));
    assert.equal(formatTopic({ kind: 'up', network: 'home', gateway: 'gw-1' }), 'wattmesh/home/gw-1/up');
    assert.equal(formatTopic({ kind: 'host', network: 'home' }), 'wattmesh/home/host');
  });

  it('are refused with a bad id, for network and gateway alike', () => {
    for (const bad of badIds) {
      assert.equal(isId(bad), false, bad);
      const refused = (error: unknown): boolean => reasonOf(error) === 'badField';
      assert.throws(() => formatTopic({ kind: 'host', network: bad }), refused);
      assert.throws(() => formatTopic({ kind: 'down', network: bad, gateway: 'gw' }), refused);
      assert.throws(() => formatTopic({ kind: 'down', network: 'home', gateway: bad }), refused);
      assert.throws(() => hostFilters(bad), refused);
      assert.equal(parseTopic(`wattmesh/${bad}/host`), undefined);
      assert.equal(parseTopic(`wattmesh/home/${bad}/up`), undefined);
    }
  });

  it('are ignored when they are not exactly ours', () => {
    const others = [
      '',
      'wattmesh',
      'wattmesh/home',
      'wattmesh/home/up',
      'wattmesh/home/gw/upp',
      'wattmesh/home/gw/up/',
      'x/home/gw/up',
    ];
    for (const other of [
      ...others,
      '/wattmesh/home/host',
      'wattmesh/home/host/',
      'wattmesh/home/gw/up/more/and/more',
    ]) {
      assert.equal(parseTopic(other), undefined, other);
    }
    fc.assert(
      fc.property(fc.string(), (text) => {
        const topic = parseTopic(text);
        if (topic) assert.equal(formatTopic(topic), text);
      }),
    );
  });

  it('are subscribed to for all gateways of one network', () => {
    assert.deepEqual(hostFilters('home'), {
      up: 'wattmesh/home/+/up',
      status: 'wattmesh/home/+/status',
      host: 'wattmesh/home/host',
    });
  });
});

describe('presence payloads', () => {
  it('of a gateway', () => {
    for (const online of [true, false])
      assert.equal(parseGatewayPresence(Buffer.from(formatGatewayPresence(online))), online);
    assert.equal(parseGatewayPresence(Buffer.alloc(0)), false);
    for (const other of ['Online', 'online ', 'on', 'x'.repeat(1000)])
      assert.equal(parseGatewayPresence(Buffer.from(other)), undefined);
  });

  it('of a head-end', () => {
    for (const online of [true, false]) {
      assert.deepEqual(parseHostPresence(Buffer.from(formatHostPresence({ online, instance }))), { online, instance });
    }
    assert.equal(formatHostPresence({ online: true, instance }), `online ${instance}`);
    for (const other of [
      '',
      'online',
      `online ${instance}0`,
      `online ${instance.toUpperCase()}`,
      `offline  ${instance}`,
    ]) {
      assert.equal(parseHostPresence(Buffer.from(other)), undefined, other);
    }
    for (const bad of ['', 'xyz', instance.slice(1)]) {
      assert.throws(
        () => formatHostPresence({ online: true, instance: bad }),
        (error) => reasonOf(error) === 'badField',
      );
    }
  });
});
