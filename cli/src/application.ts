import { readFile } from 'node:fs/promises';
import { type Application, type ApplicationSource, applicationSchema, validate } from '@mooring/crds';
import { defaultLimits, parseManifests } from '@mooring/renderer-contract';
import { Failure, fileFailure } from './failure.ts';

/**
 * The Application in a manifest file (`-` is standard input); `name` picks one where there are several. Other objects in the file don't matter.
 * Throws `Failure` that names the file, the line and the field, and `RenderError` for broken YAML.
 */
export async function readApplication(file: string, name: string | undefined): Promise<Application> {
  const bytes = await (file === '-' ? process.stdin.toArray().then(Buffer.concat) : readFile(file)).catch(
    (thrown: unknown) => {
      throw fileFailure(file, thrown);
    },
  );
  const title = file === '-' ? 'standard input' : file;
  const found = parseManifests(bytes, title, defaultLimits).filter(
    ({ object }) => object.kind === 'Application' && object.apiVersion.startsWith('argoproj.io/'),
  );
  const names = found.map(({ object }) => object.metadata.name ?? '').join(', ');
  if (found.length === 0) throw new Failure(`${title}: there is no Application (argoproj.io) in it`);
  const picked = name === undefined ? found : found.filter(({ object }) => object.metadata.name === name);
  const one = picked[0];
  if (one === undefined) throw new Failure(`${title}: there is no Application called ${name}; it has ${names}`);
  if (picked.length > 1)
    throw new Failure(`${title}: there is more than one Application: pick one with --name (${names})`);
  const wrong = validate(applicationSchema, one.object);
  if (wrong.length > 0) {
    const list = wrong.map(({ path, message }) => `${path} ${message}`).join('; ');
    throw new Failure(`${title}, line ${one.line}: Application ${one.object.metadata.name}: ${list}`);
  }
  return one.object as unknown as Application;
}

/** The one source that an Application has. Throws `Failure` where it has none, several, or one that is no folder in a Git repository. */
export function gitSourceOf(app: Application): ApplicationSource {
  const { source, sources } = app.spec;
  const name = app.metadata.name ?? '';
  if (sources !== undefined && sources.length > 1) {
    throw new Failure(
      `Application ${name} has ${sources.length} sources; render the folder of each by its path instead: mooring render PATH`,
    );
  }
  const only = sources?.[0] ?? source;
  if (only === undefined) throw new Failure(`Application ${name} has no spec.source; add one`);
  if (only.chart) {
    throw new Failure(
      `Application ${name} takes the chart ${only.chart} from a Helm registry, which is not read here; download it and render its folder: mooring render PATH`,
    );
  }
  return only;
}
