/**
 * The soft limit of a process.
 * @param limits the text of `/proc/PID/limits` @param name as it stands there, such as `Max open files`
 * @returns undefined if it is unlimited, or not named
 */
export function softLimit(limits: string, name: string): number | undefined {
  const soft = new RegExp(`^${name} +(\\d+) `, 'm').exec(limits)?.[1];
  return soft === undefined ? undefined : Number(soft);
}
