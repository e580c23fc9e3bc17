/** Something that the person at the terminal has to know or do; shown as it is, without a stack. */
export class Problem extends Error {}

/** The person at the terminal, or whoever started the set-up, ended it. */
export class Interrupted extends Problem {}
