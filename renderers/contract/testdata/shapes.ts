// Texts to hold YAML readers against each other with: the same ones each time for the same seed.

type Value = string | number | boolean | null | Value[] | { readonly [key: string]: Value };

/** Numbers from 0 to below `max`, and choices from lists. */
interface Dice {
  (max: number): number;
  pick<T>(list: readonly T[]): T;
}

export function diceOf(seed: number): Dice {
  let state = seed;
  const roll = (max: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * max);
  };
  return Object.assign(roll, { pick: <T>(list: readonly T[]): T => list[roll(list.length)] as T });
}

/** Words that public manifests hold, and those that readers trip over. */
const words: readonly string[] = [
  ...['web', 'nginx:1.29', 'registry.example.com:5000/shop/cart@sha256:0f1e', '10.0.0.0/8', 'fd00::', '::1', '*.example.com'],
  ...['http://example.com:8080/path?a=b#c', '$(POD_IP):9090', '{{ .Release.Name }}-web', '{{- include "a.b" . | nindent 4 }}'],
  ...['100m', '128Mi', '1.20', '1.20.3', '0644', '0o644', '0x1F', '1e3', '1_000', '.5', '5.', '+1', '-1', '007', '0b101', '12:30:00'],
  ...['2026-01-01', '2026-01-01T00:00:00Z', 'yes', 'No', 'on', 'OFF', 'y', 'n', 'true', 'False', 'null', 'Null', '~', '', '.inf', '.nan'],
  ...['- dash', '-f', '-', '--', '---x', '? what', ': colon', 'a: b', 'a:b', 'a :b', 'a # b', 'a#b', '#c', '&a', '*a', '!a', '%a', '@a', '`a`'],
  ...['[a]', '{a}', 'a]', 'a, b', '"quoted"', "it's", 'say "hi"', 'back\\slash', 'C:\\temp', 'tab\there', ' leading', 'trailing ', 'über', '日本', '🚀'],
  ...['sum(rate(http_requests_total{job="api",code=~"5.."}[5m])) by (le) > 0', '^(?:a|b)+$', '=', '<<', '|', '>', 'a|b', '18446744073709551615'],
];
const texts: readonly string[] = [
  'server {\n  listen 80;\n  location / {\n    return 200;\n  }\n}\n',
  '#!/bin/sh\nset -eu\n\nexec "$@"\n',
  '{\n  "a": [1, 2],\n  "b": null\n}',
  '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n',
  'one\n\n\ntwo\n\n',
  '  indented first\nthen not\n',
  '\tbegins with a tab\n',
  'A long description that goes over lines.\nAnd on.\n\n  - with a list\n  - in it\n\nEnd.',
  '\n\nempty lines first\n',
  'ends in blanks  \nand more \n',
];
const names: readonly string[] = ['app', 'app.kubernetes.io/name', 'tier', 'on', 'y', 'null', '1', '1.5', 'é', 'a b', 'a.b/c', '"q"', '<<x', '.'];

