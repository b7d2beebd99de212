import { createOperator, defaultRenderers } from '@mooring/operator';
import { webAppRenderer } from './renderer.ts';

// The kubeconfig is that of KUBECONFIG, else ~/.kube/config. The first renderer that knows a folder renders it: ours goes before plain YAML.
const operator = await createOperator({ renderers: [webAppRenderer, ...defaultRenderers()] });

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void operator.stop().then(() => process.exit()));
}
