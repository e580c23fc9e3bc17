import { inspect } from 'node:util';

/**
 * Lets refs of a class show their path, in a log or as JSON, and nothing of the system behind them. The methods are on
 * the prototype, so that no ref is larger or slower for them.
 */
export function shownByPath(prototype: { readonly path: string }): void {
  const method = (value: (this: { readonly path: string }) => unknown) => ({
    value,
    writable: true,
    configurable: true,
  });
  Object.defineProperties(prototype, {
    toJSON: method(function () {
      return this.path;
    }),
    [inspect.custom]: method(function () {
      return `Ref(${this.path})`;
    }),
  });
}
