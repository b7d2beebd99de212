import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseDocuments, RenderError } from '@mooring/renderer-contract';
import { parseBuildFlags, withoutPrograms } from '../../renderers/kustomize-wasm/options.ts';
import { cleanOutput } from './adapters/git/command.ts';
import { candidateNames, parseListing, revisionKind, revisionRefusal } from './adapters/git/refs.ts';
import { bestVersion, isVersionRange } from './adapters/git/version-range.ts';
import { parseExact } from './adapters/kube/exact-json.ts';
import { readStatus } from './adapters/kube/refusal.ts';
import { privateValues } from './adapters/render/private-values.ts';
import { createSettingsReader } from './adapters/store/settings.ts';
import { parsePath } from './engine/diff/jq-path.ts';
import { stepsOf } from './engine/diff/pointer.ts';
import { retryWaitMs } from './engine/policy/retry.ts';
import { parseSchedule } from './model/cron.ts';
import { parseDuration } from './model/duration.ts';
import { Fault } from './model/fault.ts';
import { globMatches, pathMatches } from './model/glob.ts';
import { hookRole } from './model/hooks.ts';
import { maskAddress, maskUserInformation } from './model/mask.ts';
import { nodeLocal } from './model/node-local.ts';
import { sameQuantity } from './model/quantity.ts';
import { findRepositoryAddress } from './model/repository-url.ts';
import { syncOptionsOf } from './model/sync-options.ts';

// Whoever writes a text that is read here may make it long, repetitive and deep. It must take time in proportion to its length: nothing else of the process
// runs meanwhile.

const root = join(import.meta.dirname, '..', '..');
/** Milliseconds for which the event loop may stand still. */
const standstillMaxMs = 50;

/** The shortest of three runs; time that the machine gave to others does not count. */
function milliseconds(run: () => void): number {
  let shortest = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn < 3 && shortest >= standstillMaxMs; turn++) {
    const start = process.threadCpuUsage();
    run();
    const { user, system } = process.threadCpuUsage(start);
    shortest = Math.min(shortest, (user + system) / 1_000);
  }
  return shortest;
}

function repeated(pump: string, length: number): string {
  return pump.repeat(Math.ceil(length / pump.length));
}

const anything = [...'1aA /.-:@%"\'\\[]{}()=_,\n\t*~$#&!|<>^?+é'];

/** A regular expression in the text of a program. */
interface Literal {
  readonly file: string;
  readonly line: number;
  readonly regex: RegExp;
}