/** Objects of the shapes that charts and repositories of manifests have. */
function shape(dice: Dice): Value {
  const word = (): Value => dice.pick(words);
  const many = <T>(make: () => T, max = 4): T[] => Array.from({ length: dice(max + 1) }, make);
  const labels = (): Value => Object.fromEntries(many(() => [dice.pick(names), word()] as const));
  const meta = (): Value => ({ name: `web-${dice(100)}`, labels: labels(), annotations: labels() });
  const container = (): Value => ({
    name: 'web',
    image: word(),
    command: many(word),
    args: many(word, 6),
    env: many(() => ({ name: 'A', value: word() })),
    resources: { limits: { cpu: word(), memory: '128Mi' }, requests: {} },
    ports: many(() => ({ containerPort: dice(65_536), protocol: 'TCP' })),
    livenessProbe: { httpGet: { path: '/', port: word() }, periodSeconds: dice(60) },
  });
  const schema = (depth: number): Value =>
    depth === 0
      ? { type: dice.pick(['string', 'integer', 'boolean']), description: dice.pick(texts) }
      : {
          type: 'object',
          description: dice.pick(texts),
          properties: Object.fromEntries(many(() => [`field${dice(50)}`, schema(depth - 1)] as const)),
          required: many(() => `field${dice(50)}`),
        };
  switch (dice(9)) {
    case 0:
      return {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: meta(),
        spec: { replicas: dice(5), template: { metadata: meta(), spec: { containers: many(container), tolerations: [] } } },
      };
    case 1:
      return { apiVersion: 'v1', kind: 'ConfigMap', metadata: meta(), data: Object.fromEntries(many(() => [`f${dice(9)}.conf`, dice.pick(texts)] as const)) };
    case 2:
      return {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: meta(),
        spec: { versions: [{ name: 'v1', served: true, schema: { openAPIV3Schema: schema(4) } }] },
      };
    case 3:
      return {
        apiVersion: 'networking.istio.io/v1',
        kind: 'ServiceEntry',
        metadata: meta(),
        spec: { hosts: many(word), addresses: ['10.0.0.0/8', 'fd00::', '::', 'fe80::/10'], ports: [{ number: 443, name: word() }] },
      };
    case 4:
      return {
        apiVersion: 'monitoring.coreos.com/v1',
        kind: 'PrometheusRule',
        metadata: meta(),
        spec: { groups: many(() => ({ name: word(), rules: many(() => ({ alert: word(), expr: dice.pick(words), for: '5m', annotations: { description: dice.pick(texts) } })) })) },
      };
    case 5:
      return { replicaCount: dice(3), image: { repository: word(), tag: word(), pullPolicy: null }, resources: {}, nodeSelector: {}, tolerations: many(word), config: dice.pick(texts), labels: labels() };
    case 6:
      return { on: { push: { branches: many(word) } }, jobs: { build: { 'runs-on': word(), steps: many(() => ({ run: dice.pick(texts), with: labels() })) } } };
    case 7:
      return { resources: many(word), patches: many(() => ({ target: { kind: word() }, patch: dice.pick(texts) })), configMapGenerator: many(() => ({ name: word(), literals: many(word) })) };
    default:
      return { apiVersion: 'v1', kind: 'List', items: many(() => ({ kind: word(), matrix: many(() => many(word)), nothing: null, off: false, zero: 0, float: dice(1_000) / 8 })) };
  }
}

