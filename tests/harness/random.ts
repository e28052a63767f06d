/** A seeded source of randomness, and inputs made from a procedure's schema: valid ones, and ones with something wrong in them. */

export interface Random {
  readonly seed: number;
  /** 0 <= n < bound */
  below(bound: number): number;
  pick<T>(from: readonly [T, ...T[]]): T;
}

/** Mulberry32: small, fast, good enough to choose test cases. The same seed makes the same run. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  const below = (bound: number) => Math.floor(next() * bound);
  return { seed, below, pick: (from) => from[below(from.length)] ?? from[0] };
}

type Json = Record<string, unknown>;

/** A value that a JSON schema allows, as far as it can be told; ids come from `ids`, so that calls find something. */
export function fitting(schema: unknown, random: Random, ids: readonly [string, ...string[]]): unknown {
  const node = (schema ?? {}) as Json;
  const options = (node.anyOf ?? node.oneOf) as [unknown, ...unknown[]] | undefined;
  if (options) return fitting(random.pick(options), random, ids);
  if (node.const !== undefined) return node.const;
  if (Array.isArray(node.enum)) return random.pick(node.enum as [unknown, ...unknown[]]);
  switch (node.type) {
    case 'object': {
      const required = new Set((node.required as string[] | undefined) ?? []);
      const entries = Object.entries((node.properties ?? {}) as Json);
      const kept = entries.filter(([name]) => required.has(name) || random.below(2) === 0);
      return Object.fromEntries(kept.map(([name, inner]) => [name, fitting(inner, random, ids)]));
    }
    case 'array': {
      const length = Math.min(Number(node.maxItems ?? 3), Number(node.minItems ?? 0) + random.below(3));
      return Array.from({ length }, () => fitting(node.items, random, ids));
    }
    case 'integer':
    case 'number':
      return Math.max(Number(node.minimum ?? 0), Math.min(Number(node.maximum ?? 50), random.below(60)));
    case 'boolean':
      return random.below(2) === 0;
    case 'string':
      return fittingText(node, random, ids);
    default:
      return null;
  }
}

function fittingText(node: Json, random: Random, ids: readonly [string, ...string[]]): string {
  if (node.format === 'uuid' || String(node.pattern ?? '').includes('[0-9a-fA-F]{8}')) return random.pick(ids);
  if (node.format === 'email') return `x${random.below(1_000_000)}@example.org`;
  if (node.format === 'date-time') return `${2_000 + random.below(8_000)}-01-01T00:00:00Z`;
  if (node.format === 'uri') return 'https://example.org/a.png';
  if (String(node.pattern ?? '').includes('A-Za-z0-9+/')) {
    const characters = Math.min(Number(node.maxLength ?? 400), Math.max(64, Number(node.minLength ?? 64)));
    const bytes = Buffer.from(Uint8Array.from({ length: (characters * 3) / 4 }, () => random.below(256)));
    // As many bytes as the pattern's padding says.
    const spellings = [0, 1, 2].map((less) => bytes.subarray(0, bytes.length - less).toString('base64'));
    return spellings.find((text) => new RegExp(String(node.pattern)).test(text)) ?? '';
  }
  return 'abcDEF012-_'.repeat(5).slice(0, Math.min(Number(node.maxLength ?? 43), 43));
}

const deep = (depth: number): unknown => (depth === 0 ? 0 : [deep(depth - 1)]);
const HOSTILE: readonly [unknown, ...unknown[]] = [
  null,
  '',
  '\u0000',
  'a\u0000b',
  '\ud800',
  '\u202e',
  "'; drop table users; --",
  '%',
  '\\',
  '../../etc/passwd',
  'x'.repeat(5_000),
  0,
  -1,
  1.5,
  2 ** 53,
  1e308,
  true,
  [],
  {},
  deep(200),
  { toString: 'x', valueOf: 1 },
  JSON.parse('{"__proto__":{"admin":true},"constructor":{"prototype":{}}}'),
  ['a', 'a', 'a'],
  '00000000-0000-0000-0000-000000000000',
  'AAAA====',
];

/** Replaces one place of a value, anywhere in it, by something nobody should send. */
export function spoiled(value: unknown, random: Random): unknown {
  const copy = structuredClone(value);
  const places: [Json | unknown[], string | number][] = [];
  const collect = (node: unknown) => {
    if (typeof node !== 'object' || node === null) return;
    for (const key of Object.keys(node)) {
      places.push([node as Json, key]);
      collect((node as Json)[key]);
    }
  };
  collect(copy);
  const [first, ...rest] = places;
  if (first === undefined || random.below(8) === 0) return random.pick(HOSTILE);
  const [node, key] = random.pick([first, ...rest]);
  if (random.below(6) === 0) delete (node as Json)[key];
  else (node as Json)[key] = random.pick(HOSTILE);
  return copy;
}
