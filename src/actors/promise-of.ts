/**
 * The promise that a function has returned instead of a result, or undefined. Whatever has a method `then` counts, as
 * with `await`: libraries have promises of their own, and another realm has another `Promise`.
 */
export function promiseOf<T>(result: T | PromiseLike<T>): Promise<T> | undefined {
  if (result instanceof Promise) return result;
  return isThenable(result) ? Promise.resolve(result) : undefined;
}

function isThenable<T>(result: T | PromiseLike<T>): result is PromiseLike<T> {
  return typeof result === 'object' && result !== null && 'then' in result && typeof result.then === 'function';
}
