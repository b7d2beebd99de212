import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { freePort } from '../harness/operator-process.ts';
import { findPrometheus } from './binaries.ts';

/** One series of an answer: its values with their times in seconds, in their order. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [at: number, value: string])[];
}

/** A rule as Prometheus evaluates it. */
export interface Rule {
  readonly name: string;
  readonly health: 'ok' | 'err' | 'unknown';
  readonly lastError?: string;
  readonly state: 'inactive' | 'pending' | 'firing';
}

/** A Prometheus that scrapes one operator. */
export interface Prometheus {
  readonly url: string;
  /** What a query answers now. Throws with Prometheus' own words where it is wrong. */
  query(expr: string): Promise<Series[]>;
  /** What it answers from `start` to now; `step` in seconds, `start` in seconds since 1970. */
  queryRange(expr: string, start: number, step: number): Promise<Series[]>;
  rules(): Promise<Rule[]>;
  stop(): Promise<void>;
}

export interface PrometheusOptions {
  /** `host:port` of what is scraped. */
  readonly target: string;
  /** Labels that Prometheus gives to it, as it finds them out in Kubernetes. */
  readonly labels: Readonly<Record<string, string>>;
  /** Files of rules; `*` is allowed in the last part. */
  readonly rules: readonly string[];
  readonly onProgress: (line: string) => void;
}

interface Answer {
  readonly status: 'success' | 'error';
  readonly error?: string;
  readonly data: unknown;
}

/** Starts a Prometheus on 127.0.0.1 that scrapes and evaluates every second. Throws with the end of its log where it is not ready after 30 s. */
export async function startPrometheus({ target, labels, rules, onProgress }: PrometheusOptions): Promise<Prometheus> {
  const { prometheus } = await findPrometheus(onProgress);
  const folder = await mkdtemp(join(tmpdir(), 'mooring-prometheus-'));
  const configPath = join(folder, 'prometheus.yml');
  const config = {
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    rule_files: rules,
    scrape_configs: [{ job_name: 'mooring', static_configs: [{ targets: [target], labels }] }],
  };
  await writeFile(configPath, stringify(config));
  const port = await freePort();
  const args = [
    `--config.file=${configPath}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--log.level=warn',
  ];
  const child = spawn(prometheus, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => {
    log = (log + chunk.toString('utf8')).slice(-10_000);
  });
  const url = `http://127.0.0.1:${port}`;
  const stop = async (): Promise<void> => {
    await end(child);
    await rm(folder, { recursive: true, force: true });
  };
  const call = async (path: string, parameters: Record<string, string>): Promise<unknown> => {
    const response = await fetch(`${url}/api/v1/${path}`, { method: 'POST', body: new URLSearchParams(parameters) });
    const answer = (await response.json()) as Answer;
    if (answer.status === 'success') return answer.data;
    throw new Error(`${parameters['query'] ?? path}: ${answer.error}`);
  };
  try {
    await untilReady(child, url, () => log);
  } catch (thrown) {
    await stop();
    throw thrown;
  }
  return {
    url,
    async query(query) {
      const { result } = (await call('query', { query })) as {
        result: (Omit<Series, 'values'> & { value: Series['values'][number] })[];
      };
      return result.map(({ metric, value }) => ({ metric, values: [value] }));
    },
    async queryRange(query, start, step) {
      const range = { start: String(start), end: String(Date.now() / 1_000), step: String(step) };
      return ((await call('query_range', { query, ...range })) as { result: Series[] }).result;
    },
    async rules() {
      const response = await fetch(`${url}/api/v1/rules`);
      const { data } = (await response.json()) as { data: { groups: { rules: Rule[] }[] } };
      return data.groups.flatMap((group) => group.rules);
    },
    stop,
  };
}

async function untilReady(child: ChildProcess, url: string, log: () => string): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (performance.now() < deadline && child.exitCode === null && child.signalCode === null) {
    try {
      if ((await fetch(`${url}/-/ready`)).ok) return;
    } catch {
      // It does not listen yet.
    }
    await sleep(100);
  }
  throw new Error(`Prometheus did not become ready:\n${log()}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await ended;
  clearTimeout(timer);
}
