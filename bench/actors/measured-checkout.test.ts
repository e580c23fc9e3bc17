import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { open } from '../peers/actors/shoal.ts';
import { MEASURED_CHECKOUT, measuredCheckout } from './measured-checkout.ts';

test('the actors of the checkout that the environment names are measured', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-checkout-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const actors = join(folder, 'src', 'actors');
  mkdirSync(actors, { recursive: true });
  writeFileSync(join(actors, 'mod.ts'), "export const createSystem = () => ({ spawn: () => 'an actor from there' });");
  vi.stubEnv(MEASURED_CHECKOUT, folder);
  onTestFinished(() => void vi.unstubAllEnvs());
  const library = await open();
  expect(library.spawn(() => undefined)).toBe('an actor from there');
});

test('or those of this checkout', () => {
  vi.stubEnv(MEASURED_CHECKOUT, undefined);
  onTestFinished(() => void vi.unstubAllEnvs());
  expect(measuredCheckout()).toBe(resolve(import.meta.dirname, '../..'));
});
