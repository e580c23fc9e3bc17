/** The rules of the design, section 5; `docs/rules.md` states them. `command`: an administrator asked for it. */
export type Rule = 'R1' | 'R2' | 'R3' | 'R4' | 'R5' | 'R6' | 'R7' | 'R8' | 'R10' | 'R11' | 'command';

/** The figures that a decision was made on, under the names that events show. */
export type Figures = Readonly<Record<string, number | string>>;
