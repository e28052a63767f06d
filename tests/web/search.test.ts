/** The quick switcher's matching, the password hint, and the names of devices. */
import { describe, expect, test } from 'vitest';
import { score } from '../../web/search/match.ts';
import { strengthOf } from '../../web/session/strength.ts';
import { deviceWords } from '../../web/settings/user-agent.ts';

describe('quick switcher', () => {
  const best = (query: string, names: string[]) =>
    names.filter((name) => score(name, query) > 0).sort((a, b) => score(b, query) - score(a, query));

  test('beginnings come before middles, and middles before scattered letters', () => {
    expect(best('an', ['Susanne', 'Book fans', 'Tom Anders', 'Anna', 'Axel Nilsson', 'Bo'])).toEqual([
      'Anna',
      'Tom Anders',
      'Susanne',
      'Book fans',
      'Axel Nilsson',
    ]);
  });

  test('accents and capitals need not be typed', () => {
    expect(score('Tomás Oliveira', 'tomas')).toBe(score('Tomas Oliveira', 'TOMÁS'));
    expect(score('Łukasz', 'zzz')).toBe(0);
  });
});

describe('password hint', () => {
  test.each([
    ['', 0],
    ['short', 1],
    ['password1234', 2],
    ['aaaaaaaaaaaaaa', 2],
    ['under the plum', 3],
    ['a walk along the river', 4],
  ])('%j is of strength %i', (password, expected) => {
    expect(strengthOf(password).score).toBe(expected);
  });
});

describe('devices', () => {
  test.each([
    [
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
      'Chrome on Linux',
    ],
    ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox on Mac'],
    [
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1',
      'Safari on iPhone or iPad',
    ],
    ['node', 'A program'],
    [null, 'A program'],
  ])('%s is %s', (userAgent, words) => {
    expect(deviceWords(userAgent)).toBe(words);
  });
});
