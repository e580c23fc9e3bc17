import { registerHooks } from 'node:module';
import { extname } from 'node:path';

/** Loaded before the test of a service: what it imports of Shoal is the Shoal that runs it. */
const ending = extname(import.meta.url);
const OWN: Readonly<Record<string, string>> = {
  'shoal/service': new URL(`../service/mod${ending}`, import.meta.url).href,
  'shoal/service/testing': new URL(`../service/kit/mod${ending}`, import.meta.url).href,
};

registerHooks({
  resolve: (specifier, context, next) => {
    const url = Object.hasOwn(OWN, specifier) ? OWN[specifier] : undefined;
    return url === undefined ? next(specifier, context) : { url, shortCircuit: true };
  },
});
