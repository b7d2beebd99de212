import type { Customization } from '../../model/customization.ts';
import { parseDuration } from '../../model/duration.ts';
import type { GlobalProject } from '../../model/global-projects.ts';
import { type KindFilter, type KindPattern, usualFilter } from '../../model/kind-filter.ts';
import { type UnreadSetting, unreadSettings } from '../../model/settings-keys.ts';
import type { UnreadRules } from '../../model/unread-rules.ts';
import type { MetricsChoice, RespectRbac, Settings } from '../../world/store.ts';
import { readCompareOptions, readCustomizations, readGlobalProjects, readKindPatterns } from './settings-yaml.ts';

type Fields = Readonly<Record<string, string>>;

/** What settings are read from. Empty where the object does not exist. */
export interface SettingsSource {
  /** Data of the ConfigMap `argocd-cm`. */
  readonly config: Fields;
  /** Data of the ConfigMap `argocd-cmd-params-cm`. */
  readonly parameters: Fields;
  /** Decoded data of the Secret `argocd-secret`. */
  readonly secret: Fields;
}

/** A value that cannot be used. */
export interface BadSetting {
  readonly object: 'argocd-cm' | 'argocd-cmd-params-cm';
  readonly key: string;
  /** Names object, key, value and what is allowed. */
  readonly message: string;
}

/** What settings say, what in them cannot be used, and what is not read. */
export interface ReadSettings {
  readonly settings: Settings;
  readonly bad: readonly BadSetting[];
  readonly unread: readonly UnreadSetting[];
}

/** Says what is wrong with the renderers' settings, by key, to be read after the value. */
export type CheckRendererSettings = (settings: Fields) => Fields;

const objects = { config: 'argocd-cm', parameters: 'argocd-cmd-params-cm' } as const;
const aboutRenderers = /^(?:helm|kustomize|jsonnet)\./;
/** Characters of a value that are repeated. */
const shownLength = 100;

/**
 * A reader of the settings with Argo CD's names and defaults. Where a value cannot be used, the last one of that key that could goes on being used, or else
 * the default, and the answer says what to correct.
 */
