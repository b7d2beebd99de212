import type { ResourceIgnoreDifferences } from '@mooring/crds';
import { parseDocuments, RenderError } from '@mooring/renderer-contract';
import { ignoreProblems } from '../../engine/diff/ignore.ts';
import type { Customization } from '../../model/customization.ts';
import type { GlobalProject, LabelExpression } from '../../model/global-projects.ts';
import { isJsonObject, listAt, objectAt, textAt, valueAt } from '../../model/json.ts';
import type { KindPattern } from '../../model/kind-filter.ts';

/** Bytes and entries of one setting; a ConfigMap holds 1 MiB in all. */
const limits = { manifestBytes: 1_048_576, manifestCount: 1 };

/** The one YAML document of a setting; null where it is empty. Throws `RenderError`. */
function read(key: string, text: string): unknown {
  const [document] = parseDocuments(Buffer.from(text), key, limits);
  return document?.value ?? null;
}

/** What a reader says, or why the text cannot be used, to be read after the value. */
function attempt<T>(key: string, text: string, make: (value: unknown) => T): T | string {
  try {
    return make(read(key, text));
  } catch (thrown) {
    if (thrown instanceof RenderError) return `but cannot be read: ${thrown.message}`;
    if (thrown instanceof WrongShape) return `but ${thrown.message}`;
    throw thrown;
  }
}

class WrongShape extends Error {}

function wrong(message: string): never {
  throw new WrongShape(message);
}

/** Fails for a field that is not among the known: what it was to say would be passed over. */
function only(value: unknown, where: string, known: readonly string[]): Record<string, unknown> {
  if (!isJsonObject(value)) return wrong(`${where} must be a map`);
  const other = Object.keys(value).find((name) => !known.includes(name));
  return other === undefined ? value : wrong(`${where} has the unknown field ${other}; there are ${known.join(', ')}`);
}

function texts(value: unknown, name: string, where: string): readonly string[] {
  const list = valueAt(value, name);
  if (list === undefined || list === null) return [];
  if (!Array.isArray(list)) return wrong(`${where}.${name} must be a list of texts`);
  return list.map((item) => (typeof item === 'string' ? item : wrong(`${where}.${name} must be a list of texts`)));
}

function list(value: unknown): readonly unknown[] {
  if (value === null) return [];
  return Array.isArray(value) ? value : wrong('must be a list');
}

/** `resource.exclusions` or `resource.inclusions`; a text says what is wrong. */
export function readKindPatterns(key: string, text: string): readonly KindPattern[] | string {
  return attempt(key, text, (value) =>
    list(value).map((item, index) => {
      const where = `[${index}]`;
      only(item, where, ['apiGroups', 'kinds', 'clusters']);
      return {
        apiGroups: texts(item, 'apiGroups', where),
        kinds: texts(item, 'kinds', where),
        clusters: texts(item, 'clusters', where),
      };
    }),
  );
}

const operators = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const;

/** `globalProjects`; a text says what is wrong. */
export function readGlobalProjects(text: string): readonly GlobalProject[] | string {
  return attempt('globalProjects', text, (value) =>
    list(value).map((item, index) => {
      const where = `[${index}]`;
      only(item, where, ['projectName', 'labelSelector']);
      const projectName = textAt(item, 'projectName') ?? '';
      if (projectName === '') wrong(`${where}.projectName must name an AppProject`);
      const selector = only(valueAt(item, 'labelSelector') ?? {}, `${where}.labelSelector`, [
        'matchLabels',
        'matchExpressions',
      ]);
      const matchLabels = objectAt(selector, 'matchLabels') ?? {};
      const isText = Object.values(matchLabels).every((label) => typeof label === 'string');
      if (!isText) wrong(`${where}.labelSelector.matchLabels must map names to texts`);
      const matchExpressions = listAt(selector, 'matchExpressions').map((expression): LabelExpression => {
        const at = `${where}.labelSelector.matchExpressions`;
        only(expression, at, ['key', 'operator', 'values']);
        const operator = operators.find((name) => name === textAt(expression, 'operator'));
        const values = texts(expression, 'values', at);
        const takesValues = operator === 'In' || operator === 'NotIn';
        if (operator === undefined || takesValues !== values.length > 0)
          return wrong(`${at} needs the operator In or NotIn with values, or Exists or DoesNotExist without`);
        return { key: textAt(expression, 'key') ?? wrong(`${at} needs a key`), operator, values };
      });
      return { projectName, labelSelector: { matchLabels: matchLabels as Record<string, string>, matchExpressions } };
    }),
  );
}

const kept = ['ignoreDifferences', 'knownTypeFields', 'health'] as const;
const prefix = 'resource.customizations';

/**
 * What `argocd-cm` says of kinds under `resource.customizations`, in both of its forms. A kind whose rule cannot be read has a problem in its place; the old form
 * as a whole cannot be read where the answer is a text.
 */
export function readCustomizations(config: Readonly<Record<string, string>>): readonly Customization[] | string {
  const split = Object.entries(config).flatMap(([key, text]): readonly Customization[] => {
    const [, name = '', groupKind = ''] = /^resource\.customizations\.([^.]+)\.(.+)$/.exec(key) ?? [];
    const what = kept.find((one) => one === name);
    return what === undefined || text.trim() === '' ? [] : [customizationOf(key, what, groupKind, text)];
  });
  const old = config[prefix] ?? '';
  const combined = attempt(prefix, old, (value): readonly Customization[] => {
    if (value === null) return [];
    if (!isJsonObject(value)) return wrong('must map kinds to rules');
    return Object.entries(value).flatMap(([name, rules]) =>
      kept.flatMap((what) => {
        const given = valueAt(rules, what === 'health' ? 'health.lua' : what);
        if (given === undefined || given === null || given === '') return [];
        const text = typeof given === 'string' ? given : JSON.stringify(given);
        return [customizationOf(`${prefix} ${name}`, what, name.replace('/', '_'), text)];
      }),
    );
  });
  return typeof combined === 'string' ? combined : [...combined, ...split];
}

function customizationOf(key: string, what: Customization['what'], groupKind: string, text: string): Customization {
  const parts = groupKind === 'all' ? ['*', '*'] : groupKind.split('_');
  const [group = '', kind = ''] = parts.length === 1 ? ['', groupKind] : parts;
  const about = { key, what, group, kind };
  if (what !== 'ignoreDifferences') return about;
  const rule = attempt(key, text, (value): ResourceIgnoreDifferences => {
    const fields = ['jsonPointers', 'jqPathExpressions', 'managedFieldsManagers'] as const;
    const given = only(value ?? {}, 'it', fields);
    return { group, kind, ...Object.fromEntries(fields.map((name) => [name, texts(given, name, 'it')])) };
  });
  if (typeof rule === 'string') return { ...about, problem: rule };
  const [problem] = ignoreProblems([rule]);
  return problem === undefined ? { ...about, rule } : { ...about, problem: `but ${problem}` };
}

/** `resource.compareoptions`; a text says what is wrong. */
export function readCompareOptions(
  text: string,
): { readonly ignoreAggregatedRoles: boolean; readonly ignoreStatus: boolean } | string {
  return attempt('resource.compareoptions', text, (value) => {
    const options = only(value ?? {}, 'it', [
      'ignoreAggregatedRoles',
      'ignoreResourceStatusField',
      'ignoreDifferencesOnResourceUpdates',
    ]);
    const status = options['ignoreResourceStatusField'];
    return {
      ignoreAggregatedRoles: options['ignoreAggregatedRoles'] === true,
      ignoreStatus: status === undefined || status === null || status === '' || status === 'all',
    };
  });
}
