/** What a series may tell of, besides this process. */
export interface Subject {
  readonly kind: 'application' | 'cluster' | 'repository';
  /** `namespace/name` of an Application, the address of a cluster, or that of a repository as the label `repo` has it. */
  readonly id: string;
}

type Labels = Readonly<Record<string, string>>;

/** A metric that series can be taken from. */
export interface SeriesHolder {
  remove(labels: Labels): void;
}

/** Which series tell of what: a series of what is gone would be scraped for ever. */
export interface Ledger {
  /** Remembers a series that is about to be written. False where something that it tells of is not there (any more), as at the end of work that a deletion overtook. */
  admit(name: string, holder: SeriesHolder, labels: Labels): boolean;
  /** Whether such a series has been admitted, and has not been removed since. */
  has(name: string, labels: Labels): boolean;
  /** Removes every series that tells of something that is gone. */
  tidy(): void;
}

interface Account {
  readonly subject: Subject;
  readonly series: Map<string, { readonly holder: SeriesHolder; readonly labels: Labels }>;
}

function keyOf(name: string, labels: Labels): string {
  return `${name} ${Object.values(labels).join('\u0000')}`;
}

/** `look` answers what is there at the moment of the call. */
export function createLedger(look: () => (subject: Subject) => boolean): Ledger {
  const accounts = new Map<string, Account>();

  function has(name: string, labels: Labels): boolean {
    const [first] = subjectsOf(labels);
    return first !== undefined && accounts.get(textOf(first))?.series.has(keyOf(name, labels)) === true;
  }

  return {
    has,
    admit(name, holder, labels) {
      const subjects = subjectsOf(labels);
      if (subjects.length === 0 || has(name, labels)) return true;
      const key = keyOf(name, labels);
      if (!subjects.every(look())) return false;
      for (const subject of subjects) {
        const text = textOf(subject);
        const account = accounts.get(text) ?? { subject, series: new Map() };
        accounts.set(text, account);
        account.series.set(key, { holder, labels });
      }
      return true;
    },
    tidy() {
      const isThere = look();
      for (const { subject, series } of [...accounts.values()]) {
        if (isThere(subject)) continue;
        for (const [key, { holder, labels }] of series) {
          holder.remove(labels);
          for (const other of subjectsOf(labels)) accounts.get(textOf(other))?.series.delete(key);
        }
        accounts.delete(textOf(subject));
      }
    },
  };
}

function subjectsOf({ namespace, name, server, dest_server, repo }: Labels): Subject[] {
  const cluster = server ?? dest_server;
  const subjects: Subject[] = [];
  if (namespace !== undefined && name !== undefined) subjects.push({ kind: 'application', id: `${namespace}/${name}` });
  if (cluster) subjects.push({ kind: 'cluster', id: cluster });
  if (repo) subjects.push({ kind: 'repository', id: repo });
  return subjects;
}

function textOf({ kind, id }: Subject): string {
  return `${kind} ${id}`;
}