const token = /\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|[A-Za-z0-9_$]+|[\s\S]/y;
const literal = /\/((?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+)\/([dgimsuvy]*)(?!\w)/y;

/** The regular expressions of a file. Inside `${…}` of a template there are none. */
function literalsOf(file: string): Literal[] {
  const text = readFileSync(join(root, file), 'utf8');
  const found: Literal[] = [];
  let before = '(';
  for (let at = 0; at < text.length; ) {
    if (text[at] === '`') {
      at = templateEnd(text, at);
      before = '`';
      continue;
    }
    const mayBegin = text[at] === '/' && text[at + 1] !== '/' && text[at + 1] !== '*';
    literal.lastIndex = at;
    const regex = mayBegin && /(?:^|[(,=:[!&|?{};+>]|return|case)$/.test(before) ? literal.exec(text) : null;
    if (regex !== null) {
      const line = text.slice(0, at).split('\n').length;
      found.push({ file, line, regex: new RegExp(regex[1] ?? '', regex[2]) });
      at += regex[0].length;
      before = '/';
      continue;
    }
    token.lastIndex = at;
    const next = token.exec(text)?.[0] ?? ' ';
    at += next.length;
    if (next.trim() !== '' && !next.startsWith('//') && !next.startsWith('/*')) before = next;
  }
  return found;
}

function templateEnd(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '`') {
    if (text[at] === '\\') at += 2;
    else if (text.startsWith('${', at)) {
      let depth = 1;
      for (at += 2; depth > 0 && at < text.length; at++) {
        if (text[at] === '`') at = templateEnd(text, at) - 1;
        else if (text[at] === '{') depth += 1;
        else if (text[at] === '}') depth -= 1;
      }
    } else at += 1;
  }
  return at + 1;
}

/** Texts that make a regular expression of its kind slow: what it speaks of, over and over, behind its own beginning, with something else at the end. */
function* attacks({ source }: RegExp): Generator<string> {
  const words = [...new Set(source.match(/[A-Za-z][A-Za-z ]{2,}/g))].slice(0, 6);
  const own = [...new Set(source.replaceAll(/\\[a-zA-Z]|\\/g, ''))].slice(0, 24);
  const pairs = own.slice(0, 6).flatMap((a) => own.slice(0, 6).map((b) => a + b));
  const pumps = new Set([...anything, ...own, ...pairs, ...words, '1.', '%41', '/a', ': ', '\\"', '"a"', '[a', '${']);
  const head = /^\^?([A-Za-z0-9 :"'_-]+)/.exec(source)?.[1] ?? '';
  for (const before of new Set(['', head])) {
    for (const pump of pumps) for (const end of ['', '\n!']) yield before + repeated(pump, 16_000) + end;
  }
}

describe('every regular expression takes linear time', () => {
  const files = globSync(['operator/src/**/*.ts', 'renderers/*/*.ts', 'crds/*.ts'], { cwd: root })
    .filter((file) => !/\.test\.ts$|\.d\.ts$|testdata|\/build\.ts$|\/conformance\.ts$|\/emit\.ts$/.test(file))
    .sort();
  const literals = files.flatMap(literalsOf);
  test('they are found', () => assert.ok(literals.length > 200, `only ${literals.length}`));
  for (const { file, line, regex } of literals) {
    test(`${file}:${line} ${regex}`, () => {
      for (const text of attacks(regex)) {
        const run = (): void => {
          regex.lastIndex = 0;
          if (regex.global) text.replace(regex, '');
          else regex.exec(text);
        };
        const took = milliseconds(run);
        assert.ok(took < standstillMaxMs, `${took} ms for ${JSON.stringify(text.slice(0, 60))}… (${text.length})`);
      }
    });
  }
});

const limits = { manifestBytes: 1_000_000, manifestCount: 20_000 };
const settings = createSettingsReader();

/** What reads texts of tenants on the thread that everything else needs, and the longest text that it is given. */
const parsers: readonly {
  readonly name: string;
  readonly length?: number;
  readonly call: (text: string) => unknown;
}[] = [
  { name: 'a duration', call: parseDuration },
  {
    name: 'retry.backoff',
    call: (text) => retryWaitMs({ limit: 5, backoff: { duration: text, maxDuration: text } }, 1),
  },
  { name: 'a repository URL', call: findRepositoryAddress },
  { name: 'a repository URL with a scheme', call: (text) => findRepositoryAddress(`https://a.example/${text}`) },
  { name: 'a host', length: 2_000, call: nodeLocal },
  { name: 'a revision', call: (text) => [revisionKind(text), revisionRefusal(text), candidateNames(text)] },
  {
    name: 'a version range',
    length: 20_000,
    call: (text) => [isVersionRange(text), bestVersion(['1.0.0', text], text)],
  },
  { name: 'a list of refs', call: (text) => parseListing(text, 1_000_000) },
  { name: 'what git said', call: cleanOutput },
  { name: 'a quantity', call: (text) => sameQuantity(text, '1') },
  { name: 'a glob', length: 5_000, call: (text) => globMatches(text, 'a/b-c') },
  { name: 'a text held against a glob', length: 5_000, call: (text) => globMatches('*a*/{b,c}-*', text) },
  { name: 'a path held against a pattern', length: 5_000, call: (text) => pathMatches('*a*[a-z]?', text) },
  { name: 'a schedule', call: parseSchedule },
  { name: 'a jq path', call: parsePath },
  { name: 'a JSON pointer', call: stepsOf },
  { name: 'sync options', call: (text) => syncOptionsOf([text], { 'argocd.argoproj.io/sync-options': text }) },
  {
    name: 'a hook',
    call: (text) => hookRole({ 'argocd.argoproj.io/hook': text, 'argocd.argoproj.io/sync-wave': text }),
  },
  { name: 'an address that is masked', call: maskAddress },
  {
    name: 'private values',
    call: (text) => privateValues({ repository: `https://${text}`, options: { values: text, [text]: text } }),
  },
  { name: 'a text with addresses that is masked', call: maskUserInformation },
  { name: 'an answer of an API server', call: (text) => [readStatus(text), attempt(() => parseExact(text))] },
  {
    name: 'settings',
    call: (text) => settings({ config: { 'timeout.reconciliation': text }, parameters: {}, secret: {} }),
  },
  {
    name: 'flags of kustomize',
    length: 5_000,
    call: (text) => [withoutPrograms(text), attempt(() => parseBuildFlags(text))],
  },
  {
    name: 'YAML that is short',
    length: 16 * 1024,
    call: (text) => attempt(() => parseDocuments(Buffer.from(text), 'x', limits)),
  },
];

function attempt(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    const isExpected = error instanceof RenderError || error instanceof Fault || error instanceof SyntaxError;
    if (!isExpected) throw error;
    return undefined;
  }
}

describe('every text of a tenant is read in linear time', () => {
  const pumps = [
    ...anything,
    '  a:\n',
    'a: 1, ',
    '- ',
    '[1,',
    '{a: ',
    '? ',
    '|\n ',
    '"a" ',
    "''",
    '&a ',
    '!a ',
    '1h',
    '1.',
    'a@',
    '://',
    '%41',
    '../',
    '..[0]',
    'a,b=c;',
    '\\u0041',
    '{a,b}',
    '**',
    '[a-z]',
  ];
  for (const { name, length = 50_000, call } of parsers) {
    test(name, () => {
      for (const pump of pumps) {
        for (const end of ['', '!']) {
          const text = repeated(pump, length) + end;
          const took = milliseconds(() => attempt(() => call(text)));
          assert.ok(took < standstillMaxMs, `${took} ms for ${JSON.stringify(pump)} (${text.length})`);
        }
      }
    });
  }
});
