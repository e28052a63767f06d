import { expect, it } from 'vitest';
import { memoryStorage } from '#client/index';
import { Device } from '../../src/client/keyring/device.ts';
import { mergeInto, type Pin, Pins } from '../../src/client/keyring/pins.ts';

const pin = (change: Partial<Pin> = {}): Pin => ({
  gen: 0,
  fingerprint: 'A',
  reset: 0,
  vouch: null,
  rev: 0,
  ...change,
});

it('[P31] two devices that were shown different keys of one person do not believe each other', () => {
  const mine = new Map([
    ['ann', pin()],
    ['bob', pin({ gen: 1, fingerprint: 'B1', vouch: { gen: 0, fingerprint: 'B0' }, rev: 1 })],
  ]);
  const theirs = new Map([
    ['ann', pin({ fingerprint: 'other' })],
    ['bob', pin({ gen: 0, fingerprint: 'other', rev: 2 })],
    ['cyd', pin()],
  ]);
  expect(mergeInto(mine, theirs)).toEqual(['ann', 'bob']);
  expect(mine.get('ann')).toEqual(pin());
  expect(mine.get('bob')?.rev).toBe(1);
  expect(mine.get('cyd')).toEqual(pin());
});

it('[C70] of two that do not agree, the one that was compared stands', () => {
  const compared = pin({ fingerprint: 'compared', vouch: { gen: 0, fingerprint: 'compared' }, rev: 1 });
  const mine = new Map([['ann', pin()]]);
  expect(mergeInto(mine, new Map([['ann', compared]]))).toEqual(['ann']);
  expect(mine.get('ann')).toEqual(compared);
  expect(mergeInto(mine, new Map([['ann', pin()]]))).toEqual(['ann']);
  expect(mine.get('ann')).toEqual(compared);
});

it('[C36] an edit that fails half-way has changed nothing, here or on the device', async () => {
  const device = new Device(memoryStorage());
  await device.claim('me');
  const pins = new Pins(device, () => {});
  await pins.edit((table) => table.set('ann', pin()));
  const edit = pins.edit((table) => {
    table.set('bob', pin());
    table.delete('ann');
    throw new Error('the second one does not pass');
  });
  await expect(edit).rejects.toThrow('does not pass');
  expect([...(await pins.table())]).toEqual([['ann', pin()]]);
  expect([...(await new Pins(device, () => {}).table())]).toEqual([['ann', pin()]]);
});