/** What whoever writes YAML puts in quotes, nearly always. */
const odd = /^(?:$|[\s[\]{}#&*!|>'"%@`,?:]|- |-$|\.(?:inf|nan)$|null$|Null$|~$)|: |:$| #|\s$|\t/;
const oddInFlow = /^(?:$|[\s#&*!|>'"%@`:]|- |-$|\.(?:inf|nan)$|null$|Null$|~$)|: | #|\s$|\t|[,?[\]{}]/;

/** Writes a value as people and programs write YAML, each in their own way; not every text that comes out is one that can be read. */
function write(value: Value, dice: Dice): string {
  const step = dice.pick([2, 2, 2, 4]);
  const indentsLists = dice(2) === 0;
  const scalar = (found: Value, inFlow: boolean): string => {
    if (found === null) return dice.pick(['null', '~', inFlow ? 'null' : '']);
    if (typeof found !== 'string') return String(found);
    if (found.includes('\n')) return dice(2) === 0 ? JSON.stringify(found) : `'${found.replaceAll("'", "''").replaceAll('\n', '\n\n        ')}'`;
    const isOdd = (inFlow ? oddInFlow : odd).test(found) && dice(300) > 0;
    switch (dice(isOdd ? 2 : 5)) {
      case 0:
        return JSON.stringify(found);
      case 1:
        return `'${found.replaceAll("'", "''")}'`;
      default:
        return found;
    }
  };
  const flow = (found: Value): string => {
    const gap = dice.pick(['', ' ', ' ', '\n            ']);
    if (Array.isArray(found)) return `[${gap}${found.map(flow).join(dice.pick([', ', ',', ' ,', ',\n          ']))}${gap}]`;
    if (typeof found !== 'object' || found === null) return scalar(found, true);
    const pairs = Object.entries(found).map(([key, inner]) => `${scalar(key, true)}:${dice(8) === 0 ? '' : ' '}${flow(inner)}`);
    return `{${gap}${pairs.join(dice.pick([', ', ',', ',\n          ']))}${dice(6) === 0 && pairs.length > 0 ? ',' : ''}${gap}}`;
  };
  const comment = (): string => dice.pick(['', '', '', '', '', ' # why', ' #', '  ', '\t']);
  const between = (pad: string): string => dice.pick(['', '', '', '', '', '', '\n', `${pad}# a comment\n`, '# a comment\n', '   \n']);
  /** What stands behind a key or dash, with its line end. */
  const inside = (found: Value, indent: number, isKey: boolean): string => {
    if (typeof found === 'string' && found.includes('\n') && dice(4) > 0) {
      const pad = ' '.repeat(indent + step);
      const head = dice.pick(['|', '|', '|-', '|+', '>', '>-', `|${step}`, `>${step}-`]);
      return ` ${head}${dice.pick(['', '', ' # c'])}\n${found.split('\n').map((line) => (line === '' ? line : pad + line)).join('\n')}\n`;
    }
    if (typeof found !== 'object' || found === null) return ` ${scalar(found, false)}${comment()}\n`;
    const isEmpty = Object.keys(found).length === 0;
    if (isEmpty || dice(6) === 0) return ` ${flow(found)}${comment()}\n`;
    if (!isKey && dice(3) > 0) return ` ${block(found, indent + 2).trimStart()}`;
    const deeper = Array.isArray(found) && isKey && !indentsLists ? indent : indent + step;
    return `${comment()}\n${block(found, deeper)}`;
  };
  const block = (found: Value, indent: number): string => {
    const pad = ' '.repeat(indent);
    if (Array.isArray(found)) return found.map((item) => `${between(pad)}${pad}-${inside(item, indent, false)}`).join('');
    if (typeof found !== 'object' || found === null) return `${pad}${scalar(found, false)}\n`;
    return Object.entries(found)
      .map(([key, inner]) => `${between(pad)}${pad}${scalar(key, false)}:${inside(inner, indent, true)}`)
      .join('');
  };
  return block(value, 0);
}

/** Files of the shapes that public charts, manifests and values have. */
export function publicShapes(count: number, seed = 1): string[] {
  const dice = diceOf(seed);
  return Array.from({ length: count }, () => {
    const documents = Array.from({ length: 1 + (dice(4) === 0 ? dice(4) : 0) }, () => write(shape(dice), dice));
    const text = dice.pick(['', '', '---\n', '# Source: a.yaml\n', '---\n# Source: a.yaml\n']) + documents.join('---\n');
    return dice(12) === 0 ? text.replaceAll('\n', '\r\n') : dice(12) === 0 ? text.trimEnd() : text;
  });
}

const pieces: readonly string[] = [
  ...['a', 'b', ': ', ':', '- ', '-', '\n', '\n  ', '\n    ', '\n ', '[', ']', '{', '}', ', ', ',', '? ', '?', '|', '>', '|-', '>+', '|2'],
  ...['"', "'", '\\n', '\\', '\\\n', '#', ' #c', '&x ', '*x', '!', '!!str ', '!!int ', '!<a> ', '%', '@', '`', '\t', ' ', '  ', '---'],
  ...['\n---\n', '...', '\n...\n', '<<: ', 'fd00::', '10', '0o7', '1e3', '~', 'null', 'yes', 'é', '☃', '😀', '\r\n', '%YAML 1.1\n---\n'],
  ...['%TAG !e! tag:e,2000:\n---\n', '!e!x ', '\\x41', '\\u00e9', '\\"', "''", 'key: value\n', '  - item\n', '- k: v\n', '"q": ', '{a: b}'],
  ...['[1, 2]', '|\n  text\n', '>\n  folded\n  more\n', '= ', '0x1F', '.5', '1_000', '2026-01-01', '.inf'],
];

/** Short texts of anything that means something in YAML; most are broken. */
export function yamlSoup(count: number, seed = 1): string[] {
  const dice = diceOf(seed);
  return Array.from({ length: count }, () => Array.from({ length: 1 + dice(14) }, () => dice.pick(pieces)).join(''));
}
