import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readTracing, type TracingFlags } from './settings.ts';

test('without an address nothing is traced, whatever else is set', () => {
  assert.equal(readTracing({ 'otlp-headers': 'a=b' }, {}), undefined);
  assert.equal(readTracing({ 'otlp-address': ' ' }, {}), undefined);
});

test('host:port is OTLP/gRPC without TLS, as in Argo CD', () => {
  const settings = readTracing({ 'otlp-address': 'otel-collector:4317' }, {});
  assert.deepEqual(
    { ...settings, url: settings?.url.href },
    {
      url: 'http://otel-collector:4317/',
      protocol: 'grpc',
      headers: {},
      attributes: {},
      sampleRatio: 1,
      ids: 'w3c',
    },
  );
  const secure = readTracing({ 'otlp-address': '[::1]:4317', 'otlp-insecure': 'false' }, {});
  assert.equal(secure?.url.href, 'https://[::1]:4317/');
});

test('an address with a scheme is OTLP/HTTP', () => {
  const urlOf = (address: string): string | undefined => readTracing({ 'otlp-address': address }, {})?.url.href;
  assert.equal(urlOf('http://otel:4318'), 'http://otel:4318/v1/traces');
  assert.equal(urlOf('https://otel.example.com/in/v1/traces'), 'https://otel.example.com/in/v1/traces');
});

test("Argo CD's variables count where there is no flag", () => {
  const env = {
    ARGOCD_APPLICATION_CONTROLLER_OTLP_ADDRESS: 'otel:4317',
    ARGOCD_APPLICATION_CONTROLLER_OTLP_INSECURE: 'false',
    ARGOCD_APPLICATION_CONTROLLER_OTLP_HEADERS: 'Authorization=Basic YQ==, x-team = shop',
    ARGOCD_APPLICATION_CONTROLLER_OTLP_ATTRS: 'env:prod,image:registry:5000/x',
    ARGOCD_APPLICATION_CONTROLLER_OTLP_SAMPLE_RATIO: '0.25',
  };
  const settings = readTracing({ 'trace-ids': 'xray' }, env);
  assert.equal(settings?.url.href, 'https://otel:4317/');
  assert.deepEqual(settings.headers, { authorization: 'Basic YQ==', 'x-team': 'shop' });
  assert.deepEqual(settings.attributes, { env: 'prod', image: 'registry:5000/x' });
  assert.deepEqual([settings.sampleRatio, settings.ids], [0.25, 'xray']);
  assert.equal(readTracing({ 'otlp-sample-ratio': '0.5' }, env)?.sampleRatio, 0.5);
});

for (const [flags, error] of [
  [{ 'otlp-address': 'collector' }, /^--otlp-address collector: give host:port/],
  [{ 'otlp-address': 'grpc://collector:4317' }, /^--otlp-address grpc/],
  [{ 'otlp-address': 'collector:4317/path' }, /^--otlp-address collector/],
  [{ 'otlp-address': 'http://ada:canary@collector' }, /^--otlp-address has a user in it; (?!.*canary)/],
  [{ 'otlp-insecure': 'maybe' }, /^--otlp-insecure maybe: give true or false$/],
  [{ 'otlp-headers': 'canary' }, /^--otlp-headers: give name=value/],
  [{ 'otlp-headers': 'a b=canary' }, /^--otlp-headers: a header called a b cannot be sent(?!.*canary)/],
  [{ 'otlp-headers': 'a=canary\n' }, undefined],
  [{ 'otlp-headers': 'a=x\u0000canary' }, /^--otlp-headers: a header called a cannot be sent(?!.*canary)/],
  [{ 'otlp-headers': 'Content-Type=x' }, /^--otlp-headers: the header content-type is set by the protocol$/],
  [{ 'otlp-attrs': 'team' }, /^--otlp-attrs team: give name:value/],
  [{ 'otlp-sample-ratio': '1.5' }, /^--otlp-sample-ratio 1.5: give a number from 0 to 1$/],
  [{ 'otlp-sample-ratio': 'half' }, /^--otlp-sample-ratio half: /],
  [{ 'trace-ids': 'aws' as string }, /^--trace-ids aws: give w3c or xray$/],
] as readonly (readonly [TracingFlags, RegExp | undefined])[]) {
  test(`${JSON.stringify(flags)} is ${error === undefined ? 'taken' : 'refused'}`, () => {
    const read = (): unknown => readTracing({ 'otlp-address': 'collector:4317', ...flags }, {});
    if (error === undefined) assert.doesNotThrow(read);
    else assert.throws(read, { message: error });
  });
}
