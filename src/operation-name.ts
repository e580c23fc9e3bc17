/** The longest name of an operation, in characters; all are ASCII, so in bytes as well. */
export const OPERATION_CHARS_MAX = 64;
/** How many operations a guest may name. */
export const OPERATIONS_MAX = 64;
/** What a name of an operation is, for error messages. */
export const OPERATION_NAME_FORM = `1 to ${OPERATION_CHARS_MAX} of a-z, 0-9, "-", "." and "_"`;

const OPERATION_NAME = new RegExp(`^[a-z0-9._-]{1,${OPERATION_CHARS_MAX}}$`);

/** Whether a guest may have an operation of that name (docs/guest-contract.md, `ops` of the ready line). */
export function isOperationName(name: string): boolean {
  return OPERATION_NAME.test(name);
}