export function createSettingsReader(
  checkRenderers: CheckRendererSettings = () => ({}),
): (source: SettingsSource) => ReadSettings {
  /** The text of each key that was last good. */
  const good = new Map<string, string>();

  return (source) => {
    const bad: BadSetting[] = [];
    /** Settings that protect, and of which nothing usable is known. */
    const everybody: string[] = [];

    /** The text to use for a key. `wrong` says why a text cannot be used, `otherwise` what happens where none is known that can. */
    function usable(
      where: keyof typeof objects,
      key: string,
      wrong: (text: string) => string | undefined,
      otherwise = 'the default is used',
    ): string {
      const object = objects[where];
      const name = `${object} ${key}`;
      const text = (source[where][key] ?? '').trim();
      const why = text === '' ? undefined : wrong(text);
      if (why === undefined) {
        if (text === '') good.delete(name);
        else good.set(name, text);
        return text;
      }
      const last = good.get(name);
      const used = last === undefined ? otherwise : `${shortened(last)} is used`;
      bad.push({
        object,
        key,
        message: `${object}: ${key} is ${shortened(text)}, ${why}; ${used} until it is corrected`,
      });
      return last ?? '';
    }

    /** The same for what protects. No default would do in its place, so that nothing is written until it is corrected. */
    function protective<T>(key: string, read: (text: string) => T | string): T | undefined {
      const wrong = (text: string): string | undefined => {
        const found = read(text);
        return typeof found === 'string' ? found : undefined;
      };
      const before = bad.length;
      const text = usable('config', key, wrong, 'nothing is synced');
      if (text === '') everybody.push(...bad.slice(before).map(({ message }) => message));
      const found = text === '' ? undefined : read(text);
      return typeof found === 'string' ? undefined : found;
    }

    const duration = (key: string, fallbackMs: number): number =>
      parseDuration(
        usable('config', key, (text) =>
          (parseDuration(text) ?? -1) >= 0 ? undefined : 'but must be a duration of 0 or more, such as 120s or 3m',
        ),
      ) ?? fallbackMs;
    const seconds = (key: string, fallbackMs: number): number => {
      const text = usable('parameters', key, (given) =>
        /^\d{1,9}$/.test(given) ? undefined : 'but must be a whole number of seconds, 0 or more',
      );
      return text === '' ? fallbackMs : Number(text) * 1000;
    };
    const list = (name: keyof MetricsChoice, key: string): MetricsChoice => {
      const names = listOf(source.parameters[key]);
      return names.length === 0 ? {} : { [name]: names };
    };
    const settings: Settings = {
      pollIntervalMs: duration('timeout.reconciliation', 120_000),
      pollJitterMs: duration('timeout.reconciliation.jitter', 60_000),
      webhookSecrets: webhookSecrets(source.secret),
      syncTimeoutMs: seconds('controller.sync.timeout.seconds', 0),
      waveDelayMs: seconds('controller.sync.wave.delay.seconds', 2_000),
      metrics: {
        ...list('applicationLabels', 'controller.metrics.application.labels'),
        ...list('applicationConditions', 'controller.metrics.application.conditions'),
        ...list('clusterLabels', 'controller.metrics.cluster.labels'),
      },
      respectRbac: respectRbac(),
      renderers: rendererSettings(),
      kinds: kindFilter(),
      globalProjects: protective<readonly GlobalProject[]>('globalProjects', readGlobalProjects) ?? [],
      customizations: customizations(),
      unread: unreadRules(),
    };
    const unread = [
      ...unreadSettings('argocd-cm', source.config),
      ...unreadSettings('argocd-cmd-params-cm', source.parameters),
    ];
    return { settings, bad, unread };

    /** A key that is there and says nothing is a filter, too: one that leaves out only what is always left out. */
    function kindFilter(): KindFilter {
      const patterns = (key: string): readonly KindPattern[] | undefined =>
        protective<readonly KindPattern[]>(key, (text) => readKindPatterns(key, text)) ??
        (source.config[key]?.trim() === '' ? [] : undefined);
      return {
        exclusions: patterns('resource.exclusions') ?? usualFilter.exclusions,
        inclusions: patterns('resource.inclusions') ?? [],
      };
    }

    function customizations(): readonly Customization[] {
      protective('resource.customizations', (text) => readCustomizations({ 'resource.customizations': text }));
      const combined = good.get(`${objects.config} resource.customizations`);
      const found = readCustomizations({ ...source.config, 'resource.customizations': combined ?? '' });
      return typeof found === 'string' ? [] : found;
    }

    function unreadRules(): UnreadRules {
      const said = (key: string): string => (source.config[key] ?? '').trim();
      for (const key of ['application.resourceTrackingMethod', 'installationID']) {
        for (const { about } of unreadSettings('argocd-cm', { [key]: said(key) }))
          everybody.push(`argocd-cm: ${key} (${about}) is not supported yet; take it out, or nothing is synced`);
      }
      const options = protective('resource.compareoptions', readCompareOptions);
      const enabled = said('application.sync.impersonation.enabled') === 'true';
      const enforced = said('application.sync.impersonation.enforced') !== 'false';
      return {
        everybody,
        impersonation: enabled ? (enforced ? 'needed' : 'used') : 'off',
        ownClusterOff: said('cluster.inClusterEnabled') === 'false',
        aggregatedRoles: options?.ignoreAggregatedRoles ?? false,
        comparesStatus: options?.ignoreStatus === false,
        hiddenDirectories: (source.parameters['reposerver.include.hidden.directories'] ?? '').trim() === 'true',
      };
    }

    function respectRbac(): RespectRbac {
      const text = usable('config', 'resource.respectRBAC', (given) =>
        given === 'normal' || given === 'strict' ? undefined : 'but must be normal, strict or empty',
      );
      return text === 'normal' || text === 'strict' ? text : 'off';
    }

    function rendererSettings(): Fields {
      const given = Object.entries(source.config).filter(([key]) => aboutRenderers.test(key));
      const wrong = checkRenderers(Object.fromEntries(given));
      return Object.fromEntries(given.map(([key]) => [key, usable('config', key, () => wrong[key])]));
    }
  };
}

function shortened(text: string): string {
  return JSON.stringify(text.length > shownLength ? `${text.slice(0, shownLength)}…` : text);
}

/** A list with commas between, as Argo CD's settings and flags have them. */
export function listOf(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

const webhookPrefix = 'webhook.';

function webhookSecrets(secret: Fields): Fields {
  const found = Object.entries(secret)
    .filter(([key, value]) => key.startsWith(webhookPrefix) && value.trim() !== '')
    .map(([key, value]) => [key.slice(webhookPrefix.length), value.trim()] as const);
  return Object.fromEntries(found);
}
