import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { authorizationValues, mask, maskAddress, maskUserInformation, maskValues, withheld } from './mask.ts';

/** A value that nothing of a sentence is like by chance, with all that has to be escaped somewhere. */
const canary = fc
  .tuple(
    fc.stringMatching(/^[a-z]{4}\d{4}$/),
    fc.array(fc.constantFrom('"', '\\', ' ', '<', '&', '%', '+', '/', '\n', 'ä', '🔑', "'", '\t'), { maxLength: 4 }),
    fc.stringMatching(/^[A-Z]{4}\d{4}[a-z]{8,40}$/),
  )
  .map(([head, odd, tail]) => ({ head, tail, value: `${head}${odd.join('')}${tail}` }));

const wrap = (text: string, width: number, by: string): string =>
  (text.match(new RegExp(`.{1,${width}}`, 'g')) ?? []).join(by);
const base64 = (text: string): string => Buffer.from(text).toString('base64');

const encodings: Readonly<Record<string, (value: string) => string>> = {
  plain: (value) => value,
  JSON: (value) => JSON.stringify(value),
  'JSON in JSON': (value) => JSON.stringify(JSON.stringify(value)),
  "a URL's": (value) => encodeURIComponent(value),
  "a URL's, twice": (value) => encodeURIComponent(encodeURIComponent(value)),
  "a form's": (value) => new URLSearchParams({ value }).toString(),
  "Go's JSON": (value) => JSON.stringify(value).replace(/[<>&]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`),
  HTML: (value) => value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&#34;'),
  base64: base64,
  'base64 of URLs': (value) => Buffer.from(value).toString('base64url'),
  'base64 in lines': (value) => wrap(base64(value), 20, '\n'),
  'base64 in lines of JSON': (value) => JSON.stringify(wrap(base64(value), 20, '\n')),
  'base64 with a user': (value) => base64(`user:${value}`),
  'base64 somewhere within': (value) => base64(`{"password":"${value}"}`),
  'base64 of JSON': (value) => base64(JSON.stringify({ password: value })),
};

describe('a value is taken out', () => {
  for (const [name, encode] of Object.entries(encodings)) {
    test(`as ${name}`, () => {
      fc.assert(
        fc.property(canary, ({ head, tail, value }) => {
          const text = `the server says: ${encode(value)}, it is not accepted`;
          const masked = maskValues(text, [value, JSON.stringify({ password: value })]);
          assert.ok(masked.includes(mask), masked);
          assert.ok(masked.startsWith('the server says: ') && masked.endsWith(', it is not accepted'), masked);
          for (const part of [head, tail]) {
            assert.ok(!masked.includes(part), masked);
            assert.ok(!Buffer.from(masked.replace(/\s/g, ''), 'base64').toString('latin1').includes(part), masked);
          }
          // Read in any way, nothing that is left of a base64 holds a part of it.
          for (const [run] of masked.matchAll(/[A-Za-z0-9+/_-]{8,}/g)) {
            for (let shift = 0; shift < 4; shift += 1) {
              const read = Buffer.from(run.slice(shift), 'base64').toString('latin1');
              assert.ok(!read.includes(head) && !read.includes(tail), masked);
            }
          }
        }),
      );
    });
  }

  test('where the text is cut within it', () => {
    fc.assert(
      fc.property(canary, fc.integer({ min: 6, max: 24 }), ({ value }, length) => {
        // A cut through a character leaves what no value holds.
        const part = [...value].slice(0, length).join('');
        for (const text of [`bad: ${part}`, `bad: ${part}...`, `bad: "${part}…`])
          assert.ok(!maskValues(text, [value]).includes(part), text);
        const end = [...value].slice(-length).join('');
        assert.ok(!maskValues(`${end} is bad`, [value]).includes(end), end);
      }),
    );
  });

  test('part by part, where it is long', () => {
    const key = Array.from({ length: 400 }, (_, at) => String.fromCharCode(97 + ((at * at * 7) % 26))).join('');
    assert.equal(maskValues(`x ${key.slice(101, 160)} y`, [key]), `x ${mask} y`);
  });
});

describe('masking garbles nothing', () => {
  const cases: readonly (readonly [text: string, values: readonly string[], masked: string])[] = [
    ['data[tls.key]: Required value', ['e', 'k', 'a'], 'data[tls.key]: Required value'],
    ['secrets is forbidden: unable to', ['is', 'for', 'b', 'e', 'unabl'], 'secrets is forbidden: unable to'],
    ['value "e" and p=abc, too', ['e', 'abc'], `value "${mask}" and p=${mask}, too`],
    ['password hunter, not hunters', ['hunter'], `password ${mask}, not hunters`],
    ['port 54321, not 543210', ['54321'], `port ${mask}, not 543210`],
    ['xs3cr3t-tokenx', ['s3cr3t-token'], `x${mask}x`],
    ['nothing of it', [''], 'nothing of it'],
    ['a value ä and 🔑', ['🔑 key'], 'a value ä and 🔑'],
  ];
  for (const [text, values, masked] of cases) test(text, () => assert.equal(maskValues(text, values), masked));
});

test('what an Authorization header holds', () => {
  assert.deepEqual(authorizationValues(`Basic ${base64('me:p:ä')}`), [base64('me:p:ä'), 'me:p:ä', 'p:ä']);
  assert.deepEqual(authorizationValues('Bearer abc.def'), ['abc.def']);
  assert.deepEqual(authorizationValues(undefined), []);
});

