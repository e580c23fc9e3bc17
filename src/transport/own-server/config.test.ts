import { expect, test } from 'vitest';
import { renderConfig } from './config.ts';

const config = { name: 'shoal-1', port: 4300, maxPayloadBytes: 1_000 };

test('loopback only, and nothing that listens besides', () => {
  const text = renderConfig({ ...config, storeDirectory: undefined });
  expect(text).toContain('listen: "127.0.0.1:4300"\n');
  expect(text).not.toMatch(/cluster|http|jetstream/);
});

test('JetStream keeps its files where it is told, within limits', () => {
  const text = renderConfig({ ...config, storeDirectory: '/tmp/a "b"' });
  expect(text).toContain(String.raw`store_dir: "/tmp/a \"b\""`);
  expect(text).toMatch(/max_file_store: \d+/);
});
