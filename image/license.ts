/** The licences that parts of the image have, by what tells their texts from all others. */
const marks: readonly (readonly [id: string, mark: RegExp])[] = [
  ['Apache-2.0', /Apache License,? Version 2\.0/],
  ['MPL-2.0', /Mozilla Public License,? (?:Version|v\.) ?2\.0/],
  ['MIT', /Permission is hereby granted, free of charge, to any person obtaining a copy/],
  ['ISC', /Permission to use, copy, modify,? and(?: or)? distribute this software for any purpose with or without fee/],
  ['BSD-3-Clause', /Redistributions in binary form must(?:.(?!Redistribution and use in source))*Neither the name/],
  ['BSD-2-Clause', /Redistributions in binary form must(?!(?:.(?!Redistribution and use in source))*Neither the name)/],
];

/** SPDX's identifiers of the licences in a text, in the order of the alphabet. */
export function licensesIn(text: string): string[] {
  const plain = text.replace(/[\s#*/]+/g, ' ');
  return marks
    .filter(([, mark]) => mark.test(plain))
    .map(([id]) => id)
    .sort();
}

/** Debian's short names of licences (its machine-readable copyright format, 1.0) that SPDX calls otherwise. */
const debianNames: Readonly<Record<string, string>> = {
  Expat: 'MIT',
  'BSD-2-clause': 'BSD-2-Clause',
  'BSD-3-clause': 'BSD-3-Clause',
  'BSD-4-clause': 'BSD-4-Clause',
  Artistic: 'Artistic-1.0',
};

/** Licences that a `copyright` file of Debian names in its fields; empty where the file is prose. SPDX's identifiers where there are such. */
export function licensesOfDebian(copyright: string): string[] {
  if (!/^Format: \S*copyright-format\/1\.0/m.test(copyright)) return [];
  const named = Array.from(copyright.matchAll(/^License: *(.+)$/gm), ([, names = '']) =>
    names.split(/,? +(?:and|or) +/),
  );
  return [...new Set(named.flat().map((name) => spdxOf(name.trim())))].sort();
}

function spdxOf(name: string): string {
  const gnu = /^(L?GPL|GFDL)-([0-9]+)(?:\.([0-9]+))?(\+?)$/.exec(name);
  if (gnu !== null) return `${gnu[1]}-${gnu[2]}.${gnu[3] ?? '0'}-${gnu[4] === '+' ? 'or-later' : 'only'}`;
  return debianNames[name] ?? name;
}

/** Identifiers of SPDX's list among what parts of the image are under; anything else is a name. */
export const spdxIds: ReadonlySet<string> = new Set([
  ...marks.map(([id]) => id),
  ...Object.values(debianNames),
  ...[
    '0BSD',
    'BSD-4-Clause-UC',
    'BlueOak-1.0.0',
    'BSL-1.0',
    'CC0-1.0',
    'FSFULLR',
    'OLDAP-2.8',
    'Python-2.0',
    'Unlicense',
  ],
  ...['X11', 'Zlib', 'curl'],
  ...['GPL-1.0', 'GPL-2.0', 'GPL-3.0', 'LGPL-2.0', 'LGPL-2.1', 'LGPL-3.0', 'GFDL-1.2', 'GFDL-1.3'].flatMap((name) => [
    `${name}-only`,
    `${name}-or-later`,
  ]),
]);
