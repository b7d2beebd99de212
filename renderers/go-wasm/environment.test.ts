import assert from 'node:assert/strict';
import { test } from 'node:test';
import { substitute } from './environment.ts';

const cases: readonly [text: string, expected: string][] = [
  ['$ARGOCD_APP_NAME', 'shop'],
  [`a-\${ARGOCD_APP_NAME}-b`, 'a-shop-b'],
  ['$ARGOCD_APP_NAME.example', 'shop.example'],
  [`$UNKNOWN|\${UNKNOWN}|`, '||'],
  ['cost: 5$$', 'cost: 5$'],
  ['$toString', ''],
  ['$1st $-x', 'st x'],
  ['$(x) $ 5$', '$(x) $ 5$'],
  [`a\${}b\${c`, 'abc'],
  ['plain', 'plain'],
];

for (const [text, expected] of cases) {
  test(`${text} becomes ${expected}`, () => assert.equal(substitute(text, { ARGOCD_APP_NAME: 'shop' }), expected));
}
