// What a test file asks for: the modules that are started, each with its commands, and those that must be refused.

/**
 * @typedef {object} Command an assertion or an action, as wast2json tells it
 * @typedef {object} Part one module, and what is done with it
 * @property {string} filename
 * @property {number} line
 * @property {string | undefined} name
 * @property {string} startEnd how its start ends: "returned", or a trap's text
 * @property {Command[]} commands
 */

/** Stands where a file names no trap. No trap of the specification is called so. */
export const ANY_TRAP = 'a trap';

const oldNan = /^\(assert_return_(canonical|arithmetic)_nan (\(invoke .*\))\)$/;
const oldTrap = /^\(assert_trap (\(invoke [^"]*"[^"]*"[^"]*\))\)$/;
const oldBlockType = /\((block|loop|if) (i32|i64|f32|f64)(?=[ )])/g;
/** Of the only table. A segment's own name stands there today. */
const oldTableName = /\(elem \$t (?=\()/g;

const isWhole = (line) => line.split('(').length === line.split(')').length;

/**
 * A test file as wast2json reads it. Since some files were written, results of blocks have got a word, NaN has become an expected value,
 * traps must be named, tables are named otherwise, and one type has another name. An action takes the place of an assertion of NaN, as
 * wast2json tells an action's type of result.
 *
 * @param {string} text
 * @returns {{ text: string, nans: Map<number, string>}} `nans`: the lines of the actions that must return one, and which
 */
export function modernized(text) {
  const nans = new Map();
  const lines = text.split('\n').map((line, at) => {
    const [, kind, action] = oldNan.exec(line) ?? [];
    if (kind !== undefined) {
      nans.set(at + 1, `nan:${kind}`);
      return action;
    }
    const named = isWhole(line) ? line.replace(oldTrap, `(assert_trap $1 "${ANY_TRAP}")`) : line;
    return named
      .replaceAll(oldBlockType, '($1 (result $2)')
      .replaceAll(oldTableName, '(elem ')
      .replaceAll('(ref null func)', 'funcref');
  });
  return { text: lines.join('\n'), nans };
}

/**
 * @param {Command[]} commands
 * @param {Map<number, string>} nans as of modernized()
 */
export function plan(commands, nans) {
  /** @type {Part[]} */
  const parts = [];
  /** @type {{ filename: string, line: number }[]} */
  const refused = [];
  const notRun = { text: 0, linking: 0 };
  for (const command of commands) {
    const { type, filename, line, name } = command;
    switch (type) {
      case 'module':
        parts.push({ filename, line, name, startEnd: 'returned', commands: [] });
        break;
      case 'assert_uninstantiable':
        parts.push({ filename, line, name, startEnd: command.text, commands: [] });
        break;
      case 'assert_invalid':
      case 'assert_malformed':
        if (command.module_type === 'binary') refused.push({ filename, line });
        else notRun.text++;
        break;
      case 'assert_return':
      case 'assert_trap':
      case 'assert_exhaustion':
      case 'action':
        partOf(parts, command).commands.push(withNan(command, nans.get(line)));
        break;
      case 'register':
      case 'assert_unlinkable':
        notRun.linking++;
        break;
      default:
        throw new Error(`line ${line}: unknown command ${type}`);
    }
  }
  return { parts, refused, notRun };
}

/** The module that an action names, or the latest. Modules do not see each other, so that the order among them does not matter. */
function partOf(parts, { line, action }) {
  const part = parts.findLast(
    ({ startEnd, name }) => startEnd === 'returned' && (action.module === undefined || name === action.module),
  );
  if (part === undefined) throw new Error(`line ${line}: there is no module for ${JSON.stringify(action)}`);
  return part;
}

function withNan(command, value) {
  if (value === undefined) return command;
  return { ...command, type: 'assert_return', expected: command.expected.map(({ type }) => ({ type, value })) };
}