describe('user information', () => {
  const cases: readonly (readonly [text: string, masked: string])[] = [
    ['cannot reach https://user:p@ssw0rd@h/x: no', 'cannot reach https://***@h/x: no'],
    [`'https://u:a b'c"d@h/x' is bad`, "'https://***@h/x' is bad"],
    ['https://token@h', 'https://***@h'],
    ['ssh://git@h/x and ssh://git:pw@h', 'ssh://git@h/x and ssh://***@h'],
    ['https://h/x@y', 'https://h/x@y'],
    ['https://h: ask me@h', 'https://h: ask me@h'],
    ['see https://h, or mail a@b.c', 'see https://h, or mail a@b.c'],
    ['https://a:b@h/x https://c:d@h/y', 'https://***@h/x https://***@h/y'],
  ];
  for (const [text, masked] of cases) test(text, () => assert.equal(maskUserInformation(text), masked));

  test('of an address that cannot be read', () => {
    assert.equal(maskAddress('https://user:pa/ss@h/x'), 'https://***@h/x');
    assert.equal(maskAddress('https://h/x@y'), 'https://h/x@y');
    assert.equal(maskAddress('https://[::1]:80/x@y'), 'https://[::1]:80/x@y');
    assert.equal(maskAddress('git@h:x'), 'git@h:x');
  });

  test('whatever the password', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z0-9@'"#?:/\\ %-]{0,20}c4n4ry[a-z0-9@'"#?:/\\ %-]{0,20}$/), (password) => {
        // With such ones it is the address of another host, with a path that holds the rest.
        fc.pre(!/^\d+[/\\]/.test(password) && !/@.*[/\\]/.test(password));
        const masked = maskAddress(`https://user:${password}@git.example.com/shop.git`);
        assert.ok(!masked.includes('c4n4ry'), masked);
      }),
    );
  });
});

describe('however long, many and repetitive they are', () => {
  const random = (length: number, seed: number): string => {
    let state = seed;
    const next = (): string => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) | 0;
      return String.fromCharCode(33 + ((state >>> 16) % 94));
    };
    return Array.from({ length }, next).join('');
  };
  const many = (count: number, value: (index: number) => string): string[] =>
    Array.from({ length: count }, (_, at) => value(at));
  const noise = random(8_192, 1);
  const words = 'the quick brown fox jumps, '.repeat(300);
  const texts: Readonly<Record<string, string>> = {
    'one letter': 'a'.repeat(8_192),
    'two letters': 'ab'.repeat(4_096),
    escapes: '\\\\u0041%2525&amp;'.repeat(500),
    'escapes within escapes': '\\\\\\\\%252541&amp;amp;QUFB'.repeat(350),
    addresses: 'https://a:'.repeat(800),
    'half of an escape': '%'.repeat(8_192),
    words,
    noise,
    'the longest': noise.repeat(50),
  };
  const values: Readonly<Record<string, readonly string[]>> = {
    'one of 1 MiB': [random(1_048_576, 2)],
    'one letter, 1 MiB': ['a'.repeat(1_048_576)],
    '1,000 short ones': many(1_000, (at) => random(12, at)),
    '10,000 tiny ones': many(10_000, (at) => at.toString(36)),
    '500 of one letter': many(500, (at) => 'a'.repeat(20 + 8 * at)),
    '500 of two letters': many(500, (at) => 'ab'.repeat(10 + 4 * at)),
    '500 of one letter that end in another': many(500, (at) => `${'a'.repeat(20 + 8 * at)}b`),
    '1,000 that repeat words': many(1_000, (at) => words.slice(at % 27, 30 + (at % 400))),
    '4,000 that the noise holds': many(4_000, (at) => noise.slice(2 * at, 2 * at + 12)),
    'more than are looked for': many(100_000, (at) => `value-${at}`),
  };

  test('it takes no more than 50 ms of the thread', () => {
    const milliseconds = (run: () => void): number => {
      const before = process.threadCpuUsage().user;
      run();
      return (process.threadCpuUsage().user - before) / 1_000;
    };
    for (const [what, text] of Object.entries(texts)) {
      for (const [which, list] of Object.entries(values)) {
        const run = (): void => void maskUserInformation(maskValues(text, list));
        const shortest = Math.min(milliseconds(run), milliseconds(run));
        assert.ok(shortest < 50, `${shortest} ms for ${which} in ${what}`);
      }
    }
  });

  test('what a text of that many values is like is hidden, or all of it', () => {
    const found = maskValues(`x ${noise.slice(0, 8_010)} y`, values['4,000 that the noise holds'] ?? []);
    assert.equal(found, `x ${mask} y`);
    for (const which of ['one letter, 1 MiB', '500 of one letter', 'more than are looked for'])
      assert.equal(maskValues('a'.repeat(8_192), values[which] ?? []), withheld, which);
    const [longest = ''] = values['one of 1 MiB'] ?? [];
    assert.equal(maskValues(`x ${longest.slice(500_000, 501_000)} y`, [longest]), `x ${mask} y`);
  });

  test('of a text that is too long the rest is left out', () => {
    const masked = maskValues(`${'x, '.repeat(10_000)}s3cr3t-token`, ['s3cr3t-token']);
    assert.ok(masked.length < 17_000 && masked.endsWith('…'), `${masked.length}`);
  });
});
